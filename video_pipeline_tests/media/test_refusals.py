"""What is no video, or a protected one, is refused as what it is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline.errors import SourceError
from video_pipeline.media import probe, process
from video_pipeline.media.tools import Tools


def picture(form: str) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(out, form)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("video.mp4", b"\0" * 1000)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: b"", "it is empty (0 bytes)"),
        (lambda: bytes(3_000_000), "it holds nothing but zeros; it was probably never written to its end"),
        (lambda: picture("JPEG"), "it is a picture (JPEG), not a video"),
        (lambda: picture("PNG"), "it is a picture (PNG), not a video"),
        (lambda: picture("GIF"), "it is a picture (GIF), not a video"),
        (lambda: picture("WEBP"), "it is a picture (WebP), not a video"),
        (lambda: picture("BMP"), "it is a picture (BMP), not a video"),
        (lambda: picture("TIFF"), "it is a picture (TIFF or camera raw), not a video"),
        (lambda: picture("PDF"), "it is a PDF document, not a video"),
        (archive, "it is an archive (ZIP), not a video"),
        (lambda: b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello\r\n", "it is a subtitle file (SRT), not a video"),
        (lambda: b"<!DOCTYPE html><html><body>404</body></html>", "it is a web page, not a video"),
        (lambda: "Grüße\n".encode() * 100, "it is a text, not a video"),
        (
            lambda: b"\0\0\0\x20ftypisom" + bytes(20) + b"\0\0\0\3free\0\0\0\10mdat",
            "the free box at byte 32 says it has 3 bytes",
        ),
    ],
)
def test_other_kinds(tools: Tools, tmp_path: Path, data: Callable[[], bytes], words: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(data())
    with pytest.raises(SourceError) as caught:
        probe.probe(tools, path, name="holiday.mp4")
    assert str(caught.value).startswith("holiday.mp4: ")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_pictures_in_a_row_are_a_video(tools: Tools, tmp_path: Path) -> None:
    """Motion JPEG begins like a picture, an animated GIF and PNG too."""
    for name, options in {"a.mjpeg": ["-f", "mjpeg"], "a.gif": [], "a.apng": []}.items():
        path = tmp_path / name
        process.run([tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", SMALL, *options, path])
        assert probe.probe(tools, path).timing.frames == 25


SMALL = "testsrc2=size=64x64:rate=25:duration=1"


@pytest.fixture
def stream(tools: Tools, tmp_path: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = tmp_path / name
        codec = ["-c:v", "mpeg2video"] if name.endswith(("ts", "vob")) else ["-c:v", "libx264"]
        process.run([tools.ffmpeg, "-v", "error", "-f", "lavfi", "-i", SMALL, *codec, path])
        return path

    return make


def test_scrambled_television(tools: Tools, stream: Callable[[str], Path]) -> None:
    path = stream("tv.ts")
    assert probe.probe(tools, path).timing.frames == 25
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 188):
        number = int.from_bytes(data[at + 1 : at + 3], "big") & 0x1FFF
        if number >= 0x100 and number != 0x1000:
            data[at + 3] |= 0x80
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"the video is encrypted \(scrambled television\); give a file without"):
        probe.probe(tools, path)


def test_scrambled_dvd(tools: Tools, stream: Callable[[str], Path]) -> None:
    path = stream("dvd.vob")
    assert probe.probe(tools, path).timing.frames == 25
    data = bytearray(path.read_bytes())
    at = data.find(b"\0\0\1\xe0")
    while at >= 0:
        data[at + 6] |= 0x10
        at = data.find(b"\0\0\1\xe0", at + 4)
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"the video is encrypted \(CSS, as DVDs are\)"):
        probe.probe(tools, path)


def test_common_encryption(tools: Tools, stream: Callable[[str], Path], tmp_path: Path) -> None:
    path = tmp_path / "cenc.mp4"
    keys = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 32, "-encryption_kid", "1" * 32]
    process.run([tools.ffmpeg, "-v", "error", "-i", stream("clear.mp4"), "-c", "copy", *keys, path])
    with pytest.raises(SourceError, match=r"the video is encrypted \(DRM\); give a file without protection"):
        probe.probe(tools, path)


def test_an_encrypted_matroska(tools: Tools, stream: Callable[[str], Path]) -> None:
    """A ContentEncodings element (0x6D80) with a key's name."""
    path = stream("clear.mkv")
    data = path.read_bytes()
    # ContentEncoding: order 0, scope 1, type 1 (encryption), AES, key id of 16 bytes.
    inner = b"\x47\xe1\x81\x05" + b"\x47\xe2\x90" + b"k" * 16
    coding = (
        b"\x50\x31\x81\0" + b"\x50\x32\x81\1" + b"\x50\x33\x81\1" + b"\x50\x35" + bytes([0x80 | len(inner)]) + inner
    )
    coding = b"\x62\x40" + bytes([0x80 | len(coding)]) + coding
    element = b"\x6d\x80" + bytes([0x80 | len(coding)]) + coding
    path.write_bytes(_grown(data, element))
    with pytest.raises(SourceError, match=r"the video is encrypted \(DRM\)"):
        probe.probe(tools, path)


