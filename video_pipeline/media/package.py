"""Package tracks as HLS and DASH over one set of CMAF files, with Shaka Packager."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from video_pipeline.media import boxes, manifests, pipes, process, protection, whole
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_products import Sprites
from video_pipeline.media.keying import Keying
from video_pipeline.media.model import EncodingPlan, ProtectionPlan
from video_pipeline.media.products import StreamFile, Streams, TextTrack, Track
from video_pipeline.media.protection import ContentKey
from video_pipeline.media.tools import Tools, version

STALL_SECONDS = 120
CODE_VERSION = "6"
"""Part of the checkpoint's key: raise it when `manifests` writes something else."""


def package(
    tools: Tools,
    plan: EncodingPlan,
    tracks: Sequence[Track],
    files: Mapping[str, Path],
    out_dir: Path,
    text: Sequence[TextTrack] = (),
    key: ContentKey | None = None,
    sprites: Sprites | None = None,
) -> Streams:
    """Writes each track as `<out_dir>/<sha256>.mp4`, nothing else, and returns them with both manifests.

    Args:
        files: track name to the MP4 the encoder wrote.
        text: tracks for the manifests to name; no file of theirs is written.
        key: of a plan with protection.
        sprites: for the manifests to name, likewise.

    Raises:
        CommandFailed: the packager refuses a track.
    """
    with TemporaryDirectory(dir=out_dir) as name:
        work = Path(name)
        for track in tracks:
            # By link: a comma in a directory's name would end the packager's field.
            (work / _input(track)).symlink_to(files[track.name].resolve())
        keying = _keying(tools, plan.protection, key, tracks)
        secret = protection.encrypting(keying.key, keying.vectors) if keying and keying.vectors else ""
        with pipes.holding(secret.encode()) as stdin:
            argv = command(tools, plan, tracks)
            process.run(argv, nice=tools.nice, stall_seconds=STALL_SECONDS, cwd=work, stdin=stdin)
        media, durations = [], {}
        for track in tracks:
            path = work / f"{track.name}.mp4"
            durations[track.name] = [entry.duration for entry in boxes.segment_index(path, boxes.top_level(path))]
            if keying and keying.plan.whole:
                keying.spans[track.name], keying.vectors[track.name] = whole.seal(path, keying.key, track.file.sha256)
            blob = blob_of(path)
            path.rename(out_dir / f"{blob.sha256}.mp4")
            media.append(StreamFile(name=track.name, file=blob))
        playlists = {path.name: path.read_text("utf-8") for path in work.glob("*.m3u8")}
        mpd = (work / "manifest.mpd").read_bytes()
        texts = manifests.complete(plan, media, durations, playlists, mpd, text, keying, sprites)
    return Streams(media=tuple(media), texts=texts)


def _keying(
    tools: Tools, plan: ProtectionPlan | None, key: ContentKey | None, tracks: Sequence[Track]
) -> Keying | None:
    if plan is None:
        return None
    assert key is not None, "whoever plans protection has a key"
    return Keying(plan, key, {} if plan.whole else protection.vectors(tools, plan, key, tracks))


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
        if plan.protection:
            fields["drm_label"] = track.name
        argv.append(",".join(f"{name}={value}" for name, value in fields.items()))
    return [
        *argv,
        *_muxing(plan),
        "--hls_playlist_type=VOD",
        "--mpd_output=manifest.mpd",
        "--hls_master_playlist_output=master.m3u8",
        *protection.arguments(plan.protection),
    ]


def decrypt(tools: Tools, plan: EncodingPlan, key: ContentKey, files: Mapping[str, Path], out_dir: Path) -> None:
    """Writes each file that was packaged with cenc or cbcs as `<out_dir>/<name>.mp4` without its encryption.

    Raises:
        CommandFailed: the packager refuses a file.
    """
    argv = [str(tools.packager), "--quiet", *_muxing(plan), protection.FLAGS]
    for name, path in files.items():
        (out_dir / f"{name}.in.mp4").symlink_to(path.resolve())
        argv.append(f"in={name}.in.mp4,stream=0,output={name}.mp4")
    with pipes.holding(protection.decrypting(key).encode()) as stdin:
        process.run(argv, nice=tools.nice, stall_seconds=STALL_SECONDS, cwd=out_dir, stdin=stdin)


def _muxing(plan: EncodingPlan) -> list[str]:
    return [
        # Whole frames: at 29.97 a segment is 4.004 s, and 4 s would drift off the grid.
        f"--segment_duration={float(plan.segment / plan.rate):.9f}",
        f"--fragment_duration={float(plan.gop / plan.rate):.9f}",
        # Creation times would make every run's bytes differ.
        "--use_fake_clock_for_muxer",
    ]


def checkpoint_key(
    tools: Tools,
    plan: EncodingPlan,
    tracks: Sequence[Track],
    text: Sequence[TextTrack] = (),
    key: ContentKey | None = None,
    sprites: Sprites | None = None,
) -> str:
    """Over all that shapes the packaged files: the tracks' bytes, the grid, the texts and tiles that manifests name,
    the key and the packager's build."""
    parts = [CODE_VERSION, version(tools.packager), plan.segment, plan.gop, plan.rate, plan.frames]
    parts += [*(sound.model_dump_json() for sound in plan.audio)]
    parts += [*(encoder.model_dump_json(include={"family", "video_range"}) for encoder in plan.encoders)]
    parts += [f"{track.name} {track.file.sha256}" for track in tracks]
    parts += [track.model_dump_json() for track in text]
    parts += [sprites.model_dump_json()] if sprites else []
    if plan.protection and key:
        parts += [plan.protection.model_dump_json(), key.video_id, key.digest]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _input(track: Track) -> str:
    return f"{track.name}.in.mp4"
