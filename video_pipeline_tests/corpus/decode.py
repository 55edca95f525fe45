"""Plain ffmpeg and ffprobe: pictures with their times, and sound, as arrays.

Times are seconds on the clock of ffmpeg's command line, on which a file starts at zero.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from video_pipeline.media.tools import Tools

SIDE = 48
"""Pictures are compared at this width and height, whatever their shape."""
SAMPLES = 8000
"""Sound is compared at this rate, Hz, mono."""
SHOW = "showinfo@{}=checksum=0"
LIMIT = 900
"""Seconds for one decode."""

Frames = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]


@dataclass
class Pictures:
    frames: Frames
    """RGB, (number, SIDE, SIDE, 3), in the order they are shown."""
    times: npt.NDArray[np.float64]
    last: float = 0.0
    """How long the last picture is shown by the stream, s; 0 if it does not say."""
    shape: tuple[int, int, float] = (0, 0, 1.0)
    """Width, height, sample aspect of the first picture, upright."""
    fields: int = 0
    """Pictures that are flagged as interlaced."""
    errors: list[str] = field(default_factory=list)

    @property
    def aspect(self) -> float:
        width, height, sample = self.shape
        return width * sample / height


def probe(tools: Tools, path: Path) -> dict[str, Any]:
    """ffprobe's streams, chapters and format; empty if it cannot open the file."""
    argv = [str(tools.ffprobe), "-v", "quiet", "-of", "json", "-show_streams", "-show_format", "-show_chapters"]
    done = subprocess.run([*argv, str(path)], capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT)
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {}
    return found


def pictures(tools: Tools, path: Path, chain: str, before: tuple[str, ...] = (), stream: str = "") -> Pictures:
    """Every picture a player shows: turned as the file says, at the times the file gives.

    Args:
        chain: filters between the upright picture and its small RGB form.
        before: options of the input.
        stream: which one, as `-map` has it; without one ffmpeg chooses.
    """
    last = f"scale={SIDE}:{SIDE}:flags=area+accurate_rnd+full_chroma_int+full_chroma_inp,format=rgb24"
    argv = [str(tools.ffmpeg), "-v", "repeat+level+info", "-nostdin", *before, "-i", str(path), "-an", "-sn", "-dn"]
    argv += ["-map", stream] if stream else []
    argv += ["-vf", ",".join(part for part in (SHOW.format("in"), chain, last, SHOW.format("out")) if part)]
    argv += ["-fps_mode", "passthrough", "-enc_time_base", "filter", "-f", "rawvideo", "-"]
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, timeout=LIMIT)
        log.seek(0)
        lines = log.read().splitlines()
    come = [line for line in lines if "[showinfo@in " in line and " pts_time:" in line]
    shown = [line for line in lines if "[showinfo@out " in line and " pts_time:" in line]
    raw = np.frombuffer(done.stdout, np.uint8)
    count = min(len(raw) // (SIDE * SIDE * 3), len(shown))
    frames = raw[: count * SIDE * SIDE * 3].reshape(count, SIDE, SIDE, 3)
    times = np.array([_number(line, "pts_time") for line in shown[:count]])
    errors = [line for line in lines if re.search(r"\[(error|fatal|panic)\]", line)]
    if not count:
        return Pictures(frames, times, errors=errors)
    size = re.search(r" sar:(\d+)/(\d+) s:(\d+)x(\d+)", come[0])
    assert size is not None
    sizes = {found[0] for line in come if (found := re.search(r" sar:\d+/\d+ s:\d+x\d+", line))}
    if len(sizes) > 1 and not any("reinit" in word for word in before):
        # A player shows the later pictures whole, in the frame of the first.
        fit = f"scale={size[3]}:{size[4]}:force_original_aspect_ratio=decrease,pad={size[3]}:{size[4]}:-1:-1:eval=frame"
        chain = ",".join(part for part in (fit, chain) if part)
        return pictures(tools, path, chain, (*before, "-reinit_filter", "0"), stream)
    sample = int(size[1]) / int(size[2]) if int(size[1]) and int(size[2]) else 1.0
    order = np.argsort(times, kind="stable")
    return Pictures(
        frames[order],
        times[order],
        last=_number(shown[int(order[-1])], "duration_time"),
        shape=(int(size[3]), int(size[4]), sample),
        fields=sum(" i:P " not in line for line in come),
        errors=errors,
    )


def _number(line: str, name: str) -> float:
    found = re.search(rf" {name}:\s*(-?[\d.]+(?:e[-+]?\d+)?)", line)
    return float(found[1]) if found else 0.0


def sound(tools: Tools, path: Path, stream: str, before: tuple[str, ...] = (), zero: float = 0.0) -> Samples:
    """A track from the time `zero` on to its end, gaps and a late start as silence."""
    graph = f"asetpts=PTS-{zero:.6f}/TB,aresample={SAMPLES}:async=1:min_hard_comp=0.02:first_pts=0"
    argv = [str(tools.ffmpeg), "-v", "quiet", "-nostdin", *before, "-i", str(path), "-map", stream, "-af", graph]
    argv += ["-ac", "1", "-f", "f32le", "-"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=LIMIT)
    return np.frombuffer(done.stdout[: len(done.stdout) // 4 * 4], np.float32)


def complaints(tools: Tools, path: Path) -> list[str]:
    """What a decoder says of all streams of a file; nothing if it is clean."""
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(path), "-f", "null", "-"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    return done.stderr.splitlines() or ([f"status {done.returncode}"] if done.returncode else [])


def packets(tools: Tools, path: Path) -> list[tuple[float, bool]]:
    """Time in s and whether a key frame, of every video packet in the order they are shown."""
    argv = [str(tools.ffprobe), "-v", "error", "-select_streams", "v:0", "-of", "csv=p=0"]
    argv += ["-show_entries", "packet=pts_time,flags", str(path)]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    rows = [line.split(",") for line in done.stdout.split()]
    return sorted((float(row[0]), "K" in row[1]) for row in rows if row[0] not in ("", "N/A"))


def combed(tools: Tools, path: Path, chain: str = "") -> float:
    """The share of pictures that ffmpeg's idet takes for interlaced, behind the filters of `chain`."""
    graph = ",".join(part for part in (chain, "idet") if part)
    argv = [str(tools.ffmpeg), "-v", "info", "-nostdin", "-i", str(path), "-vf", graph, "-an", "-f", "null", "-"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT)
    found = re.findall(r"Multi frame detection: TFF:\s*(\d+) BFF:\s*(\d+) Progressive:\s*(\d+)", done.stderr)
    top, bottom, progressive = map(int, found[-1]) if found else (0, 0, 1)
    return (top + bottom) / max(1, top + bottom + progressive)
