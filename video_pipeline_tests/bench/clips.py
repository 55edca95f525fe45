"""Clips for measuring."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from video_pipeline.media import tools
from video_pipeline.media.probe import probe

LONG_SIZE, LONG_RATE = (1280, 720), 25
LONG_SOURCES = (
    "sintel_trailer_720p24_52s.mp4",
    "scenes_720p2997_24s.mp4",
    "cockatoo_720p20_14s_420.mp4",
    "svt_landscape_1080p25_10bit422_10s.mp4",
    "dog_720p2997_10s.mp4",
    "croatia_1080p25_5.5Mbps_8s.mp4",
    "tos_1080p2997_4.7Mbps_8s.mp4",
    "minecraft_1080p60_2audio_5s.mp4",
    "bbb_720p25_5.1_5s.mp4",
    "bbb_1080p24_hevc_5.1_5s.ts",
)


def make_clip(path: Path, *, seconds: float, size: str) -> Path:
    """Moving pictures and a tone; another length is another video."""
    argv = [str(tools.find().ffmpeg), "-v", "error", "-nostdin"]
    argv += ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration={seconds}"]
    argv += ["-f", "lavfi", "-i", f"sine=440:duration={seconds}"]
    argv += ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
    return path


def again(clip: Path, path: Path, *, comment: str) -> Path:
    """The same pictures and sound in another file: whatever is kept of the one by its digest is not the other's."""
    argv = [str(tools.find().ffmpeg), "-v", "error", "-nostdin", "-i", str(clip), "-c", "copy"]
    subprocess.run([*argv, "-metadata", f"comment={comment}", str(path)], check=True, stdin=subprocess.DEVNULL)
    return path


def long_clip(media: Path) -> Path:
    """Five minutes of 1280x720 at 25 frames/s with noise for sound: natural clips of at least 720 lines one after the
    other, then once more, mirrored. Made once, in some two minutes, and kept in the directory for temporary files."""
    sources = [media / "natural" / name for name in LONG_SOURCES]
    programs = tools.find()
    ffmpeg = str(programs.ffmpeg)
    chains = []
    for n in range(2 * len(sources)):
        fit = "scale={0}:{1}:force_original_aspect_ratio=decrease,pad={0}:{1}:-1:-1".format(*LONG_SIZE)
        mirrored = ",hflip" if n >= len(sources) else ""
        chains.append(f"[{n}:v:0]{fit},setsar=1,fps={LONG_RATE},format=yuv420p{mirrored}[v{n}]")
    joined = "".join(f"[v{n}]" for n in range(len(chains)))
    argv = [ffmpeg, "-v", "error", "-nostdin", "-y"]
    for source in sources * 2:
        argv += ["-i", str(source)]
    seconds = 2 * sum(
        float(stream.timing.end - stream.timing.first) for stream in (probe(programs, s) for s in sources)
    )
    argv += ["-f", "lavfi", "-i", f"anoisesrc=color=pink:seed=1:amplitude=0.2:duration={seconds:.3f}"]
    argv += ["-filter_complex", f"{';'.join(chains)};{joined}concat=n={len(chains)}[v]", "-map", "[v]"]
    # Near enough to lossless, and still as quick to decode as a mezzanine.
    argv += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-threads", "4"]
    argv += ["-x264-params", "sync-lookahead=0", "-map", f"{len(chains)}:a", "-c:a", "aac", "-ac", "2", "-bitexact"]
    name = hashlib.sha256("\n".join(argv).encode()).hexdigest()[:12]
    path = Path(tempfile.gettempdir()) / f"video-pipeline-bench-{name}.mp4"
    if not path.exists():
        print(f"making {path}", flush=True)
        unfinished = path.with_suffix(f".{os.getpid()}.mp4")
        subprocess.run([*argv, str(unfinished)], check=True, stdin=subprocess.DEVNULL)
        unfinished.rename(path)
    return path
