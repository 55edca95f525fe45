from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import pytest

from video_pipeline.media import hls
from video_pipeline.media.model import AudioPlan

SOUND = AudioPlan(name="audio-1", stream=1, bit_rate=128_000, label="Audio", default=True, end=Fraction(6))


@pytest.mark.parametrize(
    ("sizes", "seconds", "target", "average", "peak"),
    [
        pytest.param([1000, 1000], [4, 4], 4, 2000, 2000, id="constant"),
        pytest.param([1000, 3000, 1000], [4, 4, 4], 4, 3333, 6000, id="one busy segment"),
        pytest.param([1000, 1000, 900], [4, 4, 1], 4, 2578, 3040, id="a short last one counts with its neighbour"),
        pytest.param([1000, 900], [4, 2], 4, 2533, 3600, id="half a target is long enough"),
        pytest.param([500], [1], 4, 4000, 4000, id="shorter than half a target: the whole"),
        pytest.param([100, 700, 700, 100], [2, 2, 2, 2], 4, 1600, 2800, id="runs that last 0.5 to 1.5 targets"),
    ],
)
def test_average_and_peak(sizes: Sequence[int], seconds: Sequence[int], target: int, average: int, peak: int) -> None:
    assert hls.rates(sizes, [Fraction(n) for n in seconds], Fraction(target)) == (average, peak)


def packagers_master(rates: dict[str, int], *, sound: bool = True) -> str:
    group = ',AUDIO="audio"' if sound else ""
    lines = ["#EXTM3U"]
    if sound:
        lines.append('#EXT-X-MEDIA:TYPE=AUDIO,URI="audio-1.m3u8",GROUP-ID="audio",NAME="audio-1",CHANNELS="2"')
    for name in rates:
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001e",RESOLUTION=64x36{group}', f"{name}.m3u8"]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("averages", "order"),
    [
        pytest.param([5_000_000, 1_900_000, 800_000], [1, 0, 2], id="the largest up to 2 Mbit/s"),
        pytest.param([900_000, 400_000], [0, 1], id="all are below"),
        pytest.param([9_000_000, 3_000_000], [1, 0], id="none is: the smallest"),
    ],
)
def test_players_start_with_a_variant_that_does_not_stall(averages: list[int], order: list[int]) -> None:
    names = [f"v{n}" for n in range(len(averages))]
    media = {f"hls/{name}.m3u8": (rate - 100_000, rate) for name, rate in zip(names, averages, strict=True)}
    media["hls/audio-1.m3u8"] = (100_000, 130_000)
    text = hls.master_playlist(packagers_master(dict(zip(names, averages, strict=True))), media, [SOUND])
    assert re.findall(r"^(v\d)\.m3u8$", text, re.MULTILINE) == [names[n] for n in order]
    stated = re.findall(r"[:,]BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+)", text)
    assert stated == [(str(averages[n] + 130_000), str(averages[n])) for n in order]
    assert re.search(r"#EXT-X-MEDIA:.*DEFAULT=YES,AUTOSELECT=YES", text)


def test_players_start_with_the_family_that_all_of_them_show() -> None:
    rates = {"h264-720p": 2_500_000, "av1-720p": 1_500_000, "h264-480p": 1_200_000}
    media = {f"hls/{name}.m3u8": (rate, rate) for name, rate in rates.items()}
    master = packagers_master(rates, sound=False)
    ranges = {name: "PQ" if name.startswith("av1") else "SDR" for name in rates}
    text = hls.master_playlist(master, media, [], ranges=ranges, first={"h264-720p", "h264-480p"})  # type: ignore[arg-type]
    assert re.findall(r"^(\S+)\.m3u8$", text, re.MULTILINE) == ["h264-480p", "h264-720p", "av1-720p"]
    assert re.findall(r"VIDEO-RANGE=(\w+)", text) == ["SDR", "SDR", "PQ"]


