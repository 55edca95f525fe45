"""Every player goes where it is told, and from rung to rung, and then shows the right frame.

Each frame of the clip has its number written into it, as bars of black and white.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.release import Made
from video_pipeline_tests.media.test_playback import SEEK

pytestmark = pytest.mark.browser
SECONDS, RATE, BITS = 12, 25, 9
HEIGHTS = [240, 360, 480]
HLS_JS = """
const hls = new Hls({ enableWorker: false, startLevel: 0 });
hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) errors.push(data.details) });
hls.loadSource('releases/r1/hls/master.m3u8'); hls.attachMedia(v);
const choose = height => { hls.currentLevel = hls.levels.findIndex(level => level.height === height) };
"""
SHAKA = """
const player = new shaka.Player();
player.configure({ abr: { enabled: false } });
player.addEventListener('error', event => errors.push(event.detail.code));
player.attach(v).then(() => player.load('releases/r1/dash/manifest.mpd')).catch(error => errors.push(error.code));
const choose = height => player.selectVariantTrack(player.getVariantTracks().find(t => t.height === height), true);
"""
DASH_JS = """
const player = dashjs.MediaPlayer().create();
player.updateSettings({ debug: { logLevel: 0 }, streaming: { abr: { autoSwitchBitrate: { video: false } } } });
player.on(dashjs.MediaPlayer.events.ERROR, event => errors.push(event.error.message));
player.initialize(v, 'releases/r1/dash/manifest.mpd', false);
const choose = height => { const all = player.getRepresentationsByType('video');
    player.setRepresentationForTypeByIndex('video', all.findIndex(one => one.height === height), true) };
"""
NATIVE = """
v.addEventListener('error', () => errors.push(v.error.message));
v.src = 'releases/r1/hls/master.m3u8';
"""
STARTS = {"hls.js": HLS_JS, "Shaka": SHAKA, "dash.js": DASH_JS, "native": NATIVE}
FRAME = f"""() => {{ const c = document.createElement('canvas'); c.width = {BITS * 10}; c.height = 10;
    const d = c.getContext('2d'); d.drawImage(v, 0, 0, c.width, c.height);
    let number = 0;
    for (let n = 0; n < {BITS}; n++) if (d.getImageData(n * 10 + 5, 5, 1, 1).data[1] > 128) number += 1 << n;
    return number }}"""
MOMENTS = {
    "forward into the last segment": 9.98,
    "back into the first": 1.02,
    "to a border of segments": 4.0,
    "one frame before it": 3.96,
    "to the last border": 8.0,
    "to the last frame": 11.97,
    "to the beginning": 0.0,
}


@pytest.fixture(scope="module")
def numbered(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """12 s in three renditions and sound: three segments."""
    directory = tmp_path_factory.mktemp("numbered")
    bars = f"16+219*mod(floor(N/pow(2,floor(X*{BITS}/W))),2)"
    light = f"color=gray:size={BITS * 8}x32:rate={RATE}:duration={SECONDS},format=yuv420p"
    light += f",geq=lum='{bars}':cb=128:cr=128,scale=854:480:flags=neighbor,setsar=1"
    inputs = ["-f", "lavfi", "-i", light, "-f", "lavfi", "-i", f"sine=440:duration={SECONDS}"]
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"]
    release.run_ffmpeg(tools, *inputs, *encoder, directory / "numbered.mp4")
    made = release.make(tools, directory / "numbered.mp4", directory)
    assert [rung.height for rung in reversed(made.plan.rungs)] == HEIGHTS
    return made


@pytest.fixture(params=STARTS)
def page(browser: Browser, numbered: Made, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    with loaded(browser, numbered, tmp_path, request.param, STARTS) as page:
        yield page


def assert_shown(page: Page, time: float, why: str) -> None:
    page.evaluate(SEEK, time)
    due = int(time * RATE + 0.01)
    page.wait_for_function(f"due => errors.length || ({FRAME})() === due", arg=due, timeout=15_000)
    assert page.evaluate(FRAME) == due, why
    assert page.evaluate("() => errors") == [], why


def test_a_player_goes_where_it_is_told_and_from_rung_to_rung(page: Page) -> None:
    for why, time in MOMENTS.items():
        assert_shown(page, time, why)
    switches = page.evaluate("() => typeof choose === 'function'")
    for number, height in enumerate([*HEIGHTS, *reversed(HEIGHTS[:-1])] if switches else []):
        # In mid-play: what is buffered of the old rung gives way, and the new one goes on from there.
        page.evaluate("() => v.play()")
        page.evaluate("height => choose(height)", height)
        page.wait_for_function("height => errors.length || v.videoHeight === height", arg=height)
        page.evaluate("() => { window.before = v.currentTime }")
        page.wait_for_function("() => errors.length || v.currentTime > before + 0.2")
        page.evaluate("() => v.pause()")
        assert_shown(page, 1.02 + 2.4 * number, f"after the switch to {height}p")
        assert page.evaluate("() => v.videoHeight") == height
    page.evaluate(SEEK, SECONDS - 1.0)
    page.evaluate("() => v.play()")
    page.wait_for_function("() => errors.length || v.ended")
    assert page.evaluate("() => errors") == []
    assert page.evaluate("() => v.currentTime") == pytest.approx(SECONDS, abs=0.1)
