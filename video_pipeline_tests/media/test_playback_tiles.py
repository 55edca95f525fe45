"""Players that know tiles, in a real browser: where they say that the picture of a time is, there it is."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from video_pipeline.media import manifests
from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.release import SMALL, Made

pytestmark = pytest.mark.browser
ADDRESSES = {
    "DASH": "releases/r1/dash/manifest.mpd",
    "HLS": "releases/r1/hls/master.m3u8",
    "DASH at the stable address": "manifest.mpd",
    "HLS at the stable address": "master.m3u8",
    "HLS in one family": "plain.m3u8",
}
SHAKA = """
const player = new shaka.Player();
player.addEventListener('error', event => errors.push(event.detail.code));
const open = address => player.attach(v).then(() => player.load(address)).catch(error => errors.push(error.code));
const tracks = () => player.getImageTracks().map(t => ({
    width: t.width, height: t.height, mimeType: t.mimeType }));
const tile = async time => { const t = await player.getThumbnails(player.getImageTracks()[0].id, time);
    return t && { url: t.uris[0], x: t.positionX, y: t.positionY, width: t.width, height: t.height,
        start: t.startTime, duration: t.duration, whole: [t.imageWidth, t.imageHeight] } };
open('releases/r1/dash/manifest.mpd');
"""
DASH_JS = """
const player = dashjs.MediaPlayer().create();
player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE } });
player.on('error', event => errors.push(event.error && event.error.code || 'error'));
player.initialize(v, 'releases/r1/dash/manifest.mpd', false);
const tile = time => new Promise(done => player.provideThumbnail(time, done));
"""
STARTS = {"Shaka": SHAKA, "dash.js": DASH_JS}
TIMES = [0, 0.39, 0.41, 1.99, 2.4, 3.7, 5.59, 5.61, 5.99]
"""Around the edges of tiles of 0.4 s and of sheets of 2.4 s."""


@pytest.fixture(scope="module")
def frames(made: Made) -> NDArray[np.int16]:
    """All of the small rendition in the size of a tile, by ffmpeg."""
    argv = [str(made.tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(made.media[SMALL])]
    argv += ["-vf", "scale=160:90", "-pix_fmt", "rgb24", "-f", "rawvideo", "-"]
    raw = subprocess.run(argv, check=True, capture_output=True, timeout=60).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, 90, 160, 3).astype(np.int16)


def page_of(browser: Browser, made: Made, site: Path, player: str) -> Iterator[Page]:
    texts = made.streams.texts
    (site / "master.m3u8").write_text(manifests.pointer_master(texts[manifests.MASTER], "r1"))
    (site / "plain.m3u8").write_text(manifests.pointer_plain(texts[manifests.MASTER], "r1"))
    (site / "manifest.mpd").write_text(manifests.pointer_mpd(texts[manifests.MPD], "r1"))
    with loaded(browser, made, site, player, STARTS) as page:
        yield page


@pytest.fixture(scope="module")
def shaka(browser: Browser, made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    yield from page_of(browser, made, tmp_path_factory.mktemp("shaka"), "Shaka")


@pytest.fixture(scope="module")
def dash_js(browser: Browser, made: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    yield from page_of(browser, made, tmp_path_factory.mktemp("dashjs"), "dash.js")


def shown(tile: dict[str, Any], frames: NDArray[np.int16]) -> int:
    """The frame that looks most like a tile as the player describes it, of those that tiles show."""
    with urlopen(tile["url"], timeout=10) as answer:
        sheet = Image.open(io.BytesIO(answer.read())).convert("RGB")
    assert sheet.size == (480, 180)
    x, y, width, height = (round(tile[name]) for name in ("x", "y", "width", "height"))
    assert (width, height) == (160, 90)
    picture = np.asarray(sheet.crop((x, y, x + width, y + height)), np.int16)
    off = np.abs(frames[::10] - picture).mean(axis=(1, 2, 3))
    assert off.min() < 8
    return 10 * int(off.argmin())


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_shaka_shows_the_tile_of_the_time(shaka: Page, frames: NDArray[np.int16], address: str) -> None:
    shaka.evaluate("address => open(address)", address)
    assert len(shaka.evaluate("() => tracks()")) == 1
    for time in TIMES:
        tile = shaka.evaluate("time => tile(time)", time)
        assert tile["whole"] == [480, 180]
        assert tile["start"] == pytest.approx(int(time / 0.4 + 1e-6) * 0.4, abs=1e-3), time
        assert tile["duration"] == pytest.approx(0.4)
        assert shown(tile, frames) == round(25 * tile["start"]), (time, tile)
    # Of HLS it knows a tile's size only once it has read the playlist of images.
    assert shaka.evaluate("() => tracks()") == [{"width": 160, "height": 90, "mimeType": "image/jpeg"}]
    assert shaka.evaluate("() => errors") == []


def test_dash_js_shows_the_tile_of_the_time(dash_js: Page, frames: NDArray[np.int16]) -> None:
    for time in TIMES:
        tile = dash_js.evaluate("time => tile(time)", time)
        assert shown(tile, frames) == 10 * int(time / 0.4 + 1e-6), (time, tile)
    assert dash_js.evaluate("() => errors") == []
