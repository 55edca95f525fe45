"""The players that web pages use, in a real browser: with the right key they show the pictures, else none.

A page cannot read what an encrypted video shows, so the pictures are taken from the screen.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, Page

from video_pipeline.media import process
from video_pipeline.media.model import ProtectionPlan
from video_pipeline.media.protection import ContentKey
from video_pipeline_tests import key_server
from video_pipeline_tests.key_server import KEY, KEY_ID, WRONG, KeyServer
from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.release import Made

pytestmark = pytest.mark.browser
FRAME, RATE = 105, 25
"""In the second segment."""
HLS_JS = """
const hls = new Hls({ enableWorker: false, emeEnabled: %s,
                      drmSystems: { 'org.w3.clearkey': { licenseUrl: '%s' } } });
hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) errors.push(data.details) });
hls.loadSource('releases/r1/hls/master.m3u8'); hls.attachMedia(v);
"""
SHAKA = """
const player = new shaka.Player(), retryParameters = { maxAttempts: 1 };
player.configure({ drm: { clearKeys: %s, retryParameters }, streaming: { retryParameters },
                   manifest: { retryParameters } });
player.addEventListener('error', event => errors.push(event.detail.code));
player.attach(v).then(() => player.load('releases/r1/%s')).catch(error => errors.push(error.code));
"""
SEEK = """time => new Promise((done, fail) => { v.onerror = () => fail(new Error(v.error.message));
    v.onseeked = () => requestAnimationFrame(() => requestAnimationFrame(done));
    v.width = v.videoWidth; v.currentTime = time })"""
EVERY = pytest.mark.slow
CASES = [
    pytest.param("cenc", "Shaka, DASH", "own"),
    pytest.param("cbcs", "Shaka, HLS", "server"),
    pytest.param("cenc", "hls.js", "server"),
    pytest.param("aes-128", "hls.js", "server"),
    pytest.param("aes-128", "Shaka, HLS", "server", marks=EVERY),
    # From HLS, Shaka takes the server's key even if it is given one.
    pytest.param("cbcs", "Shaka, DASH", "own", marks=EVERY),
    pytest.param("cenc", "Shaka, HLS", "server", marks=EVERY),
    pytest.param("cenc", "Shaka, DASH", "server", marks=EVERY),
    pytest.param("cbcs", "Shaka, DASH", "server", marks=EVERY),
]
REFUSED = [
    pytest.param("cenc", "Shaka, DASH", "own", 200),
    pytest.param("cbcs", "Shaka, HLS", "server", 403),
    pytest.param("cbcs", "Shaka, HLS", "server", 200, marks=EVERY),
    pytest.param("cenc", "Shaka, DASH", "server", 403, marks=EVERY),
    pytest.param("cenc", "hls.js", "server", 200, marks=EVERY),
    pytest.param("cenc", "hls.js", "server", 403, marks=EVERY),
    pytest.param("aes-128", "hls.js", "server", 200),
    pytest.param("aes-128", "hls.js", "server", 403, marks=EVERY),
    pytest.param("aes-128", "Shaka, HLS", "server", 200, marks=EVERY),
    pytest.param("aes-128", "Shaka, HLS", "server", 403, marks=EVERY),
]


@pytest.fixture(scope="module")
def server() -> Iterator[KeyServer]:
    with key_server.running() as server:
        yield server


@pytest.fixture(autouse=True)
def _right_again(server: KeyServer) -> Iterator[None]:
    yield
    server.key, server.status = KEY, 200


@pytest.fixture(scope="module")
def sealed(made: Made, server: KeyServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Made]:
    """Scheme to the same release under it."""
    key = ContentKey("clip", KEY_ID, bytes.fromhex(KEY))
    plans = (
        ProtectionPlan(scheme="cenc", key_uri=server.key_uri, license_uri=server.license_uri),
        ProtectionPlan(scheme="aes-128", key_uri=server.key_uri),
        ProtectionPlan(scheme="cbcs", key_uri=server.key_uri, license_uri=server.license_uri),
    )
    return {plan.scheme: made.protected(plan, key, tmp_path_factory.mktemp(plan.scheme)) for plan in plans}


def script(player: str, scheme: str, server: KeyServer, own: str | None) -> dict[str, str]:
    if player == "hls.js":
        return {"hls.js": HLS_JS % (str(scheme == "cenc").lower(), server.license_uri)}
    path = {"DASH": "dash/manifest.mpd", "HLS": "hls/master.m3u8"}[player.split()[1]]
    return {"Shaka": SHAKA % (f"{{ '{KEY_ID}': '{own}' }}" if own else "{}", path)}


def seen(page: Page) -> NDArray[np.int16]:
    """The pixels of the video on the screen."""
    png = page.locator("#v").screenshot()
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.int16)


def decoded(made: Made, height: int) -> NDArray[np.int16]:
    """The frame as ffmpeg decodes it from what was never encrypted."""
    path = made.encoded[f"h264-{height}p"]
    argv: list[str | Path] = [made.tools.ffmpeg, "-v", "error", "-i", path, "-vf", f"select=eq(n\\,{FRAME})"]
    raw = process.run([*argv, "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]).stdout
    return np.frombuffer(raw, np.uint8).reshape(height, -1, 3).astype(np.int16)


@pytest.mark.parametrize(("scheme", "player", "source"), CASES)
def test_the_right_key_plays(
    browser: Browser, sealed: dict[str, Made], server: KeyServer, scheme: str, player: str, source: str, tmp_path: Path
) -> None:
    asked = len(server.asked)
    starts = script(player, scheme, server, KEY if source == "own" else None)
    with loaded(browser, sealed[scheme], tmp_path, next(iter(starts)), starts) as page:
        assert page.evaluate("() => errors") == []
        page.evaluate(SEEK, (FRAME + 0.5) / RATE)
        shown = seen(page)
        off = np.abs(shown - decoded(sealed[scheme], shown.shape[0])).mean()
        assert off < 4, f"the picture is off by {off:.1f} of 255"
        page.evaluate("() => v.play()")
        page.wait_for_function(f"() => errors.length || v.currentTime > {FRAME / RATE + 0.5}")
        assert page.evaluate("() => errors") == []
        assert page.evaluate("() => v.webkitAudioDecodedByteCount") > 1000
    assert (len(server.asked) > asked) is (source == "server")


@pytest.mark.parametrize(("scheme", "player", "source", "status"), REFUSED)
def test_without_the_right_key_nothing_is_shown(
    browser: Browser,
    sealed: dict[str, Made],
    server: KeyServer,
    scheme: str,
    player: str,
    source: str,
    status: int,
    tmp_path: Path,
) -> None:
    server.key, server.status = WRONG, status
    starts = script(player, scheme, server, WRONG if source == "own" else None)
    with loaded(browser, sealed[scheme], tmp_path, next(iter(starts)), starts) as page:
        page.wait_for_function("() => errors.length")
        page.evaluate("() => { v.play().catch(() => {}) }")
        assert page.evaluate("() => v.currentTime") == 0
        assert seen(page).std() == 0
