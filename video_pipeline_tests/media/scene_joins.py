"""Clips of one shot each, joined in known places and ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video_pipeline.media.tools import Tools
from video_pipeline_tests.media.release import run_ffmpeg
from video_pipeline_tests.media.scene_truth import CUT, DISSOLVE, FADE, Transition

RATE = 25
SHOTS = (
    "natural/basketball_360p_11s.mp4",
    "natural/flower_540p_5s.mp4",
    "natural/cockatoo_720p20_14s_420.mp4",
    "natural/friday_480p_6s.mp4",
    "natural/dog_720p2997_10s.mp4",
    "natural/svt_landscape_1080p25_10bit422_10s.mp4",
    "natural/bbb_720p25_5.1_5s.mp4",
    "natural/changi_4k_portrait_hevc_9s.mp4",
)
XFADES = {DISSOLVE: "fade", FADE: "fadeblack", "white": "fadewhite"}


@dataclass(frozen=True)
class Join:
    name: str
    kinds: Sequence[tuple[str, int]]
    """How one shot follows another, and how many frames that takes."""
    shots: Sequence[str] = SHOTS
    frames: int = 75
    """Of each shot."""
    flashes: bool = False
    """Two white frames in each shot's middle."""

    @property
    def truth(self) -> list[Transition]:
        found, end = [], self.frames
        for kind, length in self.kinds:
            found.append(Transition(FADE if kind == "white" else kind, end - length, end))
            end += self.frames - length
        return found


def alike(name: str, kind: str, length: int, *, flashes: bool = False) -> Join:
    return Join(name, [(kind, length)] * (len(SHOTS) - 1), flashes=flashes)


ALL = (
    alike("cuts", CUT, 0),
    alike("cuts and flashes", CUT, 0, flashes=True),
    alike("dissolves of 0.5 s", DISSOLVE, 12),
    alike("dissolves of 1 s", DISSOLVE, 25),
    alike("fades through black", FADE, 25),
    alike("fades through white", "white", 25),
)


def make(tools: Tools, media: Path, join: Join, directory: Path) -> Path:
    """The clip, 426x240, as `<its name>.mkv`; what its shots are cut to stays beside it for the next."""
    parts = [_part(tools, media / shot, join, directory) for shot in join.shots]
    white = f"drawbox=t=fill:c=white:enable='between(n,{join.frames // 2},{join.frames // 2 + 1})'"
    graph = [f"[{n}:v]settb=1/{RATE},setpts=N{f',{white}' if join.flashes else ''}[v{n}]" for n in range(len(parts))]
    last = "[v0]"
    for n, (one, (kind, length)) in enumerate(zip(join.truth, join.kinds, strict=True), start=1):
        if kind == CUT:
            way = f"concat,settb=1/{RATE},setpts=N"
        else:
            way = f"xfade=transition={XFADES[kind]}:duration={length / RATE}:offset={one.start / RATE}"
        graph.append(f"{last}[v{n}]{way}[j{n}]")
        last = f"[j{n}]"
    inputs = [word for part in parts for word in ("-i", part)]
    path = directory / f"{join.name}.mkv"
    encoder = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "10", "-fps_mode", "passthrough"]
    run_ffmpeg(tools, *inputs, "-filter_complex", ";".join(graph), "-map", last, *encoder, path)
    return path


def _part(tools: Tools, shot: Path, join: Join, directory: Path) -> Path:
    path = directory / f"{shot.stem}-{join.frames}.mkv"
    if not path.exists():
        fitted = "scale=426:240:force_original_aspect_ratio=increase,crop=426:240,setsar=1,format=yuv420p"
        frames = ["-frames:v", str(join.frames), "-an", "-c:v", "utvideo"]
        run_ffmpeg(tools, "-i", shot, "-vf", f"fps={RATE},{fitted}", *frames, path)
    return path
