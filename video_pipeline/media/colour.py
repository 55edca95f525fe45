"""Colours: from whatever a source has to what every display expects, BT.709 in limited range and 8 bits.

Every rendition is tagged, since players guess by the size of the picture what is not: a 240p rung of an untagged HD
source would be shown with the colours of standard definition.
"""

from __future__ import annotations

from dataclasses import dataclass

from video_pipeline.media.technical import VideoStream

HD_LINES = 576
"""Pictures with more lines are HD where nothing is said: the rule of players and of ITU-R BT.709 itself."""
MATRICES = frozenset("bt709 fcc bt470bg smpte170m smpte240m ycgco bt2020nc bt2020c ictcp".split())
PRIMARIES = frozenset("bt709 bt470m bt470bg smpte170m smpte240m film bt2020 smpte431 smpte432".split())
LIGHTS = frozenset("smpte2084 arib-std-b67 linear log100".split())
"""Transfers that need work. All others stand for the same light on a standard display (ITU-R BT.1886)."""
PEAK = 100
"""cd/m² that are 1.0 in ffmpeg's tonemap filter (its REFERENCE_WHITE)."""


@dataclass(frozen=True)
class Colours:
    """By the names of ffmpeg, with a guess where the source says nothing."""

    range: str
    matrix: str
    primaries: str
    transfer: str


REFERENCE = Colours("limited", "bt709", "bt709", "bt709")


def colours(video: VideoStream) -> Colours:
    """What the source's numbers mean."""
    rgb = is_rgb(video.pix_fmt)
    matrix = "gbr" if rgb else _known(video.color_space, MATRICES) or _usual(video)
    like_matrix = {"smpte170m": "smpte170m", "bt470bg": "bt470bg", "bt2020nc": "bt2020", "bt2020c": "bt2020"}
    full = rgb or video.color_range == "pc" or video.pix_fmt.startswith("yuvj")
    return Colours(
        range="full" if full else "limited",
        matrix=matrix,
        primaries=_known(video.color_primaries, PRIMARIES) or like_matrix.get(matrix, "bt709"),
        transfer=_known(video.color_transfer, LIGHTS) or "bt709",
    )


def _known(name: str | None, names: frozenset[str]) -> str | None:
    return name if name in names else None


def _usual(video: VideoStream) -> str:
    if max(video.height, video.width * 9 // 16) > HD_LINES:
        return "bt709"
    return "bt470bg" if video.height in (576, 288) else "smpte170m"


def is_rgb(pix_fmt: str) -> bool:
    return pix_fmt.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr", "monow", "monob")
    )


def has_alpha(pix_fmt: str) -> bool:
    """Palettes may have it, too."""
    return pix_fmt.startswith(("rgba", "bgra", "argb", "abgr", "yuva", "gbrap", "ya", "pal8", "ayuv", "vuya", "uyva"))


def filters(video: VideoStream, alpha_over: str) -> tuple[str, ...]:
    """What turns a picture of this source into one of the reference; nothing but tags if it is one already.

    Args:
        alpha_over: the colour a transparent picture is laid over, as ffmpeg names or writes it.
    """
    have = colours(video)
    odd = video.width % 2 == 1 or video.height % 2 == 1
    steps: list[str] = []
    if has_alpha(video.pix_fmt):
        steps += ["format=gbrap", f"flatten={alpha_over}", "format=gbrp"]
        if have.matrix != "gbr":  # the first of these has converted it
            have = Colours("full", "gbr", have.primaries, have.transfer)
    elif is_rgb(video.pix_fmt):
        steps += ["format=gbrp"]
    elif odd and have != REFERENCE:
        steps += ["format=yuv444p10" if video.bit_depth > 8 else "format=yuv444p"]  # zscale has no halves of a sample
    if have.transfer in LIGHTS:
        steps += _tone_mapped(have)
    elif have != REFERENCE:
        steps += [f"zscale={_input(have)}:{_OUTPUT}"]
    if have != REFERENCE:
        steps += ["format=yuv444p" if odd or have.matrix == "gbr" else "format=yuv420p"]
    return (*steps, "setparams=range=limited:color_primaries=bt709:color_trc=bt709:colorspace=bt709")


_OUTPUT = "matrix=bt709:primaries=bt709:transfer=bt709:range=limited:dither=error_diffusion"


def _input(have: Colours) -> str:
    return f"matrixin={have.matrix}:primariesin={have.primaries}:transferin={have.transfer}:rangein={have.range}"


def _tone_mapped(have: Colours) -> list[str]:
    return [
        f"zscale={_input(have)}:matrix=gbr:transfer=linear:range=full:npl={PEAK}",
        "format=gbrpf32",
        "zscale=primaries=bt709",
        "tonemap=tonemap=hable:desat=0",
        f"zscale={_OUTPUT}",
    ]
