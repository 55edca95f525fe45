from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import VideoEncoder


def plan(frames: int, rate: Fraction = Fraction(25), segment: int = 100) -> EncodingPlan:
    images = ImagePlan(candidates=1, poster_width=640, tile_width=160, columns=1, rows=1, interval=Fraction(2))
    return EncodingPlan(
        preset="p",
        preset_digest="d",
        source_sha256="0" * 64,
        stream=0,
        start=Fraction(0),
        rate=rate,
        frames=frames,
        gop=segment // 2,
        segment=segment,
        encoders=(VideoEncoder(family="h264", codec="libx264", preset="medium", profile="high", threads=1),),
        rungs=(),
        images=images,
    )


def lines(sizes: Sequence[int], rate: Fraction = Fraction(25)) -> bytes:
    return "".join(f"{float(n / rate):.6f},{size}\n" for n, size in enumerate(sizes)).encode()


@pytest.mark.parametrize(
    ("sizes", "average", "peak"),
    [
        pytest.param([1000] * 200, 200_000, 200_000, id="constant"),
        pytest.param([1000] * 100 + [3000] * 100, 400_000, 600_000, id="the second segment is the busiest"),
        pytest.param([1000] * 100 + [9000] * 10, 345_455, 200_000, id="a short last segment does not count"),
        pytest.param([1000] * 100 + [3000] * 50, 333_333, 600_000, id="half a segment counts for its own length"),
        pytest.param([1000] * 10, 200_000, 200_000, id="a segment that is the only one counts"),
        pytest.param([50_000], 10_000_000, 10_000_000, id="one frame"),
        pytest.param([0] * 100, 0, 0, id="empty packets"),
    ],
)
def test_average_and_peak(sizes: list[int], average: int, peak: int) -> None:
    assert average_and_peak(lines(sizes), plan(len(sizes))) == (average, peak)


@pytest.mark.parametrize("rate", [Fraction(30000, 1001), Fraction(24000, 1001), Fraction(701, 30)])
def test_a_rounded_time_stays_in_its_segment(rate: Fraction) -> None:
    """Six decimals may put the first frame of a segment just before it: one key frame too many in a peak."""
    segment = 2 * round(2 * rate)
    sizes = [100_000 if n % segment == 0 else 100 for n in range(50 * segment)]
    each = Fraction(8 * (100_000 + 100 * (segment - 1))) / (segment / rate)
    assert average_and_peak(lines(sizes, rate), plan(len(sizes), rate, segment)) == (round(each), round(each))


def test_order_of_decoding_does_not_matter() -> None:
    sizes = [5000, 100, 200, 300] * 50
    shown = lines(sizes).splitlines(keepends=True)
    decoded = b"".join(shown[n] for start in range(0, 200, 4) for n in (start, start + 3, start + 1, start + 2))
    assert average_and_peak(decoded, plan(200)) == average_and_peak(b"".join(shown), plan(200))


def test_an_empty_third_column_is_ignored() -> None:
    """ffprobe adds one for packets with side data."""
    assert average_and_peak(b"0.000000,1000,\n0.040000,1000\n", plan(2)) == (200_000, 200_000)
