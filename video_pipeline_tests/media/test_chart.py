from __future__ import annotations

import io

import numpy as np
from PIL import Image

from video_pipeline.media import chart
from video_pipeline.media.products import LoudnessCurve
from video_pipeline.media.waveform import Waveform

PAPER = 255


def picture(values: list[float | None], integrated: float | None, data: tuple[int, ...]) -> tuple[bytes, np.ndarray]:
    waveform = Waveform(sample_rate=48_000, samples_per_pixel=480, length=len(data) // 2, data=data)
    curve = LoudnessCurve(seconds_per_point=0.1, momentary=tuple(values), short_term=tuple(values))
    png = chart.levels(waveform, curve, integrated)
    with Image.open(io.BytesIO(png)) as opened:
        return png, np.asarray(opened.convert("L"))


def test_it_shows_where_the_sound_is() -> None:
    """Silence, then full scale and -20 LUFS: something is drawn in the second half only, but for the grid."""
    png, gray = picture([None] * 50 + [-20.0] * 50, -20.0, (0, 0) * 100 + (-128, 127) * 100)
    assert gray.shape == (chart.HEIGHT, chart.WIDTH)
    half = chart.MARGIN + (chart.WIDTH - chart.MARGIN) // 2
    outline = gray[:96] < 200
    assert outline[:, chart.MARGIN : half - 2].sum(axis=0).max() <= 2
    assert outline[:, half + 2 :].sum(axis=0).min() > 80
    assert (gray[110:, half + 2 :] < 215).sum() > 10 * (gray[110:, chart.MARGIN : half - 2] < 215).sum()
    assert len(png) < 10_000


def test_a_louder_sound_stands_higher() -> None:
    tops = []
    for level in (-40.0, -20.0):
        _, gray = picture([level] * 100, None, (-10, 10) * 100)
        tops.append(int(np.flatnonzero(gray[:, 400] < 100)[-1]))
    assert tops[0] - tops[1] > 40


def test_noise_of_a_day_stays_small() -> None:
    """It goes into the event log."""
    random = np.random.default_rng(1)
    values: list[float | None] = [float(value) for value in random.uniform(-60, 0, 6000)]
    data = tuple(int(value) for value in random.integers(-128, 128, 40_000))
    assert len(picture(values, -23.0, data)[0]) < 30_000


def test_nothing_measured() -> None:
    for count in (0, 1, 3):
        assert picture([None] * count, None, (0, 0) * count)[1].max() == PAPER
