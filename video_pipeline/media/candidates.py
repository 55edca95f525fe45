"""Which frames are offered as posters: the best, no two alike, from all over the video; and why others are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from video_pipeline.media.frame_score import MIDDLE, Scored, unseen
from video_pipeline.media.image_products import Rejected
from video_pipeline.media.model import EncodingPlan, Span
from video_pipeline.media.products import Scene

MAX_SCENES = 60
"""Longer videos offer their longest scenes."""
PLACES = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Where in a scene frames are looked at; its ends may be fades."""
ALIKE = 6
"""Up to so many bits of 64 in which their hashes differ two pictures count as one: of one scene filmed at rest 0 to 4
differ, where something in it takes another pose 8 and more."""
ALIKE_NEAR = 12
"""Likewise of two less than a second apart."""
CLEAR = 0.5
"""Seconds from cuts and fades from which on more of it makes nothing better."""
SPREAD = 0.3
"""What a frame far from all that are chosen is worth more than one beside them, in terms of the score."""
UNLIKE, BITS = 0.15, 24
"""Likewise one whose hash differs from all of theirs by so many bits."""


@dataclass(frozen=True)
class Choice:
    chosen: tuple[Scored, ...]
    """Best first; at least one, unless another is the poster."""
    scored: dict[int, Scored]
    """All that were looked at, by frame, with their part for the place."""
    reasons: dict[int, str]
    """What speaks for each of them."""
    rejected: tuple[Rejected, ...]
    """By time."""


@dataclass(frozen=True)
class _Edge:
    """Where the video changes: a cut, or a fade's two ends."""

    frame: float
    what: str


def wanted(scenes: Sequence[Scene]) -> list[int]:
    """Frames that stand for the scenes, in order."""
    longest = sorted(scenes, key=lambda scene: scene.start - scene.end)[:MAX_SCENES]
    return sorted({_inside(scene, place) for scene in longest for place in PLACES})


def _inside(scene: Scene, place: float) -> int:
    return min(scene.end - 1, scene.start + int(place * (scene.end - scene.start)))


def choose(
    scored: Mapping[int, Scored],
    offered: Sequence[int],
    scenes: Sequence[Scene],
    black: Sequence[Span],
    plan: EncodingPlan,
    poster: int | None = None,
) -> Choice:
    """The best frames out of `offered`, one more than candidates are planned, so that one may be the poster.

    Cards and charts are rejected, unless most of what could be offered are such: of slides and screens they are the
    content. If nothing can be offered, the best of all is chosen nevertheless.

    Args:
        poster: a frame that will be shown whatever it is: none that looks like it is chosen.
    """
    edges = _edges(scenes, black, plan)
    frames = {frame: _placed(one, scenes, black, edges, plan) for frame, one in scored.items()}
    fit = [frames[frame] for frame in offered if frame in frames and not frames[frame].fault]
    filmed = [one for one in fit if not one.drawn]
    usable = filmed if 2 * len(filmed) >= len(fit) else fit
    reasons = {frame: _praise(one, edges, plan) for frame, one in frames.items()}
    rejected = {
        one.frame: one.fault or one.drawn
        for one in (frames[frame] for frame in offered if frame in frames)
        if one not in usable
    }
    shown = frames.get(poster) if poster is not None else None
    usable = [one for one in usable if one.frame != poster]
    chosen = _spread(usable, rejected, plan, shown)
    if not chosen and shown is None:
        rest = [frames[frame] for frame in offered if frame in frames]
        best = max(rest or [unseen(offered[0])], key=lambda one: (one.score, -one.frame))
        chosen, frames[best.frame] = [best], best
        reasons[best.frame] = f"nothing better was found: {rejected.pop(best.frame, best.fault)}"
    return Choice(
        chosen=tuple(sorted(chosen, key=lambda one: (-one.score, one.frame))),
        scored=frames,
        reasons=reasons,
        rejected=tuple(Rejected(frame=frame, why=why) for frame, why in sorted(rejected.items())),
    )


