"""Package tracks as HLS and DASH over one set of CMAF files, with Shaka Packager."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from video_pipeline.media import manifests, process
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import EncodingPlan, StreamFile, Streams, Track
from video_pipeline.media.tools import Tools, version

STALL_SECONDS = 120
CODE_VERSION = "1"
"""Part of the checkpoint's key: raise it when `manifests` writes something else."""


def package(
    tools: Tools, plan: EncodingPlan, tracks: Sequence[Track], files: Mapping[str, Path], out_dir: Path
) -> Streams:
    """Writes each track as `<out_dir>/<sha256>.mp4` and returns them with both manifests.

    Args:
        files: track name to the MP4 the encoder wrote.

    Raises:
        CommandFailed: the packager refuses a track.
    """
    process.run(command(tools, plan, tracks, files, out_dir), nice=tools.nice, stall_seconds=STALL_SECONDS, cwd=out_dir)
    media = []
    for track in tracks:
        path = out_dir / f"{track.name}.mp4"
        blob = blob_of(path)
        path.rename(out_dir / f"{blob.sha256}.mp4")
        media.append(StreamFile(name=track.name, file=blob))
    raw = {path.name: path.read_text("utf-8") for path in out_dir.glob("*.m3u8")}
    texts = manifests.complete(plan, media, raw, (out_dir / "manifest.mpd").read_bytes())
    return Streams(media=tuple(media), texts=texts)


def command(
    tools: Tools, plan: EncodingPlan, tracks: Sequence[Track], files: Mapping[str, Path], out_dir: Path
) -> list[str]:
    """The packager's command line; it writes `<track>.mp4` and playlists into `out_dir`."""
    argv = [str(tools.packager), "--quiet"]
    for track in tracks:
        fields = {"in": str(files[track.name]), "output": str(out_dir / f"{track.name}.mp4")}
        fields["playlist_name"] = f"{track.name}.m3u8"
        if track.name == "audio":
            fields |= {"stream": "audio", "hls_group_id": "audio", "hls_name": "audio"}
            if plan.audio and plan.audio.language:
                fields["language"] = plan.audio.language
        else:
            fields |= {"stream": "video", "iframe_playlist_name": f"{track.name}-iframes.m3u8"}
        argv.append(",".join(f"{name}={value}" for name, value in fields.items()))
    return [
        *argv,
        # Whole frames: at 29.97 a segment is 4.004 s, and 4 s would drift off the grid.
        f"--segment_duration={float(plan.segment / plan.rate):.9f}",
        f"--fragment_duration={float(plan.gop / plan.rate):.9f}",
        # Creation times would make every run's bytes differ.
        "--use_fake_clock_for_muxer",
        "--hls_playlist_type=VOD",
        f"--mpd_output={out_dir / 'manifest.mpd'}",
        f"--hls_master_playlist_output={out_dir / 'master.m3u8'}",
    ]


def checkpoint_key(tools: Tools, plan: EncodingPlan, tracks: Sequence[Track]) -> str:
    """Over all that shapes the packaged files: the tracks' bytes, the grid and the packager's build."""
    parts = [CODE_VERSION, version(tools.packager), plan.segment, plan.gop, plan.rate, plan.frames]
    parts += [plan.audio.language if plan.audio else "", *(f"{track.name} {track.file.sha256}" for track in tracks)]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()
