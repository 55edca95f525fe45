"""Pictures that people bring: whatever their format, the same four colours come out; what is none is refused."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from video_pipeline.errors import RequestError, SourceError
from video_pipeline.media import custom_picture
from video_pipeline.media.custom_picture import Rule, decode
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import heif
from video_pipeline_tests.media.release import run_ffmpeg

SIZE = (160, 120)
CORNERS = [(200, 40, 40), (40, 160, 60), (40, 60, 180), (220, 220, 220)]
"""Top left, top right, bottom left, bottom right."""
GREYS = [(40, 40, 40), (110, 110, 110), (170, 170, 170), (230, 230, 230)]
Write = Callable[[Tools, Path, Path], Path]
"""From an RGB PNG of the four colours, in a directory."""


def four(colours: list[tuple[int, int, int]] = CORNERS, size: tuple[int, int] = SIZE) -> Image.Image:
    picture = Image.new("RGB", size)
    for n, colour in enumerate(colours):
        left, top = n % 2 * size[0] // 2, n // 2 * size[1] // 2
        picture.paste(colour, (left, top, left + size[0] // 2, top + size[1] // 2))
    return picture


def corners(path: Path) -> list[tuple[int, ...]]:
    """The colour in the middle of each quarter."""
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        pixels = np.asarray(picture)
    height, width = pixels.shape[:2]
    places = [(height // 4, width // 4), (height // 4, 3 * width // 4)]
    places += [(3 * height // 4, column) for _, column in places]
    return [tuple(int(value) for value in pixels[place]) for place in places]


def off(found: list[tuple[int, ...]], due: list[tuple[int, int, int]]) -> int:
    return int(np.abs(np.asarray(found) - np.asarray(due)).max())


def saved(form: str, suffix: str, **options: object) -> Write:
    def write(_: Tools, plain: Path, directory: Path) -> Path:
        with Image.open(plain) as picture:
            picture.save(directory / f"a{suffix}", form, **options)
        return directory / f"a{suffix}"

    return write


def turned(_: Tools, plain: Path, directory: Path) -> Path:
    """As a phone held upright writes it: on its side, with EXIF orientation 6."""
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open(plain) as picture:
        picture.transpose(Image.Transpose.ROTATE_90).save(directory / "a.jpg", quality=95, exif=exif)
    return directory / "a.jpg"


def cmyk(_: Tools, plain: Path, directory: Path) -> Path:
    with Image.open(plain) as picture:
        picture.convert("CMYK").save(directory / "a.jpg", quality=95)
    return directory / "a.jpg"


def lab(_: Tools, plain: Path, directory: Path) -> Path:
    srgb, own = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    with Image.open(plain) as picture:
        converted = ImageCms.profileToProfile(picture, srgb, own, outputMode="LAB")
    assert converted is not None
    converted.save(directory / "a.tif")
    return directory / "a.tif"


def animated(form: str, suffix: str) -> Write:
    def write(_: Tools, plain: Path, directory: Path) -> Path:
        with Image.open(plain) as picture:
            others = [Image.new("RGB", SIZE, "black"), Image.new("RGB", SIZE, "white")]
            picture.save(
                directory / f"a{suffix}", form, save_all=True, append_images=others, duration=40, lossless=True
            )
        return directory / f"a{suffix}"

    return write


def palette(_: Tools, plain: Path, directory: Path) -> Path:
    with Image.open(plain) as picture:
        picture.quantize(8).save(directory / "a.png")
    return directory / "a.png"


def by_ffmpeg(suffix: str, *options: str) -> Write:
    def write(tools: Tools, plain: Path, directory: Path) -> Path:
        run_ffmpeg(tools, "-i", plain, *options, directory / f"a{suffix}")
        return directory / f"a{suffix}"

    return write


def heic(turns: int = 0) -> Write:
    def write(tools: Tools, plain: Path, directory: Path) -> Path:
        side = directory / "side.png"
        with Image.open(plain) as picture:
            stored = picture.rotate(-90 * turns, expand=True)
        stored.save(side)
        return heif.write(tools, side, directory / "a.heic", stored.size, turns)

    return write


WRITERS: dict[str, tuple[Write, int]] = {
    "JPEG": (saved("JPEG", ".jpg", quality=95), 4),
    "JPEG on its side": (turned, 4),
    "JPEG in CMYK": (cmyk, 4),
    "PNG with a palette": (palette, 0),
    "PNG of 16 bits": (by_ffmpeg(".png", "-pix_fmt", "rgb48be"), 1),
    "animated PNG": (animated("PNG", ".png"), 0),
    "animated GIF": (animated("GIF", ".gif"), 0),
    "animated WebP": (animated("WEBP", ".webp"), 0),
    "AVIF": (saved("AVIF", ".avif", quality=90), 6),
    "TIFF in CIELAB": (lab, 3),
    "TIFF of 16 bits": (by_ffmpeg(".tiff", "-pix_fmt", "rgb48le"), 1),
    "BMP": (saved("BMP", ".bmp"), 0),
    "JPEG 2000": (saved("JPEG2000", ".jp2"), 0),
    "JPEG XL": (by_ffmpeg(".jxl", "-distance", "0.5"), 6),
    "HEIC": (heic(), 8),
    "HEIC on its side": (heic(1), 8),
    "a name that lies": (saved("PNG", ".mp4"), 0),
}


@pytest.mark.parametrize(("write", "tolerance"), WRITERS.values(), ids=WRITERS)
def test_every_format_shows_the_same(tools: Tools, tmp_path: Path, write: Write, tolerance: int) -> None:
    four().save(tmp_path / "plain.png")
    decode(tools, write(tools, tmp_path / "plain.png", tmp_path), SIZE, "crop", "black", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == SIZE
    assert off(corners(tmp_path / "out.png"), CORNERS) <= tolerance


@pytest.mark.parametrize("suffix", [".tiff", ".png"])
def test_grey_of_16_bits(tools: Tools, tmp_path: Path, suffix: str) -> None:
    four(GREYS).save(tmp_path / "plain.png")
    run_ffmpeg(tools, "-i", tmp_path / "plain.png", "-pix_fmt", "gray16le", tmp_path / f"a{suffix}")
    decode(tools, tmp_path / f"a{suffix}", SIZE, "crop", "black", tmp_path / "out.png")
    assert off(corners(tmp_path / "out.png"), GREYS) <= 1


@pytest.mark.parametrize("form", ["PNG", "WEBP", "AVIF"])
def test_what_is_transparent_shows_the_background(tools: Tools, tmp_path: Path, form: str) -> None:
    picture = four().convert("RGBA")
    alpha = Image.new("L", SIZE, 255)
    alpha.paste(0, (0, 0, SIZE[0] // 2, SIZE[1] // 2))
    alpha.paste(128, (SIZE[0] // 2, 0, SIZE[0], SIZE[1] // 2))
    picture.putalpha(alpha)
    picture.save(tmp_path / "a", form, lossless=True, quality=100)
    decode(tools, tmp_path / "a", SIZE, "crop", "#204060", tmp_path / "out.png")
    half = tuple(round((one + other) / 2) for one, other in zip(CORNERS[1], (0x20, 0x40, 0x60), strict=True))
    assert off(corners(tmp_path / "out.png"), [(0x20, 0x40, 0x60), (half[0], half[1], half[2]), *CORNERS[2:]]) <= 4


def test_a_profile_of_colours_is_obeyed(tools: Tools, tmp_path: Path) -> None:
    """Of a screen whose red and green are each other's: the TRC and primaries of sRGB with two of them exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"----", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"----", b"gXYZ", 1)
    four().save(tmp_path / "a.png", icc_profile=swapped)
    decode(tools, tmp_path / "a.png", SIZE, "crop", "black", tmp_path / "out.png")
    assert off(corners(tmp_path / "out.png"), [(green, red, blue) for red, green, blue in CORNERS]) <= 2


