"""The large picture with boxes and labels."""

from __future__ import annotations

import tkinter as tk

from PIL import Image, ImageTk

from mien.apps.desktop import theme
from mien.apps.desktop.live import FrameWithResult
from mien.apps.desktop.palette import Palette
from mien.detection.base import Frame
from mien.drawing import blur_faces, draw, resized
from mien.live.mirror import mirror
from mien.results import FrameResult

# Larger than this many times its size a picture shows its pixels, not its content.
_LARGEST_SCALE = 4.0


class PictureView(tk.Canvas):
    """Shows a frame as large as fits, drawn on, with marks for pause and recording in its corner."""

    def __init__(self, parent: tk.Misc, palette: Palette) -> None:
        super().__init__(parent, background=palette.stage, highlightthickness=0, takefocus=True)
        self._palette = palette
        self._shown: FrameWithResult | None = None
        self._blur = self._mirrored = False
        self._highlight: int | None = None
        self._photo: ImageTk.PhotoImage | None = None
        self._image = self.create_image(0, 0, anchor="center")
        self._marks: tuple[str, ...] = ()
        self.bind("<Configure>", lambda _: self._render())

    def recolor(self, palette: Palette) -> None:
        """Use other colors from now on."""
        self._palette = palette
        self.configure(background=palette.stage)
        self._draw_marks()

    def show(
        self, shown: FrameWithResult | None, blur: bool = False, mirrored: bool = False, highlight: int | None = None
    ) -> None:
        """Show a frame, or nothing.

        Args:
            shown: The frame; None for nothing.
            blur: Whether faces are made unrecognizable.
            mirrored: Whether left and right are exchanged.
            highlight: Id of the person, or number of the face, whose box stands out.
        """
        self._shown, self._blur, self._mirrored, self._highlight = shown, blur, mirrored, highlight
        self._render()

    def mark(self, *texts: str) -> None:
        """Show these words in the corner; one that begins with ● in red."""
        if texts != self._marks:
            self._marks = texts
            self._draw_marks()

    def _render(self) -> None:
        width, height = self.winfo_width(), self.winfo_height()
        if self._shown is None or width < 2 or height < 2:
            self._photo = None
            self.itemconfigure(self._image, image="")
            return
        frame, result = fit(self._shown.frame, self._shown.result, width, height)
        if self._mirrored:
            frame, result = mirror(frame, result)
        if self._blur:
            frame = blur_faces(frame, result)
        image = Image.fromarray(draw(frame, result, highlight=self._highlight)[:, :, ::-1])
        if self._photo is not None and (self._photo.width(), self._photo.height()) == image.size:
            self._photo.paste(image)
        else:
            self._photo = ImageTk.PhotoImage(image, master=self)
            self.itemconfigure(self._image, image=self._photo)
        self.coords(self._image, width // 2, height // 2)

    def _draw_marks(self) -> None:
        self.delete("mark")
        x = 16
        for text in self._marks:
            fill = self._palette.recording if text.startswith("●") else self._palette.text
            label = self.create_text(x + 10, 30, text=text, anchor="w", fill=fill, font=theme.STRONG, tags="mark")
            left, top, right, bottom = self.bbox(label)
            plate = self.create_rectangle(
                left - 10, top - 6, right + 10, bottom + 6, fill=self._palette.background, width=0, tags="mark"
            )
            self.tag_lower(plate, label)
            x = right + 18


def fit(frame: Frame, result: FrameResult, width: int, height: int) -> tuple[Frame, FrameResult]:
    """Bring a frame and its boxes to the size at which it fills an area.

    Args:
        frame: uint8 (H, W, 3).
        result: What was found in it.
        width: Of the area, in pixels.
        height: Likewise.
    """
    return resized(frame, result, min(width / frame.shape[1], height / frame.shape[0], _LARGEST_SCALE))
