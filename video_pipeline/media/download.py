"""One plain MP4 with picture and sound for people to keep: a rung and the stereo sound, not encoded again.

Its index lies before its data, so it plays while it loads. It has no title or other tags: the same streams give the
same bytes whatever a video is called.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from video_pipeline.media import ffmpeg
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import Download, Track
from video_pipeline.media.text import languages
from video_pipeline.media.tools import Tools

FILE = "download.mp4"


def make(tools: Tools, plan: EncodingPlan, video: Path, sound: Path | None, out_dir: Path) -> Download:
    """Writes `<out_dir>/download.mp4`.

    Args:
        video, sound: the files the encoders wrote; no sound if the video has none.

    Raises:
        CommandFailed: ffmpeg refuses a track.
    """
    out = out_dir / FILE
    ffmpeg.ffmpeg(tools, command(plan, video, sound, out))
    return Download(file=blob_of(out))


def command(plan: EncodingPlan, video: Path, sound: Path | None, out: Path) -> list[str]:
    """The arguments of that ffmpeg, without its global flags."""
    args = ["-i", str(video), *(["-i", str(sound)] if sound else [])]
    args += ["-map", "0:v:0", *(["-map", "1:a:0"] if sound else [])]
    args += ["-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1", "-fflags", "+bitexact"]
    if sound and (language := languages.three_letters(plan.audio[0].language)):
        args += ["-metadata:s:a:0", f"language={language}"]
    return [*args, "-movflags", "+faststart", str(out)]


def sound_name(plan: EncodingPlan) -> str | None:
    """Of the track that goes with the pictures: the one a player starts with. None without sound."""
    return plan.audio[0].name if plan.audio else None


def checkpoint_key(video: Track, sound: Track | None, plan: EncodingPlan, build: str) -> str:
    """Over all that shapes the bytes."""
    parts = [*command(plan, Path("video"), Path("sound") if sound else None, Path(FILE)), video.file.sha256]
    parts += [sound.file.sha256 if sound else "", build]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
