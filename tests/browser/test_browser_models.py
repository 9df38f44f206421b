"""The page Model in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mien.classification.model_config import find_model, load_config

if TYPE_CHECKING:
    from playwright.sync_api import Page

Visit = Callable[..., "Page"]


def test_the_model_page_describes_a_model_before_it_is_used(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("/model")
    shares = [
        f"{load_config(find_model(name)).figures['publictest_accuracy']:.0%}" for name in ("mien-2", "mien-2-tiny")
    ]
    assert shares[0] != shares[1]
    accuracy = page.locator(".mien-figures > div:first-child strong")
    expect(accuracy).to_have_text(shares[0])
    page.get_by_role("combobox").click()
    page.get_by_role("option", name="mien-2-tiny").click()
    expect(accuracy).to_have_text(shares[1])
    expect(page.get_by_role("button", name="Use this model")).to_be_enabled()


def test_the_model_page_shows_the_card_and_refuses_a_wrong_folder(visit: Visit, tmp_path: Path) -> None:
    page = visit("/model")
    page.get_by_text("How sure is sure").wait_for()
    assert page.locator(".mien-recall .mien-bar").count() == 7
    limit = f"{100 * load_config(find_model('mien-2')).uncertain_below:.0f}%"
    assert page.get_by_text(f"An answer below {limit} has a question mark").is_visible()
    page.get_by_text("The model card").click()
    page.get_by_text("What it must not be used for").wait_for()
    assert page.locator(".mien-figures").get_by_text("right on FER-2013", exact=True).is_visible()

    def use(folder: Path) -> None:
        page.get_by_role("textbox", name="Folder").fill(str(folder))
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Use this model").click()

    page.get_by_role("combobox").click()
    page.get_by_text("A folder of my own").click()
    use(tmp_path / "nowhere")
    page.get_by_text("no such model; expected a folder with model.onnx and config.json").wait_for()
    broken = tmp_path / "broken"
    shutil.copytree(find_model("mien-2"), broken)
    for network in broken.glob("*.onnx"):
        network.write_bytes(b"not a network")
    use(broken)
    page.locator("[data-testid=stAlert]").get_by_text("broken").wait_for()
    page.get_by_text("Still using mien-2").wait_for()
    mine = tmp_path / "mine"
    shutil.copytree(find_model("mien-2"), mine)
    use(mine)
    page.get_by_text(f"Using {mine} from now on").wait_for()
