"""The outline of the sound for players and editors to draw, as BBC's audiowaveform writes it.

Format: https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md, JSON of version 2.
"""

from __future__ import annotations

import json
import math
import struct
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from video_pipeline.base import Model

PER_SECOND = 100
"""Pixels per second at the most."""
PIXELS = 20_000
"""About as many at the most, however long the sound is."""
_AU = struct.Struct(">4s5I")
"""Magic, offset of the samples, their size, encoding, samples per second, channels."""


class Waveform(Model):
    """One channel: of each pixel the lowest and the highest sample of all channels, -128 to 127. Not their mean, which
    sound of opposite phase would vanish from."""

    version: int = 2
    channels: int = 1
    sample_rate: int
    samples_per_pixel: int
    bits: int = 8
    length: int
    """Pixels."""
    data: tuple[int, ...]
    """Lowest and highest of the first pixel, of the second, ..."""

    def text(self) -> bytes:
        return (json.dumps(self.model_dump(), separators=(",", ":")) + "\n").encode()


class Outline:
    """Takes sound as it is decoded and holds no more of it than a pixel's and a read's bytes."""

    def __init__(self, duration: Fraction) -> None:
        """`duration`: of the sound, s; the longer it is, the more samples make a pixel."""
        self._hundredths = max(1, math.ceil(duration * PER_SECOND / PIXELS))
        self._rest = bytearray()
        self._rate = self._channels = self._per_pixel = 0
        self._parts: list[NDArray[np.int8]] = []

    def take(self, data: bytes) -> None:
        """The next bytes of an AU file with 16-bit samples."""
        self._rest += data
        if not self._channels:
            if len(self._rest) < _AU.size or len(self._rest) < (offset := _AU.unpack_from(self._rest)[1]):
                return
            self._rate, self._channels = _AU.unpack_from(self._rest)[4:]
            self._per_pixel = math.ceil(self._rate * self._hundredths / PER_SECOND)
            del self._rest[:offset]
        size = 2 * self._channels * self._per_pixel
        whole = len(self._rest) // size * size
        if whole:
            self._add(bytes(self._rest[:whole]), whole // size)
            del self._rest[:whole]

    def done(self) -> Waveform:
        """Of all that was taken. What is left over makes the last pixel."""
        if self._rest and self._channels:
            self._add(bytes(self._rest[: len(self._rest) // 2 * 2]), 1)
            self._rest.clear()
        data = np.concatenate(self._parts) if self._parts else np.empty((0, 2), np.int8)
        return Waveform(
            sample_rate=self._rate,
            samples_per_pixel=self._per_pixel,
            length=len(data),
            data=tuple(data.ravel().tolist()),
        )

    def _add(self, samples: bytes, pixels: int) -> None:
        values = np.frombuffer(samples, ">i2").reshape(pixels, -1)
        ends = np.stack([values.min(axis=1), values.max(axis=1)], axis=1)
        # Towards 0, as audiowaveform divides: silence with a little noise is a line, not a band.
        self._parts.append((ends / 256).astype(np.int8))