def test_scores_stay_where_a_master_moves_to() -> None:
    scored = hls.scored(packagers_master({"v0": 0, "v1": 0}), {"v0.m3u8": 2.0, "v1.m3u8": 1.0})
    assert re.findall(r"SCORE=(\d)\n(\S+)", scored) == [("2", "v0.m3u8"), ("1", "v1.m3u8")]
    moved = hls.readdressed(scored, lambda uri: f"x/{uri}")
    assert re.findall(r"SCORE=(\d)\n(\S+)", moved) == [("2", "x/v0.m3u8"), ("1", "x/v1.m3u8")]


def test_one_family_is_that_of_the_first_variant() -> None:
    names = ["h264-720p", "av1-720p", "h264-480p"]
    text = packagers_master(dict.fromkeys(names, 0))
    text += "".join(f'#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="{name}-iframes.m3u8"\n' for name in names)
    moved = hls.readdressed(text, lambda uri: f"releases/r1/hls/{uri}")
    found = re.findall(r"hls/([\w-]+)\.m3u8", hls.one_family(moved))
    assert found == ["audio-1", "h264-720p", "h264-480p", "h264-720p-iframes", "h264-480p-iframes"]


def test_without_sound_only_the_pictures_count() -> None:
    text = hls.master_playlist(packagers_master({"v0": 0}, sound=False), {"hls/v0.m3u8": (500_000, 700_000)}, [])
    assert "BANDWIDTH=700000,AVERAGE-BANDWIDTH=500000" in text
    assert "EXT-X-MEDIA" not in text


def test_every_address_of_a_master_is_replaced() -> None:
    text = packagers_master({"v0": 0}) + '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="v0-iframes.m3u8"\n'
    moved = hls.readdressed(text, lambda uri: f"x/{uri}")
    assert re.findall(r"[\w/-]+\.m3u8", moved) == ["x/audio-1.m3u8", "x/v0.m3u8", "x/v0-iframes.m3u8"]


def test_key_frames_last_whole_frames() -> None:
    """The packager rounds 2.002 s to 2.002 and 1.001667 s to 1.002; at 29.97 both are whole frames."""
    text = "\n".join(
        [
            "#EXTM3U",
            "#EXT-X-VERSION:6",
            "#EXT-X-TARGETDURATION:5",
            "#EXT-X-PLAYLIST-TYPE:VOD",
            "#EXT-X-I-FRAMES-ONLY",
            '#EXT-X-MAP:URI="v.mp4",BYTERANGE="800@0"',
            *("#EXTINF:2.002,", "#EXT-X-BYTERANGE:10@900", "v.mp4"),
            *("#EXTINF:0.968,", "#EXT-X-BYTERANGE:10@1900", "v.mp4"),
            "#EXT-X-ENDLIST",
        ]
    )
    made = hls.key_frame_playlist(text, {"v.mp4": "../v.mp4"}, Fraction(30000, 1001))
    assert [float(seconds) for seconds in re.findall(r"#EXTINF:([\d.]+)", made)] == pytest.approx(
        [60 * 1001 / 30000, 29 * 1001 / 30000], abs=1e-6
    )
    assert "#EXT-X-TARGETDURATION:3" in made
    assert set(re.findall(r"[./\w]+\.mp4", made)) == {"../v.mp4"}


def test_scores_stay_with_their_variants() -> None:
    """With those of pictures and those of key frames, wherever the master lies."""
    picture, keys = '#EXT-X-STREAM-INF:BANDWIDTH=9,CODECS="avc1.640015"\na.m3u8', 'BANDWIDTH=3,URI="a-iframes.m3u8"'
    text = f"#EXTM3U\n{picture}\n#EXT-X-I-FRAME-STREAM-INF:{keys}\n"
    scored = hls.scored(text, {"a.m3u8": 2.0, "a-iframes.m3u8": 2.0})
    assert scored.count(",SCORE=2") == 2
    moved = hls.readdressed(scored, lambda uri: f"deep/{uri}")
    assert ",SCORE=2\ndeep/a.m3u8" in moved
    assert ',SCORE=2,URI="deep/a-iframes.m3u8"' in moved
