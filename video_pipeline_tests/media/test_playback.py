"""A real browser plays what was packaged: Chromium's own HLS player, over HTTP with byte ranges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.range_server import serve
from video_pipeline_tests.media.release import Made

pytestmark = pytest.mark.browser
SECONDS = 8
PAGE = """<!doctype html><html><head><link rel="icon" href="data:,"></head>
<body><video id="v" muted src="{address}" width="640"></video></body></html>"""
STATE = """() => { const v = document.getElementById('v'); return {
    time: v.currentTime, duration: v.duration, ended: v.ended, error: v.error && v.error.message,
    width: v.videoWidth, height: v.videoHeight, frames: v.getVideoPlaybackQuality().totalVideoFrames,
    audio: v.webkitAudioDecodedByteCount } }"""
BRIGHTNESS = """() => { const v = document.getElementById('v'), c = document.createElement('canvas');
    c.width = c.height = 8; const d = c.getContext('2d'); d.drawImage(v, 0, 0, 8, 8);
    const p = d.getImageData(0, 0, 8, 8).data; let sum = 0;
    for (let n = 0; n < p.length; n += 4) sum += p[n] + p[n + 1] + p[n + 2];
    return sum / (p.length / 4) / 3 }"""
SEEK = """time => new Promise((done, fail) => { const v = document.getElementById('v');
    v.onerror = () => fail(new Error(v.error.message)); v.onseeked = () => requestAnimationFrame(done);
    v.currentTime = time })"""


@pytest.fixture(scope="module")
def played(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """8 s whose brightness tells the time: from near black to near white."""
    directory = tmp_path_factory.mktemp("played")
    clip = directory / "ramp.mp4"
    light = f"color=gray:size=640x360:rate=25:duration={SECONDS},format=yuv420p,geq=lum='25+25*T':cb=128:cr=128"
    inputs = ["-f", "lavfi", "-i", light, "-f", "lavfi", "-i", f"sine=440:duration={SECONDS}"]
    release.run_ffmpeg(tools, *inputs, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", clip)
    made = release.make(tools, clip, directory)
    made.place(directory / "site")
    return made


@pytest.fixture(scope="module")
def address(played: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    site = next(iter(played.media.values())).parent.parent / "site"
    (site / "play.html").write_text(PAGE.format(address="releases/r1/hls/master.m3u8"))
    with serve(site) as url:
        yield url


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(30_000)
    yield page
    page.close()


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(STATE)
    return found


def test_it_plays_to_the_end(page: Page, address: str) -> None:
    refused: list[str] = []
    page.on("response", lambda response: refused.append(response.url) if response.status >= 400 else None)
    page.goto(f"{address}/play.html")
    page.evaluate("() => document.getElementById('v').play()")
    page.wait_for_function("() => document.getElementById('v').currentTime > 5")
    half = state(page)
    assert (half["width"], half["height"]) in {(640, 360), (426, 240)}
    assert half["frames"] > 60
    assert half["audio"] > 10_000
    page.wait_for_function("() => document.getElementById('v').ended")
    end = state(page)
    assert end["error"] is None
    assert end["time"] == pytest.approx(SECONDS, abs=0.1)
    assert end["duration"] == pytest.approx(SECONDS, abs=0.1)
    assert refused == []


@pytest.mark.parametrize("time", [7.5, 1.1, 5.98, 4.0])
def test_it_shows_the_picture_of_the_time_sought(page: Page, address: str, time: float) -> None:
    page.goto(f"{address}/play.html")
    page.wait_for_function("() => document.getElementById('v').readyState >= 2")
    page.evaluate(SEEK, time)
    assert state(page)["error"] is None
    assert state(page)["time"] == pytest.approx(time, abs=0.01)
    luma = 25 + 25 * time  # of 16 to 235
    assert page.evaluate(BRIGHTNESS) == pytest.approx((luma - 16) * 255 / 219, abs=5)


def test_it_goes_on_from_where_it_was_put(page: Page, address: str) -> None:
    page.goto(f"{address}/play.html")
    page.wait_for_function("() => document.getElementById('v').readyState >= 2")
    page.evaluate(SEEK, 4.5)
    page.evaluate("() => document.getElementById('v').play()")
    page.wait_for_function("() => document.getElementById('v').currentTime > 5.5")
    assert state(page)["error"] is None


def test_the_download_plays_as_a_plain_file(page: Page, played: Made, tmp_path: Path) -> None:
    """Progressive: no manifest, no script; the browser seeks in it by byte ranges."""
    saved = played.with_download("h264-360p", tmp_path).saved
    assert saved is not None
    (tmp_path / "play.html").write_text(PAGE.format(address=saved.name))
    with serve(tmp_path) as url:
        page.goto(f"{url}/play.html")
        page.wait_for_function("() => document.getElementById('v').readyState >= 2")
        page.evaluate(SEEK, 6.3)
        assert page.evaluate(BRIGHTNESS) == pytest.approx((25 + 25 * 6.3 - 16) * 255 / 219, abs=5)
        page.evaluate("() => document.getElementById('v').play()")
        page.wait_for_function("() => document.getElementById('v').ended")
    end = state(page)
    assert end["error"] is None
    assert (end["width"], end["height"]) == (640, 360)
    assert end["duration"] == end["time"] == pytest.approx(SECONDS, abs=0.03)
    assert end["audio"] > 10_000


def test_a_missing_file_is_an_error_that_is_seen(page: Page, played: Made, tmp_path: Path) -> None:
    """So that the absence of an error above means something."""
    played.place(tmp_path)
    for path in (tmp_path / "media").iterdir():
        path.unlink()
    (tmp_path / "play.html").write_text(PAGE.format(address="releases/r1/hls/master.m3u8"))
    with serve(tmp_path) as url:
        page.goto(f"{url}/play.html")
        page.wait_for_function("() => document.getElementById('v').error !== null")
    assert state(page)["error"]
