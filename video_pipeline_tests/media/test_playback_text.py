"""The players that web pages use, in a real browser: they list the text tracks and show the right cue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from video_pipeline_tests.media.players import loaded
from video_pipeline_tests.media.release import Made
from video_pipeline_tests.media.test_playback import SEEK

pytestmark = pytest.mark.browser
HLS_JS = """
const hls = new Hls({ enableWorker: false });
hls.on(Hls.Events.ERROR, (_, data) => errors.push(data.details));
hls.loadSource('releases/r1/hls/master.m3u8'); hls.attachMedia(v);
const tracks = () => hls.subtitleTracks.map(t => ({
    language: t.lang, label: t.name, main: t.default, forced: t.forced }));
const text = cue => cue.getCueAsHTML().textContent;
const choose = n => { hls.subtitleDisplay = true; hls.subtitleTrack = n };
"""
SHAKA = """
const player = new shaka.Player();
player.addEventListener('error', event => errors.push(event.detail.code));
const ready = player.attach(v).then(() => player.load('releases/r1/dash/manifest.mpd'));
ready.catch(error => errors.push(error.code));
const found = () => player.getTextTracks().sort((a, b) => a.id - b.id);
const tracks = () => found().map(t => ({
    language: t.language, label: t.label, main: t.roles.includes('main'), forced: t.forced }));
// Shaka takes the escapes away before the browser gets the cue.
const text = cue => cue.text.replace(/<\\/?[biu]>/g, '');
const choose = async n => { await player.selectTextTrack(found()[n]) };
"""
SHOWN = """() => [...v.textTracks].filter(t => t.mode !== 'disabled').flatMap(t => [...(t.activeCues || [])])
    .map(text)"""
STARTS = {"hls.js": HLS_JS, "Shaka": SHAKA}


@pytest.fixture(params=STARTS)
def page(browser: Browser, worded: Made, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    with loaded(browser, worded, tmp_path, request.param, STARTS) as page:
        yield page


def value(page: Page, expression: str) -> Any:
    return page.evaluate(f"() => {expression}")


def test_the_tracks_are_listed_and_shown_at_their_time(page: Page) -> None:
    assert value(page, "tracks()") == [
        {"language": "en", "label": "English", "main": False, "forced": False},
        {"language": "fr", "label": "Français", "main": True, "forced": False},
    ]
    moments = {
        0: {0.2: [], 1.0: ["Hello wörld & co"], 1.7: ["5 < 6\nsecond line"], 2.5: [], 3.5: ["The end"]},
        1: {0.5: ["You & me <here>"], 1.5: ["{braces}"], 3.5: []},
    }
    for number, shown in moments.items():
        page.evaluate("n => choose(n)", number)
        page.wait_for_function("() => [...v.textTracks].some(t => t.mode !== 'disabled' && t.cues && t.cues.length)")
        for time, texts in shown.items():
            page.evaluate(SEEK, time)
            page.wait_for_function(
                f"texts => JSON.stringify(({SHOWN})()) === JSON.stringify(texts)", arg=texts, timeout=5000
            )
    assert value(page, "errors") == []
