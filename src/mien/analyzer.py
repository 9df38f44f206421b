"""The pipeline: picture in, faces with their emotions out."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from numbers import Integral
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NoReturn, overload

import numpy as np
from numpy.typing import NDArray

from mien.arguments import expect
from mien.classification.base import Answer, Classifier, read_faces
from mien.classification.classifier import EmotionClassifier
from mien.classification.litert import SUFFIX, LiteRtClassifier
from mien.classification.quality import is_severe, quality_flags
from mien.detection import DetectedFace, FaceAligner, FaceDetector, Frame, create_detector
from mien.detection.base import PhotoDetector, TurnAligner, TwoLookDetector, check_frame
from mien.detection.landmarks import LandmarkAligner
from mien.detection.pose import head_angles
from mien.detection.turns import quarters_to_upright, turned, turned_back
from mien.emotions import Emotion
from mien.errors import ImageError, MienError, OptionError
from mien.images import ImageSource, ImageSources, each_source, read_image
from mien.options import AnalyzerOptions, OptionValues, available_cores, make_options
from mien.parallel import map_ahead
from mien.preprocessing import crop, frame_to_crop
from mien.preview import Picture
from mien.results import Face, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

_CROPS_AT_ONCE = 64


class Analyzer:
    """Runs a detector and a classifier; `load` builds the usual one.

    Safe to use from several threads at once.

    Args:
        detector: Finds the faces.
        aligner: Finds their landmarks, so that they can be turned upright; None reads them as they are tilted.
        classifier: Reads them.
        options: See `AnalyzerOptions`.
    """

    def __init__(
        self,
        detector: FaceDetector,
        aligner: FaceAligner | None,
        classifier: Classifier,
        options: AnalyzerOptions | None = None,
    ) -> None:
        for name, part in (("detector", detector), ("aligner", aligner), ("classifier", classifier)):
            if isinstance(part, str | os.PathLike):
                raise OptionError(f"must be opened already; mien.load opens it by its name, found {part!r}", field=name)
        expect(AnalyzerOptions | None, options=options)
        self.detector = detector
        self.aligner = aligner
        self.classifier = classifier
        self.options = options or AnalyzerOptions()
        threshold = self.options.min_confidence
        self.uncertain_below: float = classifier.config.uncertain_below if threshold is None else threshold

    def __repr__(self) -> str:
        return f"Analyzer(model {self.classifier.config.name}, {self.options})"

    def __reduce__(self) -> NoReturn:
        raise MienError(
            "an Analyzer cannot be copied, or sent to another process: send analyzer.options and call mien.load there"
        )

    def analyze(self, source: ImageSource) -> FrameResult:
        """Find every face of a picture and read its expression.

        Args:
            source: A path, an encoded file as bytes or as a file object, a PIL image or an array; see
                `mien.images.read_image`.

        Returns:
            The faces from left to right; none is a valid answer.

        Raises:
            ImageError: If the picture cannot be read.
        """
        frame = read_image(source, self.options.max_pixels)
        return replace(self.analyze_frame(frame, _path(source)), picture=Picture(source, frame))

    def _analyze(self, source: ImageSource) -> FrameResult:
        """As `analyze`, for one of many, of which no pictures are kept."""
        result = self.analyze_frame(read_image(source, self.options.max_pixels), _path(source))
        return replace(result, picture=Picture(source))

    def _attempt(self, source: ImageSource) -> FrameResult | ImageError:
        try:
            return self._analyze(source)
        except ImageError as error:
            return error

    def analyze_crops(self, sources: ImageSources) -> list[FrameResult]:
        """Read pictures that are faces cut out already, close around the face as in FER-2013; nothing is detected.

        Args:
            sources: One as for `analyze`, or several; of any size and proportions.

        Returns:
            A result per source, in their order, each with one face whose box is the whole picture, with score 1.0
            and without landmarks.

        Raises:
            ImageError: If a picture cannot be read.
        """
        results: list[FrameResult] = []
        waiting = iter(each_source(sources))
        # In batches, so that of many pictures only a few are in memory.
        while batch := list(islice(waiting, _CROPS_AT_ONCE)):
            frames = [read_image(source, self.options.max_pixels) for source in batch]
            answers = self.classify_crops([frame_to_crop(frame, self.classifier.input_size) for frame in frames])
            for source, frame, answer in zip(batch, frames, answers, strict=True):
                height, width = frame.shape[:2]
                face = self.make_face(frame, DetectedFace((0, 0, width, height), 1.0), answer)
                results.append(FrameResult(_path(source), width, height, (face,), picture=Picture(source)))
        return results

    @overload
    def analyze_many(
        self, sources: ImageSources, *, workers: int = 0, errors: Literal["raise"] = "raise"
    ) -> Iterator[FrameResult]: ...

    @overload
    def analyze_many(
        self, sources: ImageSources, *, workers: int = 0, errors: Literal["return"]
    ) -> Iterator[FrameResult | ImageError]: ...

    def analyze_many(
        self, sources: ImageSources, *, workers: int = 0, errors: Literal["raise", "return"] = "raise"
    ) -> Iterator[FrameResult | ImageError]:
        """Read many pictures at once, as they are asked for.

        Args:
            sources: One as for `analyze`, or several; read a few ahead of what has been taken, so that they may be
                endless.
            workers: Pictures read side by side; 0 for one per core. An analyzer opened with ``threads=1`` suits it.
            errors: What to do about a picture that cannot be read: ``raise``, or ``return`` the error in its place.

        Returns:
            A result per source, in their order.

        Raises:
            ImageError: If a picture cannot be read and errors are raised.
            OptionError: If ``workers`` or ``errors`` is not possible.
        """
        expect(Integral, workers=workers)
        if workers < 0:
            raise OptionError(f"must be 0 (one per core) or more, found {workers}", field="workers")
        expect(str, errors=errors)
        if errors not in ("raise", "return"):
            raise OptionError(f"must be raise or return, found {errors!r}", field="errors")
        work = self._analyze if errors == "raise" else self._attempt
        return map_ahead(work, each_source(sources), workers or available_cores())

    def analyze_frame(self, frame: Frame, source: str = "") -> FrameResult:
        """As `analyze`, of a frame that is decoded already: uint8 (H, W, 3), blue, green, red."""
        detected = self.detect_faces(frame)
        height, width = frame.shape[:2]
        return FrameResult(source, width, height, self.analyze_faces(frame, detected))

    def detect_faces(self, frame: Frame) -> list[DetectedFace]:
        """The faces of a photo, uint8 (H, W, 3) BGR, from left to right, with landmarks if there is an aligner.

        A photo on its side or on its head is searched as a person would turn it, see ``rotate`` of the options; boxes
        and landmarks are those in the photo as it is.
        """
        check_frame(frame)
        rotate = self.options.rotate
        found = self._search(frame) if rotate in ("auto", 0) else []
        quarters = rotate // 90 if isinstance(rotate, int) else 0
        if rotate == "auto" and isinstance(self.aligner, TurnAligner):
            quarters = quarters_to_upright(frame, found, self.aligner, self._look)
        if quarters:
            height, width = frame.shape[:2]
            seen = self._search(turned(frame, quarters))
            found = [turned_back(face, quarters, width, height) for face in seen]
        return sorted(found, key=lambda face: face.box[0] + face.box[2] / 2)

    def _search(self, frame: Frame) -> list[DetectedFace]:
        detector = self.detector
        return self.align(
            frame, detector.detect_in_photo(frame) if isinstance(detector, PhotoDetector) else detector.detect(frame)
        )

    def _look(self, frame: Frame) -> list[DetectedFace]:
        detector = self.detector
        return self.align(
            frame, detector.detect_quickly(frame) if isinstance(detector, TwoLookDetector) else detector.detect(frame)
        )

    def align(self, frame: Frame, faces: Sequence[DetectedFace]) -> list[DetectedFace]:
        """The same faces with landmarks, if there is an aligner."""
        return list(faces) if self.aligner is None else self.aligner.align(frame, faces)

    def analyze_faces(self, frame: Frame, faces: Sequence[DetectedFace]) -> tuple[Face, ...]:
        """What `analyze` says of faces that are found and aligned already, in the same order."""
        answers = self.classify(frame, faces)
        return tuple(self.make_face(frame, face, row) for face, row in zip(faces, answers, strict=True))

    def classify(self, frame: Frame, faces: Sequence[DetectedFace], video: bool = False) -> list[Answer]:
        """Calibrated probabilities of the seven emotions, and how far people would disagree, for each face.

        Args:
            frame: uint8 (H, W, 3) BGR.
            faces: N aligned faces in it.
            video: Whether the frame is one of many, so that there is no time to lose; see ``mirror`` of the options.
        """
        return self.classify_from([(frame, face) for face in faces], video)

    def classify_from(self, faces: Sequence[tuple[Frame, DetectedFace]], video: bool = False) -> list[Answer]:
        """As `classify`, of faces of several frames, each with its frame."""
        return self.classify_crops([crop(frame, face, self.classifier.input_size) for frame, face in faces], video)

    def classify_crops(self, crops: Sequence[NDArray[np.uint8]], video: bool = False) -> list[Answer]:
        """As `classify`, of gray faces in FER-2013's framing, uint8, N of (S, S) with the classifier's input size."""
        return read_faces(self.classifier, crops, self.options.mirrors(video))

    def make_face(self, frame: Frame, face: DetectedFace, answer: Answer, track: int | None = None) -> Face:
        """What results say of a face.

        Args:
            frame: uint8 (H, W, 3) BGR.
            face: Where it was found.
            answer: What `classify` said of it.
            track: Its id, where faces are tracked.
        """
        probabilities = by_emotion(answer.probabilities)
        emotion = max(probabilities, key=lambda key: probabilities[key])
        confidence = probabilities[emotion]
        quality = quality_flags(frame, face)
        points: Any = face.landmarks and tuple((round(x, 1), round(y, 1)) for x, y in face.landmarks)
        return Face(
            box=clip_box(face.box, frame.shape[1], frame.shape[0]),
            score=round(face.score, 4),
            emotion=emotion,
            confidence=confidence,
            probabilities=probabilities,
            uncertain=confidence < self.uncertain_below or is_severe(quality),
            track=track,
            quality=quality,
            landmarks=points,
            angles=face.landmarks and head_angles(face.landmarks),
            ambiguity=None if answer.ambiguity is None else round(answer.ambiguity, 4),
        )


def _path(source: ImageSource) -> str:
    return os.fspath(source) if isinstance(source, str | os.PathLike) else ""


def by_emotion(answer: NDArray[np.floating]) -> dict[Emotion, float]:
    """Probabilities (7,) as results carry them: by emotion, to four digits."""
    return {emotion: round(float(p), 4) for emotion, p in zip(Emotion, answer, strict=True)}


def clip_box(box: tuple[float, float, float, float], width: int, height: int) -> tuple[int, int, int, int]:
    """Round a box to whole pixels inside a picture of the given size; it keeps at least one pixel."""
    left = min(max(round(box[0]), 0), width - 1)
    top = min(max(round(box[1]), 0), height - 1)
    right = min(max(round(box[0] + box[2]), left + 1), width)
    bottom = min(max(round(box[1] + box[3]), top + 1), height)
    return left, top, right - left, bottom - top


def load(options: AnalyzerOptions | None = None, **values: Unpack[OptionValues]) -> Analyzer:
    """Open the detector and the model that the options name.

    Args:
        options: How to read pictures; None for the defaults.
        **values: Fields of `AnalyzerOptions` to have otherwise, as in ``load(detector="haar", threads=1)``.

    Raises:
        OptionError: If an option is not possible, or there is no such model.
        ModelError: If a model is damaged.
    """
    options = make_options(options, **values)
    return Analyzer(
        create_detector(options.detector, options.device, options.threads, options.detect_size),
        LandmarkAligner(options.device, options.threads),
        open_classifier(options),
        options,
    )


def open_classifier(options: AnalyzerOptions) -> Classifier:
    """Open the model that the options name; raises as `load`."""
    if options.model.lower().endswith(SUFFIX):
        return LiteRtClassifier(Path(options.model), options.device, options.threads, options.precision)
    return EmotionClassifier(options.model, options.device, options.threads, options.precision)


def predict_emotion(source: ImageSource, **values: Unpack[OptionValues]) -> Face | None:
    """Read the largest face of a picture.

    Args:
        source: As for `Analyzer.analyze`.
        **values: As for `load`. An analyzer is opened for each set of options once and then kept.

    Returns:
        The face, with ``emotion``, ``confidence`` and ``probabilities``; None if the picture shows no face.

    Raises:
        ImageError: If the picture cannot be read.
        OptionError: As `load`.
    """
    return cached_analyzer(make_options(**values)).analyze(source).largest


@overload
def analyze_many(
    sources: ImageSources,
    *,
    workers: int = 0,
    errors: Literal["raise"] = "raise",
    **values: Unpack[OptionValues],
) -> Iterator[FrameResult]: ...


@overload
def analyze_many(
    sources: ImageSources, *, workers: int = 0, errors: Literal["return"], **values: Unpack[OptionValues]
) -> Iterator[FrameResult | ImageError]: ...


def analyze_many(
    sources: ImageSources,
    *,
    workers: int = 0,
    errors: Literal["raise", "return"] = "raise",
    **values: Unpack[OptionValues],
) -> Iterator[FrameResult | ImageError]:
    """Read many pictures with all cores; see `Analyzer.analyze_many`.

    Args:
        sources: One as for `Analyzer.analyze`, or several.
        workers: Pictures read side by side; 0 for one per core.
        errors: What to do about a picture that cannot be read: ``raise``, or ``return`` the error in its place.
        **values: As for `load`; ``threads`` is 1 unless given, because the workers share the cores.
    """
    analyzer = cached_analyzer(make_options(AnalyzerOptions(threads=1), **values))
    expect(str, errors=errors)
    if errors == "return":
        return analyzer.analyze_many(sources, workers=workers, errors=errors)
    return analyzer.analyze_many(sources, workers=workers, errors=errors)


def cached_analyzer(options: AnalyzerOptions) -> Analyzer:
    """The analyzer with these options, opened when it is first asked for."""
    # Threads that ask at the same time would each open one.
    with _OPENING:
        return _cached(options)


_OPENING = Lock()
_cached = lru_cache(maxsize=4)(load)