def _spread(
    usable: Sequence[Scored], rejected: dict[int, str], plan: EncodingPlan, shown: Scored | None
) -> list[Scored]:
    """The best, then again and again the one that is best for its score and its distance from those; what looks like
    one of them is rejected."""
    count = plan.images.candidates + 1
    left, chosen = sorted(usable, key=lambda one: one.frame), list[Scored]()

    def leave_out(like: Scored) -> None:
        for one in list(left):
            near = abs(one.frame - like.frame) < plan.rate
            if (bits := one.distance(like)) <= (ALIKE_NEAR if near else ALIKE):
                rejected[one.frame] = f"looks like frame {like.frame}: {bits} of 64 bits of their hashes differ"
                left.remove(one)

    if shown is not None:
        leave_out(shown)
    while left and len(chosen) < count:

        def worth(one: Scored) -> float:
            near = min((abs(one.frame - other.frame) for other in chosen), default=plan.frames)
            bits = min((one.distance(other) for other in chosen), default=BITS)
            return one.score + SPREAD * min(1.0, near * count / plan.frames) + UNLIKE * min(1.0, bits / BITS)

        best = max(left, key=worth)
        chosen.append(best)
        left.remove(best)
        leave_out(best)
    return chosen


def _placed(
    one: Scored, scenes: Sequence[Scene], black: Sequence[Span], edges: Sequence[_Edge], plan: EncodingPlan
) -> Scored:
    """With its part for the place, and its fault if that is a bad one."""
    time = float(one.frame / plan.rate)
    fault = one.fault
    for scene in scenes:
        if abs(one.frame - scene.start) < scene.transition_frames / 2:
            frames, start = scene.transition_frames, float(scene.start / plan.rate)
            fault = fault or f"inside a {scene.transition} of {frames} frames around {start:.2f} s"
    for span in black:
        if span.start <= time < span.end and not one.drawn:
            fault = fault or f"inside black from {span.start:.2f} to {span.end:.2f} s"
    seconds = abs(_nearest(one, edges).frame - one.frame) / float(plan.rate)
    parts = one.parts.model_copy(update={"placement": round(min(1.0, seconds / CLEAR), 4)})
    return replace(one, parts=parts, fault=fault)


def _edges(scenes: Sequence[Scene], black: Sequence[Span], plan: EncodingPlan) -> list[_Edge]:
    found = [_Edge(0, "the beginning"), _Edge(plan.frames, "the end")]
    for scene in scenes:
        if scene.start:
            half = scene.transition_frames / 2
            what = f"the nearest {scene.transition}"
            found += [_Edge(scene.start - half, what), _Edge(scene.start + half, what)]
    rate = float(plan.rate)
    found += [_Edge(time * rate, "the nearest black") for span in black for time in (span.start, span.end)]
    return sorted(found, key=lambda edge: edge.frame)


def _nearest(one: Scored, edges: Sequence[_Edge]) -> _Edge:
    return min(edges, key=lambda edge: abs(edge.frame - one.frame))


def _praise(one: Scored, edges: Sequence[_Edge], plan: EncodingPlan) -> str:
    if one.fault or one.drawn:
        return one.fault or one.drawn
    parts, edge = one.parts, _nearest(one, edges)
    words = [
        _grade(parts.sharpness, "sharp", "soft"),
        _grade(parts.contrast, "rich in contrast", "faint"),
        _grade(parts.exposure, "well exposed", "dark" if one.luma < MIDDLE else "bright"),
        _grade(parts.colourfulness, "colourful", "nearly without colour", low=0.2),
        _grade(parts.stillness, "at rest", "moving", high=0.9),
        f"{abs(edge.frame - one.frame) / float(plan.rate):.1f} s from {edge.what}",
    ]
    return ", ".join(word for word in words if word)


def _grade(part: float, good: str, bad: str, low: float = 0.4, high: float = 0.67) -> str:
    return good if part >= high else bad if part < low else ""
