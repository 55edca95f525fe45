"""`make chaos`: an encoder or the worker is killed at random moments of an encode, one video each. Every video is
published once, the same byte for byte as one that was left alone, and no chunk is encoded again but those in hand."""

from __future__ import annotations

import itertools
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from tabulate import tabulate

from video_pipeline_tests.bench.clips import again, make_clip
from video_pipeline_tests.bench.kills import KINDS, PRESET, Alone, Killed, kill_once, left_alone
from video_pipeline_tests.e2e.apart import apart

HEADERS = (
    "",
    "killed",
    "encode was at",
    "encoders",
    "dead s",
    "goes on s",
    "completed s",
    "chunks encoded twice",
    "published once",
    "same bytes",
)


@click.command()
@click.option("--kills", default=20, show_default=True, help="Of each kind.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(list(KINDS)), help="Only these; all by default.")
@click.option("--seed", default=1, show_default=True, help="Of the moments.")
@click.option("--seconds", default=80.0, show_default=True, help="Length of each video.")
@click.option("--size", default="960x540", show_default=True)
def main(kills: int, kinds: Sequence[str], seed: int, seconds: float, size: str) -> None:
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        clip = make_clip(root / "alone.mp4", seconds=seconds, size=size)
        with apart(root / "home", slots=1) as stack:
            alone = left_alone(stack, clip)
            print(f"left alone: {alone.seconds:.1f} s, {alone.at_once} encoders at once", file=sys.stderr, flush=True)
            found, videos = list[Killed](), itertools.count(1)
            for kind in [kind for _ in range(kills) for kind in kinds or KINDS]:
                killed = None
                while killed is None:
                    video = f"chaos-{next(videos)}"
                    own = again(clip, root / f"{video}.mp4", comment=video)
                    killed = kill_once(stack, own, video, kind, chance, alone)
                    print(f"{video}: {killed or 'it was encoded already'}", file=sys.stderr, flush=True)
                found.append(killed)
    show(found, alone)
    sys.exit(0 if all(one.good(alone) for one in found) else 1)


def show(found: Sequence[Killed], alone: Alone) -> None:
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; preset {PRESET}; left alone, an encode of ", end="")
    print(f"{alone.chunks} chunks takes {alone.seconds:.1f} s with {alone.at_once} encoders at once")
    rows = [
        (
            n,
            one.kind,
            f"{one.moment:.0%}",
            one.running,
            f"{one.child:.2f}",
            f"{one.recovered:.1f}",
            f"{one.published:.1f}",
            one.redone if one.redone <= alone.at_once else f"{one.redone} TOO MANY",
            "yes" if one.once else "NO",
            "yes" if one.same else "NO",
        )
        for n, one in enumerate(found, 1)
    ]
    print(tabulate(rows, headers=HEADERS, tablefmt="github", disable_numparse=True))
    for kind in dict.fromkeys(one.kind for one in found):
        own = [one for one in found if one.kind == kind]
        recovered, redone = [one.recovered for one in own], [one.redone for one in own]
        print(f"{kind}: {len(own)} killed, {sum(one.good(alone) for one in own)} as they should be; ", end="")
        print(f"{sum(redone)} chunks encoded twice, of one video {max(redone)} at most; ", end="")
        print(f"goes on after {statistics.median(recovered):.1f} s, worst {max(recovered):.1f} s")


if __name__ == "__main__":
    main()