@pytest.mark.parametrize(
    ("own", "rule", "shape", "size"),
    [
        ((400, 300), "crop", (160, 90), (160, 90)),
        ((300, 400), "crop", (160, 90), (160, 90)),
        ((300, 400), "fit", (160, 90), (160, 90)),
        ((80, 60), "crop", (160, 90), (80, 46)),
        ((64, 64), "fit", (160, 90), (114, 64)),
        ((3000, 16), "crop", (160, 90), (30, 16)),
    ],
)
def test_it_takes_the_shape_and_is_never_enlarged(
    tools: Tools, tmp_path: Path, own: tuple[int, int], rule: Rule, shape: tuple[int, int], size: tuple[int, int]
) -> None:
    """Cut or barred on both sides alike: the four colours meet in the middle."""
    four(size=own).save(tmp_path / "a.png")
    decode(tools, tmp_path / "a.png", shape, rule, "#ff00ff", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as opened:
        picture = opened.convert("RGB")
    assert picture.size == size
    width, height = size
    for n, colour in enumerate(CORNERS):
        # A sixteenth from the middle is always inside of the picture.
        place = (
            width // 2 + (width // 16 + 1) * (2 * (n % 2) - 1),
            height // 2 + (height // 16 + 1) * (2 * (n // 2) - 1),
        )
        assert off([picture.getpixel(place)], [colour]) <= 3, place
    barred = picture.getpixel((0, height // 2)) == (255, 0, 255)
    assert barred is (rule == "fit" and own[0] * shape[1] < own[1] * shape[0])


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with hardly anything in it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def tiff_of(width: int, height: int) -> bytes:
    """Of one strip that is not there; Pillow would read it, and so would ffmpeg."""
    tags = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (277, 3, 1)]
    tags += [(278, 4, height), (279, 4, width * height)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)


PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"><image href="file:///etc/passwd"/></svg>'
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n"
NONE = "is no picture; give JPEG, PNG, WebP"
BAD: dict[str, tuple[bytes, str]] = {
    "a text": (b"this is no picture\n" * 40, NONE),
    "zeros": (bytes(4096), NONE),
    "a playlist": (PLAYLIST, NONE),
    "a drawing": (SVG, NONE),
    "PostScript": (EPS, NONE),
    "a bomb": (
        bomb(50_000, 50_000),
        "is too large; at most 100 megapixels|has 50000x50000 pixels; at most 16384 on a side",
    ),
    "a long bomb": (bomb(20_000, 16), "has 20000x16 pixels; at most 16384 on a side and 100 megapixels"),
    "a TIFF bomb": (tiff_of(60_000, 60_000), "is too large; at most 100 megapixels"),
    "a small one": (bomb(15, 200), "has 15x200 pixels; 16 on each side are the least"),
    "an empty PNG": (bomb(400, 400), "is damaged or cut off"),
}


@pytest.mark.parametrize(("content", "why"), BAD.values(), ids=BAD)
def test_what_is_no_picture_is_refused_in_words(tools: Tools, tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(SourceError, match=rf"^thumbnail /given/a\.png: ({why})") as raised:
        custom_picture.check(tools, tmp_path / "a.png", "thumbnail", "/given/a.png", tmp_path)
    assert raised.value.error_class == "permanent"
    assert "\n" not in str(raised.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


@pytest.mark.parametrize(("form", "keep"), [("JPEG", 0.6), ("PNG", 0.6), ("AVIF", 0.6), ("GIF", 0.5), ("JPEG", 0.01)])
def test_a_picture_cut_off_is_refused(tools: Tools, tmp_path: Path, form: str, keep: float) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (200, 200, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "whole", form)
    data = (tmp_path / "whole").read_bytes()
    (tmp_path / "a").write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(SourceError, match=r"^thumbnail x: is (damaged or cut off|no picture)"):
        custom_picture.check(tools, tmp_path / "a", "thumbnail", "x", tmp_path)


def test_tiles_are_counted_together(tools: Tools, tmp_path: Path) -> None:
    """A HEIC may say that its picture is far larger than what its decoder is given."""
    four().save(tmp_path / "plain.png")
    whole = heic()(tools, tmp_path / "plain.png", tmp_path)
    sizes = [struct.pack(">II", *size) for size in (SIZE, (16_000, 9_000))]
    whole.write_bytes(whole.read_bytes().replace(b"ispe\0\0\0\0" + sizes[0], b"ispe\0\0\0\0" + sizes[1]))
    with pytest.raises(SourceError, match=r"^thumbnail x: has 16000x9000 pixels; at most 16384 on a side and 100 mega"):
        custom_picture.check(tools, whole, "thumbnail", "x", tmp_path)


def test_a_video_is_refused(tools: Tools, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"^thumbnail x: is no picture"):
        custom_picture.check(tools, clip, "thumbnail", "x", tmp_path)


def test_a_file_too_large_is_not_even_opened(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(custom_picture.MOST_BYTES + 1)
    with pytest.raises(SourceError, match=r"^thumbnail .*a\.png: 50000001 bytes are too many for a picture"):
        custom_picture.look(tmp_path / "a.png", "thumbnail")


def test_what_cannot_be_one_is_seen_at_a_glance(tools: Tools, clip: Path, tmp_path: Path) -> None:
    run_ffmpeg(tools, "-i", clip, "-c", "copy", tmp_path / "clip.mkv")
    for path in (clip, tmp_path / "clip.mkv"):
        with pytest.raises(SourceError, match=rf"^thumbnail {path}: is no picture; give JPEG, PNG"):
            custom_picture.look(path, "thumbnail")
    for form in ("AVIF", "JPEG", "TIFF"):
        four().save(tmp_path / "picture", form)
        custom_picture.look(tmp_path / "picture", "thumbnail")


@pytest.mark.slow
def test_the_largest_there_may_be(tools: Tools, tmp_path: Path) -> None:
    """Within the memory that the child has."""
    Image.new("LA", (10_000, 10_000), (200, 128)).save(tmp_path / "a.png", compress_level=1)
    decode(tools, tmp_path / "a.png", (160, 90), "fit", "black", tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as picture:
        assert off([picture.getpixel((80, 45))], [(100, 100, 100)]) <= 1


def test_a_colour_nobody_knows(tools: Tools, tmp_path: Path) -> None:
    four().save(tmp_path / "a.png")
    with pytest.raises(RequestError, match=r"^alpha_over of the preset: ultraviolet: "):
        decode(tools, tmp_path / "a.png", SIZE, "crop", "ultraviolet", tmp_path / "out.png")
