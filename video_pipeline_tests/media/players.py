"""A page of each of the players that web pages use, with a release loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page

from video_pipeline_tests.media.range_server import serve
from video_pipeline_tests.media.release import Made
from video_pipeline_tests.node.install import install

SCRIPTS = {
    "hls.js": "hls.js/dist/hls.min.js",
    "Shaka": "shaka-player/dist/shaka-player.compiled.js",
    "dash.js": "dashjs/dist/modern/umd/dash.all.min.js",
}
"""Chromium's own player needs none."""
FRAME = """<!doctype html><html><head><link rel="icon" href="data:,"><script src="player.js"></script></head>
<body><video id="v" muted width="320"></video><script>
const v = document.getElementById('v'), errors = [];
{start}
</script></body></html>"""


@contextmanager
def loaded(browser: Browser, made: Made, site: Path, player: str, starts: Mapping[str, str]) -> Iterator[Page]:
    """The page, once the player shows a picture or an error.

    Args:
        site: an empty directory.
        starts: player to what its page runs; it finds the video as `v` and may add to `errors`.
    """
    made.place(site)
    (site / "player.js").write_bytes((install() / SCRIPTS[player]).read_bytes() if player in SCRIPTS else b"")
    (site / "play.html").write_text(FRAME.format(start=starts[player]))
    page = browser.new_page()
    page.set_default_timeout(30_000)
    with serve(site) as url:
        page.goto(f"{url}/play.html")
        page.wait_for_function("() => v.readyState >= 2 || errors.length")
        yield page
    page.close()
