"""A poster and thumbnails to choose from: sharp, well exposed frames from inside the scenes, no two alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from video_pipeline.media import candidates, forms
from video_pipeline.media.frame_score import score_frames, unseen
from video_pipeline.media.image_products import Kind, Thumbnail, Thumbnails
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.products import Scene
from video_pipeline.media.taken import take
from video_pipeline.media.tools import Tools


def make(
    tools: Tools,
    small: Path,
    large: Path,
    scenes: Sequence[Scene],
    plan: EncodingPlan,
    out_dir: Path,
    *,
    source: Path | None = None,
    black: Sequence[Span] = (),
) -> Thumbnails:
    """Writes `poster.jpg`, `01.jpg` ..., and `at-01.jpg` ... of the frames that were asked for, into `out_dir`.

    Args:
        small: a small rung, to judge frames by.
        large: the largest rung, for frames that cannot well be taken from the source, see `taken.take`.
        source: what the rungs were made from; without it all frames are taken from `large`.
        black: where the video is black, s.
    """
    images = plan.images
    offered = candidates.wanted(scenes)
    asked = [*images.at, *(() if images.poster is None else (images.poster,))]
    scored = score_frames(small, sorted({*asked, *offered}))
    choice = candidates.choose(scored, offered, scenes, black, plan, images.poster)
    best = [one.frame for one in choice.chosen]
    poster = best[0] if images.poster is None else images.poster
    others = [frame for frame in best if frame != poster][: images.candidates]
    named: list[tuple[str, Kind, int]] = [("poster", "poster", poster)]
    named += [(f"{n:02}", "candidate", frame) for n, frame in enumerate(sorted(others), 1)]
    named += [(f"at-{n:02}", "asked", frame) for n, frame in enumerate(images.at, 1)]
    instead: set[int] = set()

    def pictures() -> Iterator[tuple[str, Image.Image]]:
        frames = sorted({frame for *_, frame in named})
        for taken in take(tools, source, large, frames, poster_size(plan), plan, choice.scored):
            if source is not None and not taken.of_source:
                instead.add(taken.frame)
            yield from ((stem, taken.picture) for stem, _, frame in named if frame == taken.frame)

    saved = forms.save_all(pictures(), images, out_dir)
    made = []
    for stem, kind, frame in named:
        files, placeholder = saved[stem]
        chosen = kind == "candidate" or (kind == "poster" and images.poster is None)
        one = choice.scored.get(frame) or unseen(frame)
        words = ["" if chosen else "asked for", choice.reasons.get(frame) or one.fault]
        words += [f"taken from {plan.family(plan.plain)[0].name}"] if frame in instead else []
        made.append(
            Thumbnail(
                name=files[0].name,
                kind=kind,
                rank=1 + best.index(frame) if chosen else None,
                frame=frame,
                time=round(float(frame / plan.rate), 6),
                width=files[0].width,
                height=files[0].height,
                score=round(one.score, 6),
                parts=one.parts,
                why="; ".join(filter(None, words)),
                thumbhash=placeholder,
                file=files[0].file,
                forms=files,
            )
        )
    asked_from = len(made) - len(images.at)
    return Thumbnails(
        poster=made[0],
        candidates=tuple(made[1:asked_from]),
        at=tuple(made[asked_from:]),
        rejected=choice.rejected,
    )


def poster_size(plan: EncodingPlan) -> tuple[int, int]:
    """Of all pictures, pixels: as large as the largest rung, the longer side at most `poster_width`."""
    rung = plan.family(plan.plain)[0]
    factor = min(1.0, plan.images.poster_width / max(rung.width, rung.height))
    width, height = (max(2, 2 * round(side * factor / 2)) for side in (rung.width, rung.height))
    return width, height
