"""Package tracks as HLS and DASH over one set of CMAF files, with Shaka Packager."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from video_pipeline.media import boxes, manifests, process
from video_pipeline.media.files import blob_of
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import StreamFile, Streams, TextTrack, Track
from video_pipeline.media.tools import Tools, version

STALL_SECONDS = 120
CODE_VERSION = "4"
"""Part of the checkpoint's key: raise it when `manifests` writes something else."""


def package(
    tools: Tools,
    plan: EncodingPlan,
    tracks: Sequence[Track],
    files: Mapping[str, Path],
    out_dir: Path,
    text: Sequence[TextTrack] = (),
) -> Streams:
    """Writes each track as `<out_dir>/<sha256>.mp4`, nothing else, and returns them with both manifests.

    Args:
        files: track name to the MP4 the encoder wrote.
        text: tracks for the manifests to name; no file of theirs is written.

    Raises:
        CommandFailed: the packager refuses a track.
    """
    with TemporaryDirectory(dir=out_dir) as name:
        work = Path(name)
        for track in tracks:
            # By link: a comma in a directory's name would end the packager's field.
            (work / _input(track)).symlink_to(files[track.name].resolve())
        process.run(command(tools, plan, tracks), nice=tools.nice, stall_seconds=STALL_SECONDS, cwd=work)
        media, durations = [], {}
        for track in tracks:
            path = work / f"{track.name}.mp4"
            durations[track.name] = [entry.duration for entry in boxes.segment_index(path, boxes.top_level(path))]
            blob = blob_of(path)
            path.rename(out_dir / f"{blob.sha256}.mp4")
            media.append(StreamFile(name=track.name, file=blob))
        playlists = {path.name: path.read_text("utf-8") for path in work.glob("*.m3u8")}
        texts = manifests.complete(plan, media, durations, playlists, (work / "manifest.mpd").read_bytes(), text)
    return Streams(media=tuple(media), texts=texts)


def command(tools: Tools, plan: EncodingPlan, tracks: Sequence[Track]) -> list[str]:
    """The packager's command line. It reads `<track>.in.mp4` and writes `<track>.mp4`, playlists and the MPD in its
    working directory."""
    argv = [str(tools.packager), "--quiet"]
    sounds = {sound.name for sound in plan.audio}
    for track in tracks:
        fields = {"in": _input(track), "output": f"{track.name}.mp4", "playlist_name": f"{track.name}.m3u8"}
        if track.name in sounds:
            # What people read is free text, in which a comma would add fields; `manifests` writes it.
            fields |= {"stream": "audio", "hls_group_id": "audio", "hls_name": track.name}
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
        "--mpd_output=manifest.mpd",
        "--hls_master_playlist_output=master.m3u8",
    ]


def checkpoint_key(tools: Tools, plan: EncodingPlan, tracks: Sequence[Track], text: Sequence[TextTrack] = ()) -> str:
    """Over all that shapes the packaged files: the tracks' bytes, the grid and the packager's build."""
    parts = [CODE_VERSION, version(tools.packager), plan.segment, plan.gop, plan.rate, plan.frames]
    parts += [*(sound.model_dump_json() for sound in plan.audio)]
    parts += [*(encoder.model_dump_json(include={"family", "video_range"}) for encoder in plan.encoders)]
    parts += [f"{track.name} {track.file.sha256}" for track in tracks]
    parts += [track.model_dump_json() for track in text]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _input(track: Track) -> str:
    return f"{track.name}.in.mp4"
