"""A small picture of the sound: its outline above its loudness, over time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

from PIL import Image, ImageDraw

from video_pipeline.media.products import LoudnessCurve
from video_pipeline.media.waveform import Waveform

WIDTH, HEIGHT, MARGIN = 720, 260, 34
"""Pixels; the margin holds the labels left of both."""
_OUTLINE = 90
"""Height of the outline, pixels."""
_BOTTOM, _TOP = -60, 0
"""LUFS."""
_PAPER, _GRID, _TEXT = "#ffffff", "#d8dce3", "#5b6472"
_SOUND, _MOMENTARY, _SHORT_TERM, _INTEGRATED = "#4f7cac", "#b9cde3", "#1d3f66", "#c8442f"


def levels(waveform: Waveform, curve: LoudnessCurve, integrated: float | None) -> bytes:
    """A PNG: momentary loudness as an area, short-term as a line, the whole programme's (LUFS) across."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    draw = ImageDraw.Draw(picture)
    middle = _OUTLINE // 2 + 4
    for x, low, high in _outline(waveform.data, WIDTH - MARGIN):
        scale = _OUTLINE / 2 / 128
        draw.line([(x + MARGIN, middle - high * scale), (x + MARGIN, middle - low * scale)], fill=_SOUND)
    for mark in range(_BOTTOM, _TOP + 1, 12):
        draw.line([(MARGIN, _y(mark)), (WIDTH, _y(mark))], fill=_GRID)
        draw.text((4, _y(mark) - 6), f"{mark}", fill=_TEXT)
    for x, level in _points(curve.momentary):
        draw.line([(x, _y(level)), (x, _y(_BOTTOM))], fill=_MOMENTARY)
    draw.line([(x, _y(level)) for x, level in _points(curve.short_term)], fill=_SHORT_TERM, width=2)
    if integrated is not None:
        draw.line([(MARGIN, _y(integrated)), (WIDTH, _y(integrated))], fill=_INTEGRATED)
    out = io.BytesIO()
    picture.quantize(32).save(out, "PNG", optimize=True)
    return out.getvalue()


def _y(level: float) -> float:
    top, bottom = _OUTLINE + 16, HEIGHT - 10
    return bottom - (max(_BOTTOM, min(_TOP, level)) - _BOTTOM) * (bottom - top) / (_TOP - _BOTTOM)


def _outline(data: Sequence[int], columns: int) -> Iterator[tuple[int, int, int]]:
    """Column of the picture, lowest, highest."""
    count = len(data) // 2
    for x in range(columns):
        first = x * count // columns
        pixels = data[2 * first : 2 * max(first + 1, (x + 1) * count // columns)]
        if pixels:
            yield x, min(pixels), max(pixels)


def _points(values: Sequence[float | None]) -> Iterator[tuple[int, float]]:
    """Column of the picture and the largest value there; none that was not measured."""
    columns = WIDTH - MARGIN
    for x in range(columns):
        first = x * len(values) // columns
        there = [v for v in values[first : max(first + 1, (x + 1) * len(values) // columns)] if v is not None]
        if there:
            yield x + MARGIN, max(there)
