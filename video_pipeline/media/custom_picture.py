"""The picture that somebody brought as a video's thumbnail: decoded in a child with limits, in the video's shape.

What Pillow cannot name is left to ffmpeg (HEIC, JPEG XL, OpenEXR, DPX, ...), which may use the readers of such pictures
alone: none of those that follow what a file says to other files or to the network, as playlists and SVG do.
"""

from __future__ import annotations

import json
import re
import struct
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from PIL import Image, ImageColor

from video_pipeline.errors import CommandFailed, RequestError, SourceError
from video_pipeline.media import forms, picture_child, process
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import CustomPicture
from video_pipeline.media.limits import Limits
from video_pipeline.media.model import SourceFile
from video_pipeline.media.tools import Tools

MOST_BYTES = 50_000_000
MOST_PIXELS = 100_000_000
MOST_SIDE = 16_384
LEAST_SIDE = 16
"""Pixels, both as it is before it is turned or cut."""
MOST = f"at most {MOST_SIDE} on a side and {MOST_PIXELS // 1_000_000} megapixels are read"
FORMATS = "JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP, HEIC, JPEG XL"
CHILD = Limits(memory=2 * 2**30, cpu_seconds=60, file_size=1 << 30)
"""100 megapixels of four bytes, and the same again while they are converted."""
FFMPEG = Limits(memory=8 * 2**30, cpu_seconds=60, file_size=1 << 30)
"""Address space: a picture of hundreds of tiles takes as many threads."""
STALL_SECONDS = 60
READERS = "jpegxl_pipe,exr_pipe,dpx_pipe,hdr_pipe,jpegls_pipe,pam_pipe,pfm_pipe,phm_pipe,psd_pipe,tiff_pipe,xwd_pipe"
"""ffmpeg's names, of formats that begin with something of their own."""
HEIF = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2", b"avif")
SEQUENCES = (b"avis", b"msf1", b"hevc", b"hevx")
"""Brands (ISO/IEC 23008-12, 10; AV1 Image File Format, 8): other files of this kind are videos."""
OTHERS = (b"\x1aE\xdf\xa3", b"#EXTM3U", b"<", b"%")
"""How Matroska, playlists, SVG and HTML, PDF and PostScript begin."""
NO_PICTURE = f"is no picture; give {FORMATS} or another one that Pillow or ffmpeg reads"
Rule = Literal["crop", "fit", "whole"]


def look(path: Path, field: str, name: str | None = None) -> None:
    """Refuses a file by its size and its first bytes alone, which costs nothing. Raises `SourceError`."""
    said, size = f"{field} {name or path}", path.stat().st_size
    if size > MOST_BYTES:
        raise SourceError(f"{said}: {size} bytes are too many for a picture; at most {MOST_BYTES} are read")
    with path.open("rb") as file:
        head = file.read(12)
    if head.startswith(OTHERS) or (head[4:8] == b"ftyp" and head[8:12] not in (*HEIF, *SEQUENCES)):
        raise SourceError(f"{said}: {NO_PICTURE}")


def check(tools: Tools, path: Path, field: str, name: str, scratch: Path) -> None:
    """Refuses what cannot be used, by decoding all of it.

    Args:
        field: of the request, and the file's name, for errors.

    Raises:
        SourceError: it is too large or too small, damaged, or no picture.
    """
    decode(tools, path, (512, 512), "whole", "black", scratch / "checked.png", field, name)


def make(
    tools: Tools, source: SourceFile, path: Path, images: ImagePlan, size: tuple[int, int], out_dir: Path
) -> CustomPicture:
    """Writes `poster.jpg` and its other forms into `out_dir`.

    Args:
        source: the picture as it was brought, which is at `path`.
        size: of the posters of this video, width and height; a smaller picture is not enlarged to it.

    Raises:
        SourceError: as `check`.
        RequestError: nobody knows the background's colour.
    """
    with TemporaryDirectory(dir=out_dir) as work:
        plain = Path(work) / "plain.png"
        decode(tools, path, size, images.custom, images.background, plain, "thumbnail", source.uri)
        with Image.open(plain, formats=("PNG",)) as opened:
            picture = opened.convert("RGB")
    files, placeholder = forms.save_all([("poster", picture)], images, out_dir)["poster"]
    return CustomPicture(
        source=source.blob,
        source_name=source.name,
        name=files[0].name,
        width=files[0].width,
        height=files[0].height,
        thumbhash=placeholder,
        file=files[0].file,
        forms=files,
    )


