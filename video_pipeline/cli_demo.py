"""`video-pipeline demo`: the whole stack, one video through it, and where to watch the result."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path
from typing import Any

import click

from video_pipeline.cli_stack import foreground, say
from video_pipeline.services import demo_clip
from video_pipeline.services.rolling import watch
from video_pipeline.services.stack import Stack


@click.command()
@click.argument("video", required=False)
@click.option("--exit", "leave", is_flag=True, help="Stop everything when the video is done.")
def demo(video: str | None, leave: bool) -> None:
    """Start everything, process VIDEO (default: a clip of Big Buck Bunny), and show where to watch it."""
    done = False
    try:
        with foreground() as stack:
            _process(stack, video)
            done = True
            if not leave:
                say("\nCtrl-C stops everything")
                watch(stack)
    except KeyboardInterrupt:
        if not done:
            raise


def _process(stack: Stack, video: str | None) -> None:
    from video_pipeline.intake.submit import submit_job
    from video_pipeline.progress.follow import follow
    from video_pipeline.stores.sources import local_path

    if video is None:
        path, video_id, title = demo_clip.fetch(stack.settings.home), "big-buck-bunny", "Big Buck Bunny"
    else:
        path = local_path(video)
        video_id, title = _id_of(path), path.stem
    say(f"enqueues {path.name} as video {video_id}, preset {stack.settings.default_preset}")
    started = time.monotonic()
    job_id, video_id = submit_job(stack.settings, str(path), video_id=video_id, title=title)
    done = follow(stack.settings, job_id, video_id, sys.stdout, each=stack.check)
    say(f"\nvideo {video_id} is published after {time.monotonic() - started:.1f} s: release {done['releaseId']}\n")
    say(_tree(stack.settings.store, done))
    say(f"\n  watch       {stack.delivery}/watch/{video_id}")
    say(f"  play        ffplay {stack.delivery}/{done['hls']}")
    say(f"  Dagster UI  {stack.web}/assets/release?view=partitions&partition={video_id}")


def _id_of(path: Path) -> str:
    """A video id that resembles the file's name."""
    return re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")[:63].strip("-") or "demo"


def _tree(store: Path, done: dict[str, Any]) -> str:
    """The release's files and the media files they use, with sizes."""
    from video_pipeline.stores.release_model import Release

    root = store / done["release"]
    release = Release.model_validate_json((root / "release.json").read_bytes())
    lines = [str(root)]
    directory = ""
    names = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: ("/" in name, name)):
        parent, _, leaf = name.rpartition("/")
        if parent != directory:
            lines.append(f"  {parent}/")
            directory = parent
        lines.append(
            f"  {'  ' if parent else ''}{leaf:{34 - 2 * bool(parent)}}{_size((root / name).stat().st_size):>10}"
        )
    lines.append(str(root.parent.parent / "media"))
    media = [file for file in release.files if file.path.startswith("../../media/")]
    lines += [f"  {file.sha256[:24]}….mp4     {_size(file.size):>10}" for file in media]
    total = sum(file.size for file in release.files)
    return "\n".join([*lines, f"  {'all together':34}{_size(total):>10}"])


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB"
