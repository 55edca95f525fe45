"""Colours: from whatever a source has to what every display expects, BT.709 in limited range, or to HDR as it is,
BT.2020 with the source's own transfer (ITU-R BT.2100).

Every rendition is tagged, since players guess by the size of the picture what is not: a 240p rung of an untagged HD
source would be shown with the colours of standard definition.

HDR becomes SDR as ITU-R BT.2408-7 relates them: its reference white of 203 cd/m² is SDR's white. Up to KNEE of that,
where grey cards and skin are, light is kept as it is; above, up to the brightest light of the source, it is bent by
ffmpeg's "mobius". The curve is that of a pixel's largest component, and the others follow, so hues stay.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from video_pipeline.errors import SourceError
from video_pipeline.media.technical import VideoStream

HD_LINES = 576
"""Pictures with more lines are HD where nothing is said: the rule of players and of ITU-R BT.709 itself."""
MATRICES = frozenset("bt709 fcc bt470bg smpte170m smpte240m ycgco bt2020nc bt2020c ictcp".split())
PRIMARIES = frozenset(
    "bt709 bt470m bt470bg smpte170m smpte240m film bt2020 smpte428 smpte431 smpte432 jedec-p22 ebu3213".split()
)
HDR = frozenset(("smpte2084", "arib-std-b67"))
LIGHTS = HDR | {"linear", "log100", "log316"}
"""Transfers that need work. All others stand for the same light on a standard display (ITU-R BT.1886)."""
WHITE = 203
"""cd/m² of HDR that become white (ITU-R BT.2408-7, 2.2)."""
KNEE = 0.3
USUAL_PEAK = 1000
"""cd/m² of the brightest light where the source does not say, and always of HLG (ITU-R BT.2100-2, table 5)."""
PEAKS = (2 * WHITE, 4000)
"""What a source says of its brightest light is believed within these."""


@dataclass(frozen=True)
class Colours:
    """By the names of ffmpeg, with a guess where the source says nothing."""

    range: str
    matrix: str
    primaries: str
    transfer: str


REFERENCE = Colours("limited", "bt709", "bt709", "bt709")
HDR_REFERENCE = Colours("limited", "bt2020nc", "bt2020", "smpte2084")
"""Or with the transfer of HLG."""


def colours(video: VideoStream) -> Colours:
    """What the source's numbers mean.

    Raises:
        SourceError: no standard display could show them.
    """
    if video.dolby_vision is not None and not video.dolby_vision_base:
        raise SourceError(
            f"its colours are those of Dolby Vision profile {video.dolby_vision}, which has no picture for other "
            "displays; a file of profile 8 or without Dolby Vision is needed"
        )
    rgb = is_rgb(video.pix_fmt)
    matrix = "gbr" if rgb else _known(video.color_space, MATRICES) or _usual(video)
    return Colours(
        range="full" if rgb or _is_full(video) else "limited",
        matrix=matrix,
        # Not guessed from the matrix but for BT.2020: players convert no primaries that are not named.
        primaries=_known(video.color_primaries, PRIMARIES) or ("bt2020" if matrix.startswith("bt2020") else "bt709"),
        transfer=_known(video.color_transfer, LIGHTS) or "bt709",
    )


def _known(name: str | None, names: frozenset[str]) -> str | None:
    return name if name in names else None


def _is_full(video: VideoStream) -> bool:
    if video.pix_fmt.startswith(("gray", "ya")):
        return video.color_range != "tv"
    return video.color_range == "pc" or video.pix_fmt.startswith("yuvj")


def _usual(video: VideoStream) -> str:
    if max(video.height, video.width * 9 // 16) > HD_LINES:
        return "bt709"
    return "bt470bg" if video.height in (576, 288) else "smpte170m"


def is_rgb(pix_fmt: str) -> bool:
    return pix_fmt.startswith(
        ("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb", "x2bgr", "monow", "monob", "xyz")
    )


def untagged(video: VideoStream) -> bool:
    """Whether anything has to be converted or is not said, so that another tag would be needed."""
    said = (video.color_space, video.color_primaries, video.color_transfer)
    return colours(video) != REFERENCE or said != ("bt709",) * 3 or video.chroma_location not in (None, "left")


def has_alpha(pix_fmt: str) -> bool:
    """Palettes may have it, too."""
    return pix_fmt.startswith(("rgba", "bgra", "argb", "abgr", "yuva", "gbrap", "ya", "pal8", "ayuv", "vuya", "uyva"))


def is_hdr(video: VideoStream) -> bool:
    """Whether it can be kept in HDR. What is transparent cannot: nothing says how bright an SDR colour shines there."""
    return video.transfer != "sdr" and not has_alpha(video.pix_fmt)


def filters(video: VideoStream, alpha_over: str, bit_depth: int = 8, *, keep_hdr: bool = False) -> tuple[str, ...]:
    """What turns a picture of this source into one of the reference; nothing but tags if it is one already.

    Args:
        alpha_over: the colour a transparent picture is laid over, as ffmpeg names or writes it.
        bit_depth: of what is encoded.
        keep_hdr: the reference is BT.2020 with the source's own transfer, if that is one of HDR.

    Raises:
        SourceError: see `colours`.
    """
    have = colours(video)
    want = replace(HDR_REFERENCE, transfer=have.transfer) if keep_hdr and is_hdr(video) else REFERENCE
    alpha, odd = has_alpha(video.pix_fmt), video.width % 2 == 1 or video.height % 2 == 1
    beside = video.chroma_location not in (None, "left")
    deep = "10le" if bit_depth == 10 else ""
    steps: list[str] = []
    if alpha or have != want or beside:
        steps += [*_readable(video, alpha, odd), *_converted(have, want, video, alpha)]
        if alpha:
            steps += [f"flatten={alpha_over}", "format=gbrp", f"zscale={_input(_OVER)}:{_output(want)}"]
        steps += [f"format=yuv444p{deep}" if odd or alpha or have.matrix == "gbr" else f"format=yuv420p{deep}"]
    tags = f"color_primaries={want.primaries}:color_trc={want.transfer}:colorspace={want.matrix}"
    return (*steps, f"setparams=range={want.range}:{tags}:chroma_location=left")


def _readable(video: VideoStream, alpha: bool, odd: bool) -> list[str]:
    """What zscale cannot take: packed pixels and halves of a sample."""
    if is_rgb(video.pix_fmt):
        return ["format=gbrap" if alpha else "format=gbrp16" if video.bit_depth > 8 else "format=gbrp"]
    if video.pix_fmt.startswith("ya"):
        return ["format=yuva444p"]
    if odd and alpha:
        return ["format=yuva444p"]
    if odd:
        return ["format=yuv444p10" if video.bit_depth > 8 else "format=yuv444p"]
    return []


_OVER = Colours("full", "gbr", "bt709", "bt709")
"""In which a transparent picture is laid over its colour."""


def _output(want: Colours) -> str:
    colours = f"matrix={want.matrix}:primaries={want.primaries}:transfer={want.transfer}:range={want.range}"
    # Its errors do not cross the borders of what its threads take: with as many as the host has, pixels depend on it.
    return f"{colours}:chromal=left:dither=error_diffusion:threads=1"


def _converted(have: Colours, want: Colours, video: VideoStream, alpha: bool) -> list[str]:
    """Into the reference, or what lies in `_OVER` if there is alpha."""
    last = "matrix=gbr:primaries=bt709:transfer=bt709:range=full" if alpha else _output(want)
    steps = _tone_mapped(have, video, alpha) if have.transfer in HDR and want == REFERENCE else []
    if steps:
        have = replace(_OVER, transfer="linear")
    steps.append(f"zscale={_input(have)}:{last}")
    return [*steps, "format=gbrap"] if alpha else steps


def _input(have: Colours) -> str:
    return f"matrixin={have.matrix}:primariesin={have.primaries}:transferin={have.transfer}:rangein={have.range}"


def _tone_mapped(have: Colours, video: VideoStream, alpha: bool) -> list[str]:
    """Into linear light of BT.709's primaries, 1 the white."""
    peak = video.peak_luminance if have.transfer == "smpte2084" else None
    peak = min(max(peak, PEAKS[0]), PEAKS[1]) if peak else USUAL_PEAK
    # The fast way takes HLG's gamma of each component instead of the luminance: colours too strong by 2 to 4 CIEDE2000.
    exact = ":agamma=0" if have.transfer == "arib-std-b67" else ""
    return [
        f"zscale={_input(have)}:matrix=gbr:primaries=bt709:transfer=linear:range=full:npl={WHITE}{exact}",
        "format=gbrapf32" if alpha else "format=gbrpf32",
        f"tonemap=tonemap=mobius:param={KNEE}:peak={peak / WHITE:.4f}:desat=0",
    ]