def _grown(data: bytes, element: bytes) -> bytes:
    """With that element at the end of the first track; its parents' sizes follow, the segment's becomes unknown."""
    tracks = data.index(b"\x16\x54\xae\x6b", data.index(b"\x16\x54\xae\x6b") + 4)  # the seek head names it first
    start, size, width = _size(data, tracks + 4)
    entry = data.index(b"\xae", start + 6 if data[start] == 0xBF else start)  # behind a checksum
    inside, length, narrow = _size(data, entry + 1)
    track = data[inside : inside + length] + element
    head = b"\xae" + (len(track) | 1 << 7 * narrow).to_bytes(narrow, "big")
    list_ = data[start:entry] + head + track + data[inside + length : start + size]
    grown = data[: tracks + 4] + (len(list_) | 1 << 7 * width).to_bytes(width, "big") + list_ + data[start + size :]
    segment = grown.index(b"\x18\x53\x80\x67") + 4
    return grown[:segment] + b"\x01" + b"\xff" * 7 + grown[segment + 8 :]


def _size(data: bytes, at: int) -> tuple[int, int, int]:
    """Where the content begins, its bytes, and how many the size itself takes."""
    width = 9 - data[at].bit_length()
    return at + width, int.from_bytes(data[at : at + width], "big") & ((1 << 7 * width) - 1), width


@pytest.mark.media
def test_dolby_vision_without_a_standard_picture(tools: Tools, media: Path, tmp_path: Path) -> None:
    data = bytearray((media / "awkward/hdr_hlg_dovi_1080p60_rot90.mov").read_bytes())
    at = next(data.index(kind) for kind in (b"dvvC", b"dvcC") if kind in data) + 6
    level = int.from_bytes(data[at : at + 2], "big") & 0x01FF
    data[at : at + 2] = (5 << 9 | level).to_bytes(2, "big")
    path = tmp_path / "dv5.mov"
    path.write_bytes(data)
    with pytest.raises(SourceError, match="Dolby Vision profile 5"):
        probe.probe(tools, path)


@pytest.mark.media
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("drm.wmv", r"encrypted \(Windows Media DRM\)"),
        ("encrypted_cenc_192x108.mp4", r"encrypted \(DRM\)"),
        ("encrypted_short_cenc.mp4", r"encrypted \(DRM\)"),
        ("gizmo_frag2_22ch.mp4", r"encrypted \(DRM\)"),
        ("init_segment_only_cbcs.mp4", r"encrypted \(DRM\)"),
        ("malformed_free_box.mp4", "the free box at byte 32 says it has 3 bytes"),
        ("moov_missing_streamio.mp4", r"its index \(moov atom\) is missing"),
        ("truncated_claims_2669s.mp4", "it was cut off: the file ends before all of its 133,445 pictures"),
        ("fuzz_new.avi", r"it is an archive \(ZIP\)"),
        ("huge_dims_30000x30000_png.mp4", "a picture of 30000x30000 is too large"),
        ("lfi_hls_concat.mp4", "it is a playlist"),
    ],
)
def test_hostile_clips(tools: Tools, media: Path, name: str, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        probe.probe(tools, media / "hostile" / name)
