"""What we write, read by a parser of HLS that refuses what RFC 8216 does not allow."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping

from video_pipeline_tests.media.release import Made
from video_pipeline_tests.node.install import command


def refused(playlists: Mapping[str, str]) -> dict[str, str | None]:
    done = subprocess.run(
        command("playlists.mjs"), input=json.dumps(playlists), capture_output=True, text=True, check=True, timeout=60
    )
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


def of(made: Made) -> dict[str, str]:
    return {path: text for path, text in made.streams.texts.items() if path.endswith(".m3u8")}


def test_every_playlist_is_valid(made: Made, worded: Made, families: Made) -> None:
    for release in (made, worded, families):
        assert refused(of(release)) == dict.fromkeys(of(release))


def test_a_breach_is_seen(made: Made) -> None:
    """So that its silence above means something."""
    good = made.streams.texts["hls/h264-240p.m3u8"]
    master = made.streams.texts["hls/master.m3u8"]
    broken = {
        "no target": good.replace("#EXT-X-TARGETDURATION:5\n", ""),
        "too short a target": good.replace("TARGETDURATION:5", "TARGETDURATION:3"),
        "no group": master.replace('GROUP-ID="audio",', ""),
        "another group": master.replace('AUDIO="audio"', 'AUDIO="sound"'),
        "no bandwidth": master.replace(":CLOSED-CAPTIONS=NONE,BANDWIDTH", ":CLOSED-CAPTIONS=NONE,WIDTH"),
    }
    assert {name for name, said in refused(broken).items() if said} == set(broken)
