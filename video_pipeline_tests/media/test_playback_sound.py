"""The players that web pages use, in a real browser: they start with the default sound and play every other one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.release import Made

pytestmark = pytest.mark.browser
HLS_JS = """
const hls = new Hls({ enableWorker: false });
hls.on(Hls.Events.ERROR, (_, data) => errors.push(data.details));
hls.loadSource('releases/r1/hls/master.m3u8'); hls.attachMedia(v);
const tracks = () => hls.audioTracks.map(t => [t.name, t.lang, Number(t.channels)]);
const current = () => hls.audioTracks[hls.audioTrack].name;
const choose = n => { hls.audioTrack = n };
"""
SHAKA = """
const player = new shaka.Player();
player.configure({ abr: { enabled: false } });
player.addEventListener('error', event => errors.push(event.detail.code));
player.attach(v).then(() => player.load('releases/r1/dash/manifest.mpd')).catch(error => errors.push(error.code));
const found = () => { const all = player.getVariantTracks().sort((a, b) => a.audioId - b.audioId);
    return all.filter(t => t.height === Math.min(...all.map(t => t.height))) };
const tracks = () => found().map(t => [t.label, t.language, t.channelsCount]);
const current = () => player.getVariantTracks().find(t => t.active).label;
const choose = n => player.selectVariantTrack(found()[n], true);
"""
STARTS = {"hls.js": HLS_JS, "Shaka": SHAKA}
TRACKS = [
    ["English", "en", 2],
    ["English (7.1)", "en", 8],
    ["Deutsch", "de", 2],
    ["Deutsch (5.1)", "de", 6],
    ["Commentaire", "fr", 2],
]


@pytest.fixture(scope="module")
def heard(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """7.1 in English, 5.1 in German and a commentary in French."""
    directory = tmp_path_factory.mktemp("heard")
    clip = directory / "heard.mkv"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=12"]
    maps, tags = ["-map", "0"], ["-metadata:s:a:2", "title=Commentaire"]
    for n, (layout, language) in enumerate((("7.1", "eng"), ("5.1", "ger"), ("stereo", "fre"))):
        tone = f"sine={500 + 200 * n}:sample_rate=48000:duration=12,aformat=channel_layouts={layout}"
        inputs += ["-f", "lavfi", "-i", tone]
        maps += ["-map", f"{n + 1}"]
        tags += [f"-metadata:s:a:{n}", f"language={language}"]
    release.run_ffmpeg(tools, *inputs, *maps, "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", *tags, clip)
    return release.make(tools, clip, directory)


@pytest.fixture(params=STARTS)
def page(browser: Browser, heard: Made, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    with loaded(browser, heard, tmp_path, request.param, STARTS) as page:
        yield page


def test_every_sound_plays(page: Page) -> None:
    assert page.evaluate("() => tracks()") == TRACKS
    assert page.evaluate("() => current()") == "English"
    page.evaluate("() => v.play()")
    for number, (label, _, _) in enumerate(TRACKS):
        page.evaluate("n => choose(n)", number)
        page.wait_for_function("label => current() === label", arg=label)
        page.evaluate("() => { window.before = [v.currentTime, v.webkitAudioDecodedByteCount] }")
        page.wait_for_function(
            "() => errors.length || v.currentTime > before[0] + 0.5 && v.webkitAudioDecodedByteCount > before[1] + 5000"
        )
    assert page.evaluate("() => errors") == []
