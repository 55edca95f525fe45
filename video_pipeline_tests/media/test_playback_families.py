"""The players that web pages use, in a browser that decodes H.264, VP9 and AV1 but not HEVC: they leave that out,
choose one of the others by themselves, and play each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from video_pipeline.media import hls
from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.range_server import serve
from video_pipeline_tests.media.release import Made

pytestmark = pytest.mark.browser
HLS_JS = """
const hls = new Hls({ enableWorker: false });
hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal) errors.push(data.details) });
hls.loadSource('releases/r1/hls/master.m3u8'); hls.attachMedia(v);
const all = () => hls.levels.map(l => l.videoCodec);
const current = () => hls.levels[hls.currentLevel]?.videoCodec;
const choose = codec => { hls.currentLevel = hls.levels.findIndex(l => l.videoCodec.startsWith(codec)) };
"""
SHAKA = """
const player = new shaka.Player();
player.addEventListener('error', event => errors.push(event.detail.code));
const MANIFEST = 'releases/r1/ADDRESS';
player.attach(v).then(() => player.load(MANIFEST)).catch(error => errors.push(error.code));
const all = () => player.getVariantTracks().map(t => t.videoCodec);
const current = () => player.getVariantTracks().find(t => t.active)?.videoCodec;
const choose = codec => { player.configure({ preferredVideoCodecs: [codec] }); return player.load(MANIFEST) };
"""
STARTS = {
    "hls.js": HLS_JS,
    "Shaka, DASH": SHAKA.replace("ADDRESS", "dash/manifest.mpd"),
    "Shaka, HLS": SHAKA.replace("ADDRESS", "hls/master.m3u8"),
}


@pytest.fixture(params=STARTS)
def page(browser: Browser, families: Made, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    player = request.param.split(",")[0]
    with loaded(browser, families, tmp_path, player, {player: STARTS[request.param]}) as page:
        yield page


def plays_on(page: Page) -> None:
    """The picture moves: more frames of it are shown."""
    page.evaluate("() => { v.play(); window.before = v.getVideoPlaybackQuality().totalVideoFrames }")
    page.wait_for_function("() => errors.length || v.getVideoPlaybackQuality().totalVideoFrames > before + 10")


def test_it_chooses_what_the_browser_decodes(page: Page) -> None:
    plays_on(page)
    assert page.evaluate("() => errors") == []
    assert not [codec for codec in page.evaluate("() => all()") if codec.startswith(("hvc1", "hev1"))]
    print("chosen:", page.evaluate("() => current()"), "of", page.evaluate("() => all()"))
    assert page.evaluate("() => current()").startswith(("avc1", "vp09", "av01"))


@pytest.mark.parametrize("codec", ["av01", "vp09", "avc1"])
def test_each_plays_where_it_is_asked_for(page: Page, codec: str) -> None:
    page.evaluate("codec => choose(codec)", codec)
    page.evaluate("() => v.play()")
    page.wait_for_function("codec => errors.length || current()?.startsWith(codec)", arg=codec)
    plays_on(page)
    assert page.evaluate("() => errors") == []
    assert page.evaluate("() => current()").startswith(codec)


NATIVE = """<!doctype html><html><head><link rel="icon" href="data:,"></head>
<body><video id="v" muted src="releases/r1/hls/master.m3u8"></video></body></html>"""


def played_by_itself(browser: Browser, made: Made, site: Path) -> None:
    master = made.place(site) / "hls" / "master.m3u8"
    master.write_text(hls.one_family(master.read_text("utf-8")), "utf-8")
    (site / "play.html").write_text(NATIVE)
    page = browser.new_page()
    page.set_default_timeout(30_000)
    with serve(site) as url:
        page.goto(f"{url}/play.html")
        page.evaluate("() => { document.getElementById('v').play() }")
        page.wait_for_function("() => v.error || v.ended")
        assert page.evaluate("() => v.error && v.error.message") is None
        shown = page.evaluate("() => v.getVideoPlaybackQuality().totalVideoFrames")
        assert shown > made.plan.frames * 0.5
    page.close()


def test_the_browser_itself_plays_one_family(browser: Browser, families: Made, tmp_path: Path) -> None:
    """Without a script, as the watch page does; it cannot change the codec while it plays."""
    played_by_itself(browser, families, tmp_path)
