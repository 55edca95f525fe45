"""The time line of the watch page in a real browser: what is shown at a time is the picture the source shows then."""

from __future__ import annotations

import dataclasses
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

from video_pipeline import presets
from video_pipeline.media import probe, sprites
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline.stores import releases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.media import encoding
from video_pipeline_tests.stores.drafts import draft

pytestmark = [pytest.mark.browser, pytest.mark.media]
SECONDS = 24.023
"""Of the clip; it has several scenes."""


@pytest.fixture(scope="module")
def clip(media: Path) -> Path:
    return media / "natural" / "scenes_720p2997_24s.mp4"


@pytest.fixture
def published(tools: Tools, clip: Path, store: LocalStore, tmp_path: Path) -> LocalStore:
    """The clip's sprites in a release."""
    plan = make_plan(probe.probe(tools, clip), "0" * 64, presets.load("draft"))
    small = plan.rungs[-1]
    encoding.encode(tools, clip, plan, (small,), tmp_path)
    made = sprites.make(tools, tmp_path / f"{small.name}.mp4", plan, tmp_path)
    sheets = {f"sprites/{path.name}": path.read_bytes() for path in tmp_path.glob("sheet-*.jpg")}
    one = draft(store, "one")
    releases.publish(
        store, dataclasses.replace(one, files={**one.files, **sheets, "sprites/sprites.vtt": made.vtt.encode()})
    )
    return store


def shown_at(tools: Tools, clip: Path, time: float, size: tuple[int, int]) -> np.ndarray:
    """The source's picture at a time, decoded by ffmpeg alone."""
    scaled = f"scale={size[0]}:{size[1]}:flags=area,format=rgb24"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-ss", f"{time:.3f}", "-i", str(clip), "-frames:v", "1"]
    raw = subprocess.run([*argv, "-vf", scaled, "-f", "rawvideo", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(size[1], size[0], 3).astype(np.int16)


def test_what_hovers_is_the_picture_of_that_time_and_a_press_seeks(
    tools: Tools, clip: Path, published: LocalStore, url: str, browser: Browser
) -> None:
    page = browser.new_page(viewport={"width": 1000, "height": 900})
    page.set_default_timeout(30_000)
    page.goto(f"{url}/watch/film")
    line, figure = page.get_by_label("Seek"), page.locator("#scrubber figure")
    line.wait_for()
    assert figure.is_hidden()
    box = line.bounding_box()
    assert box is not None
    every = [shown_at(tools, clip, n * 2.002 + 0.001, (160, 90)) for n in range(12)]
    for share in (0.002, 0.13, 0.3, 0.52, 0.71, 0.9, 0.998):
        page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        time = share * SECONDS
        assert figure.locator("figcaption").inner_text() == f"0:{int(time):02}"
        place = figure.bounding_box()
        assert place is not None
        assert place["x"] >= box["x"] - 1
        assert place["x"] + place["width"] <= box["x"] + box["width"] + 3
        sheet = figure.locator("div")
        page.wait_for_function(
            """div => {
                const sheet = Object.assign(new Image(), {src: div.style.backgroundImage.slice(5, -2)});
                return sheet.decode().then(() => true);
            }""",
            arg=sheet.element_handle(),
        )
        picture = Image.open(io.BytesIO(sheet.screenshot())).convert("RGB")
        # What begins between two pixels is drawn from the nearest one on, and the screenshot holds both.
        extra = (picture.width - 160, picture.height - 90)
        hovered = [
            np.asarray(picture.crop((x, y, x + 160, y + 90)), np.int16)
            for x in range(extra[0] + 1)
            for y in range(extra[1] + 1)
        ]
        off = [min(float(np.abs(drawn - one).mean()) for drawn in hovered) for one in every]
        # Some scenes come again.
        assert off[int(time / 2.002)] < min(off) + 1, off
        assert off[int(time / 2.002)] < 6, off
        assert max(off) > 40, off
    page.mouse.move(5, 5)
    assert figure.is_hidden()
    page.evaluate(
        "Object.defineProperty(document.querySelector('video'), 'currentTime', {set(to) { window.to = to; }})"
    )
    for share in (0.02, 0.65, 0.98):
        page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
        assert page.evaluate("window.to") == pytest.approx(share * SECONDS, abs=0.05)
    line.press("End")
    assert page.evaluate("window.to") == pytest.approx(SECONDS, abs=0.01)
    page.close()
