"""Clips with subtitles, captions and chapters, and an independent reading of WebVTT."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg

SRT = """1
00:00:00,500 --> 00:00:01,456
Hello <i>wörld</i> & <b>co</b>

2
00:00:01,500 --> 00:00:02,000
{\\an8}5 < 6
second line

3
00:00:03,000 --> 00:00:30,000
The end
"""
"""Three cues; the last one goes on behind any clip's end."""
ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Italic, Underline, Alignment
Style: Default,Arial,20,&H00FFFFFF,-1,0,0,2
Style: Thought,Arial,20,&H00FFFFFF,0,-1,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,not for viewers
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Ann,0,0,0,,{\\an8\\pos(10,20)}One,{\\i1} two{\\i0} {a note}\\Nthree
Dialogue: 0,0:00:00.25,0:00:00.75,Thought,,0,0,0,,{\\k20}a{\\k30}b {\\p1}m 0 0 l 9 0{\\p0}< c
"""
VTT = """WEBVTT

STYLE
::cue { color: red }

NOTE nobody sees this

first
00:00.250 --> 00:01.000 line:0 align:start
<v Ann>You &amp; <i>me</i> &lt;here&gt;

00:01.000 --> 00:02.000
<c.red>{braces}</c>
"""


def clip(tools: Tools, path: Path, inputs: Sequence[Path] = (), args: Iterable[str] = (), seconds: float = 4) -> Path:
    """Pictures, and a stream of each input behind them."""
    argv: list[str | Path] = ["-f", "lavfi", "-i", f"testsrc2=size=320x180:rate=25:duration={seconds}"]
    for given in inputs:
        argv += ["-i", given]
    argv += [word for n in range(len(inputs) + 1) for word in ("-map", str(n))]
    run_ffmpeg(tools, *argv, "-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", *args, path)
    return path


def worded(tools: Tools, directory: Path) -> Path:
    """English and French subtitles, French the default, and three chapters, the second without a name."""
    about = directory / "chapters.txt"
    times = [("0", "1500", "title=One & only\n"), ("1500", "2500", ""), ("2500", "9000", "title=Three\n")]
    chapters = [f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={start}\nEND={end}\n{title}" for start, end, title in times]
    about.write_text("".join([";FFMETADATA1\n", *chapters]))
    paths = [directory / "en.srt", directory / "fr.vtt"]
    for path, text in zip(paths, (SRT, VTT), strict=True):
        path.write_text(text, "utf-8")
    args = ["-map_metadata", "3", "-c:s", "copy", "-disposition:s:1", "default"]
    args += ["-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fra"]
    argv: list[str | Path] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=4", "-i", paths[0]]
    argv += ["-i", paths[1], "-i", about, "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264"]
    run_ffmpeg(tools, *argv, "-preset", "ultrafast", *args, directory / "worded.mkv")
    return directory / "worded.mkv"


def captioned(tools: Tools, path: Path, captions: dict[int, str | None], first: int = 0) -> Path:
    """6 s at 25 frames/s whose pictures carry CTA-608 pop-on captions.

    Args:
        captions: frame to the text that is shown from there, None for nothing.
        first: frame that has caption data, as have all behind it.
    """
    pairs: dict[int, tuple[int, int]] = {}
    for frame, text in captions.items():
        if text is None:
            pairs |= {frame: (0x14, 0x2C), frame + 1: (0x14, 0x2C)}
            continue
        data = text.encode() + b"\0" * (len(text) % 2)
        # Pop-on mode, empty the hidden screen, row 15, the letters, show the hidden screen; commands come twice.
        words = [(0x14, 0x20)] * 2 + [(0x14, 0x2E)] * 2 + [(0x14, 0x70)] * 2
        words += [*zip(data[::2], data[1::2], strict=True), (0x14, 0x2F), (0x14, 0x2F)]
        pairs |= {frame - len(words) + 2 + n: word for n, word in enumerate(words)}
    raw = path.with_suffix(".bare.h264")
    clip(tools, raw, args=["-x264-params", "aud=0", "-f", "h264"], seconds=6)
    written, frame = b"", 0
    for unit in filter(None, re.split(rb"\x00\x00\x00?\x01", raw.read_bytes())):
        if unit[0] & 31 in (1, 5) and unit[1] & 0x80:  # the first slice of a picture
            if frame >= first:
                written += b"\0\0\0\1" + _message(pairs.get(frame, (0, 0)))
            frame += 1
        written += b"\0\0\0\1" + unit
    bare = path.with_suffix(".h264")
    bare.write_bytes(written)
    run_ffmpeg(tools, "-r", "25", "-i", bare, "-c", "copy", path)
    return path


def _message(pair: tuple[int, int]) -> bytes:
    """Supplemental enhancement information with one pair of caption bytes (ANSI/SCTE 128, 8.1)."""
    odd = bytes(byte | (0 if bin(byte).count("1") % 2 else 0x80) for byte in pair)
    payload = b"\xb5\x00\x31GA94\x03\x41\xff\xfc" + odd + b"\xff"
    body = bytes([6, 4, len(payload)]) + payload + b"\x80"
    return re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\0\0\3", body)


def read_back(vtt: str) -> list[tuple[str, str]]:
    """Times and text of each cue, with its tags and without its escapes."""
    head, *blocks = vtt.removesuffix("\n").split("\n\n")
    assert head.splitlines()[0] == "WEBVTT"
    cues = [block.split("\n", 1) for block in blocks]
    return [(times, html.unescape(text)) for times, text in cues]