def decode(
    tools: Tools,
    path: Path,
    shape: tuple[int, int],
    rule: Rule,
    background: str,
    out: Path,
    field: str = "thumbnail",
    name: str | None = None,
) -> None:
    """Writes the picture as a PNG of 8-bit sRGB: upright, opaque, and by `rule` in the shape, width and height.

    Raises: as `make`.
    """
    look(path, field, name)
    said = f"{field} {name or path}"
    try:
        over = ImageColor.getrgb(background)[:3]
    except ValueError:
        raise RequestError(f"alpha_over of the preset: {background}: is no colour of CSS; give #rrggbb") from None
    asked: dict[str, Any] = {
        "most_pixels": MOST_PIXELS,
        "most_side": MOST_SIDE,
        "least_side": LEAST_SIDE,
        "background": over,
        "shape": shape,
        "rule": rule,
        "out": str(out.absolute()),
    }
    found = _child({**asked, "picture": str(path.absolute()), "upright": False}, said)
    if "unknown" in found:
        with TemporaryDirectory(dir=out.parent) as work:
            turned = Path(work) / "turned.png"
            _by_ffmpeg(tools, path, turned, said)
            found = _child({**asked, "picture": str(turned.absolute()), "upright": True}, said)
    if "error" in found:
        raise SourceError(f"{said}: {found['error']}; give another picture")


def _child(asked: dict[str, Any], said: str) -> dict[str, Any]:
    argv = [sys.executable, "-I", picture_child.__file__, json.dumps(asked)]
    try:
        done = process.run(argv, limits=CHILD, stall_seconds=STALL_SECONDS)
    except CommandFailed as error:
        raise _refused(error, said) from None
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _by_ffmpeg(tools: Tools, path: Path, out: Path, said: str) -> None:
    """Pillow does not know it: as a PNG, upright."""
    content = path.read_bytes()
    heif = content[4:8] == b"ftyp" and content[8:12] in HEIF
    if heif:
        # Of tiles, of which each may be small; what they make together stands in a box `ispe`.
        sizes = [struct.unpack(">II", found[1]) for found in re.finditer(rb"ispe\0{4}(.{8})", content, re.DOTALL)]
        wide, high = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
        if max(wide, high) > MOST_SIDE or wide * high > MOST_PIXELS:
            raise SourceError(f"{said}: has {wide}x{high} pixels; {MOST}; give another picture")
    readers = "mov" if heif else READERS
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin", "-xerror", "-err_detect", "explode"]
    argv += ["-max_pixels", str(MOST_PIXELS), "-protocol_whitelist", "file", "-format_whitelist", readers]
    # HEIC has a decoder for each of its tiles, hundreds of them; each of their threads would need memory of its own.
    argv += ["-threads", "1", "-i", f"file:{path.absolute()}", "-frames:v", "1", "-c:v", "png", "-pred", "none"]
    argv += ["-compression_level", "1", "-update", "1", "-f", "image2", f"file:{out.absolute()}"]
    try:
        process.run(argv, limits=FFMPEG, stall_seconds=STALL_SECONDS)
    except CommandFailed as error:
        raise _refused(error, said) from None
    if not out.exists():
        raise SourceError(f"{said}: {NO_PICTURE}")


def _refused(error: CommandFailed, said: str) -> SourceError:
    """A child that ended with an error, or by its limits."""
    if error.status in (-24, -9):
        return SourceError(f"{said}: takes too much time or memory to decode; give another", detail=error.detail)
    if "max_pixels" in error.log or "Picture size" in error.log:
        return SourceError(f"{said}: is too large; {MOST}; give another picture", detail=error.detail)
    if "Cannot allocate memory" in error.log or "pthread_create" in error.log:
        return SourceError(f"{said}: needs more memory than a picture may; give another", detail=error.detail)
    return SourceError(f"{said}: {NO_PICTURE}", detail=error.detail)
