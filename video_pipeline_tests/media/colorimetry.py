"""Colour by the book, apart from ffmpeg: known patches as codes of any system, and how far two colours are apart.

Light is R, G, B of BT.709's primaries, 1 the white of a standard display, unless it says otherwise.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
COLUMNS, ROWS = 6, 4
# The 24 patches of the ColorChecker as sRGB codes (X-Rite, from 2014 on).
CHECKER = np.array(
    """115 82 68  194 150 130  98 122 157  87 108 67  133 128 177  103 189 170
    214 126 44  80 91 166  193 90 99  94 60 108  157 188 64  224 163 46
    56 61 150  70 148 73  175 54 60  231 199 31  187 86 149  8 133 161
    243 243 242  200 200 200  160 160 160  122 122 121  85 85 85  52 52 52""".split(),
    float,
).reshape(COLUMNS * ROWS, 3)
DISPLAY = 2.4
"""The gamma of a standard display (ITU-R BT.1886 with a black of 0)."""

# x and y of red, green, blue: ITU-R BT.709-6, BT.601-7 (625 and 525 lines), BT.2020-2, SMPTE EG 432-1 (P3 D65).
PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "bt470bg": ((0.640, 0.330), (0.290, 0.600), (0.150, 0.060)),
    "smpte170m": ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
D65 = (0.3127, 0.3290)
# Shares of red and blue in luma: ITU-R BT.601-7, BT.709-6, BT.2020-2.
LUMA = {"bt470bg": (0.299, 0.114), "smpte170m": (0.299, 0.114), "bt709": (0.2126, 0.0722), "bt2020nc": (0.2627, 0.0593)}


def to_xyz(primaries: str) -> Array:
    """The matrix from linear R, G, B to X, Y, Z (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in PRIMARIES[primaries]]).T
    x, y = D65
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    return np.asarray(columns * np.linalg.solve(columns, white))


def between(source: str, target: str, light: Array) -> Array:
    """The same light by other primaries."""
    return np.asarray(light @ (np.linalg.inv(to_xyz(target)) @ to_xyz(source)).T)


def yuv(signal: Array, matrix: str, bits: int = 8, full: bool = False) -> Array:
    """Y, Cb, Cr codes of the non-linear R, G, B (ITU-R BT.709-6, 3; full range as in JFIF)."""
    red, blue = LUMA[matrix]
    luma = signal @ np.array([red, 1 - red - blue, blue])
    chroma = [(signal[..., 2] - luma) / (2 * (1 - blue)), (signal[..., 0] - luma) / (2 * (1 - red))]
    unit, most = 2 ** (bits - 8), 2**bits - 1
    if full:
        codes = [luma * most, *(part * most + 128 * unit for part in chroma)]
    else:
        codes = [(219 * luma + 16) * unit, *((224 * part + 128) * unit for part in chroma)]
    return np.asarray(np.rint(np.stack(codes, -1)).clip(0, most))


def rgb(codes: Array) -> Array:
    """The non-linear R, G, B of BT.709 codes, 8 bits, limited range."""
    red, blue = LUMA["bt709"]
    luma, cb, cr = (codes[..., 0] - 16) / 219, (codes[..., 1] - 128) / 224, (codes[..., 2] - 128) / 224
    r, b = luma + 2 * (1 - red) * cr, luma + 2 * (1 - blue) * cb
    return np.asarray(np.stack([r, (luma - red * r - blue * b) / (1 - red - blue), b], -1).clip(0, 1))


def pq(nits: Array) -> Array:
    """SMPTE ST 2084's inverse EOTF."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    power = (np.maximum(nits, 0) / 10_000) ** m1
    return np.asarray(((c1 + c2 * power) / (1 + c3 * power)) ** m2)


def hlg(nits: Array) -> Array:
    """ITU-R BT.2100-2's HLG signal of BT.2020 light, cd/m², on a display of 1000 cd/m² (its OOTF taken back)."""
    display = np.maximum(nits, 0) / 1000
    luminance = np.maximum(display @ np.array([0.2627, 0.6780, 0.0593]), 1e-9)
    scene = display * luminance[..., None] ** ((1 - 1.2) / 1.2)
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c))


def lab(light: Array) -> Array:
    """CIE 1976 L*, a*, b* (CIE 15:2004) of BT.709 light, its white the reference."""
    white = to_xyz("bt709") @ np.ones(3)
    ratio = light.clip(0) @ to_xyz("bt709").T / white
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root[..., 0], root[..., 1], root[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], -1)


def apart(one: Array, other: Array) -> Array:
    """CIEDE2000 between L*, a*, b* colours: Sharma, Wu, Dalal, "The CIEDE2000 Color-Difference Formula", Color Research
    and Application 30 (1), 2005, equations 2 to 22."""
    (l1, a1, b1), (l2, a2, b2) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    mean7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = (1 - np.sqrt(mean7 / (mean7 + 25.0**7))) / 2
    a1, a2 = a1 * (1 + g), a2 * (1 + g)
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where((turn == -180) & (h2 > h1), 180, turn)
    hue = np.where(grey, h1 + h2, (h1 + h2) / 2)
    far = ~grey & (np.abs(h1 - h2) > 180)
    hue = np.where(far, np.where(h1 + h2 < 360, hue + 180, hue - 180), hue)
    chroma, lightness = (c1 + c2) / 2, (l1 + l2) / 2
    cos = [np.cos(np.radians(factor * hue - shift)) for factor, shift in ((1, 30), (2, 0), (3, -6), (4, 63))]
    t = 1 - 0.17 * cos[0] + 0.24 * cos[1] + 0.32 * cos[2] - 0.20 * cos[3]
    off = (lightness - 50) ** 2
    sl, sc, sh = 1 + 0.015 * off / np.sqrt(20 + off), 1 + 0.045 * chroma, 1 + 0.015 * chroma * t
    rt = -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    dl, dc = (l2 - l1) / sl, (c2 - c1) / sc
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2)) / sh
    return np.asarray(np.sqrt(dl**2 + dc**2 + dh**2 + rt * dc * dh))


def grid(patches: Array, width: int, height: int) -> Array:
    """A picture of flat patches, (height, width, channels)."""
    rows = np.arange(height) * ROWS // height
    columns = np.arange(width) * COLUMNS // width
    return np.asarray(patches.reshape(ROWS, COLUMNS, -1)[rows[:, None], columns[None, :]])


def centres(picture: Array) -> Array:
    """The mean of each patch's middle half."""
    height, width = picture.shape[:2]
    found = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            rows = slice(int((row + 0.25) * height / ROWS), int((row + 0.75) * height / ROWS))
            columns = slice(int((column + 0.25) * width / COLUMNS), int((column + 0.75) * width / COLUMNS))
            found.append(picture[rows, columns].reshape(-1, picture.shape[2]).mean(0))
    return np.array(found)
