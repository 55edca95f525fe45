"""The short form of `make corpus`: one clip of each family of oddness, judged as all of them are."""

from __future__ import annotations

from pathlib import Path

import pytest

from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus.__main__ import one
from video_pipeline_tests.corpus.clips import clips

CHOSEN = (
    "awkward/rot90_ios9_720p.mov",
    "awkward/alpha_png_rgba.mov",
    "awkward/hlg_10bit_1280x1240_iphone.mov",
    "awkward/interlaced_mpeg2_field_pictures_pal.ts",
    "awkward/editlist_2_ends_on_bframe.mov",
    "awkward/vfr_android_slow_motion.mp4",
    "awkward/subs_srt.mkv",
    "hostile/encrypted_short_cenc.mp4",
)
REFUSED = ("hostile/encrypted_short_cenc.mp4",)


@pytest.mark.media
@pytest.mark.parametrize("name", CHOSEN)
def test_a_clip_is_published_as_a_player_shows_it(tools: Tools, media: Path, name: str) -> None:
    (clip,) = clips(media, name)
    row = one(tools, clip)
    assert not row.wrong, row.markdown()
    assert row.published == (name not in REFUSED), row.markdown()
