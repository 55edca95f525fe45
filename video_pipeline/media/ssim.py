"""How alike two pictures look: SSIM of the luma."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WINDOW, SIGMA = 11, 1.5
"""Of the Gaussian, pixels."""
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
Plane = NDArray[np.float32]


def luma(picture: Image.Image) -> Plane:
    """Rows times columns, 0 to 255: BT.601, as in a JPEG."""
    return np.asarray(picture.convert("L"), np.float32)


class Reference:
    """A picture that others are compared with.

    After Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility to structural similarity,
    2004 (https://doi.org/10.1109/TIP.2003.819861): the mean over every place where the window lies inside the picture.
    Of pictures smaller than the window, over all places, with their edges mirrored.
    """

    def __init__(self, plane: Plane) -> None:
        # Slow to import, and not needed by most.
        import cv2

        self._cv2: Any = cv2
        self._kernel = cv2.getGaussianKernel(WINDOW, SIGMA, cv2.CV_32F)
        self._plane = plane
        self._mean = self._blur(plane)
        self._square = self._mean * self._mean
        self._variance = self._blur(plane * plane) - self._square

    def ssim(self, other: Plane) -> float:
        """0 to 1, 1 of the same picture; one of the same size."""
        mean = self._blur(other)
        product, square = self._mean * mean, mean * mean
        covariance = self._blur(self._plane * other) - product
        variance = self._blur(other * other) - square
        above = (2 * product + C1) * (2 * covariance + C2)
        below = (self._square + square + C1) * (self._variance + variance + C2)
        return float((above / below).mean())

    def _blur(self, plane: Plane) -> Plane:
        blurred = self._cv2.sepFilter2D(plane, -1, self._kernel, self._kernel, borderType=self._cv2.BORDER_REFLECT)
        rows, columns = (WINDOW // 2 if side >= WINDOW else 0 for side in plane.shape)
        inside: Plane = blurred[rows : plane.shape[0] - rows, columns : plane.shape[1] - columns]
        return inside
