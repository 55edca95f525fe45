"""Checks of what the frames show against what the source has."""

from __future__ import annotations

from collections.abc import Iterable

from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.damage import where
from video_pipeline.media.frame_map import most_offset
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.products import CheckResult, FrameMap

SUBJECT = "source"


def frame_times(plan: EncodingPlan, shown: FrameMap) -> CheckResult:
    """Every frame shows the picture that the source shows then; where pictures are lost, that is no fault of ours."""

    def wrong() -> Iterable[Problem]:
        if shown.frames != plan.frames:
            yield SUBJECT, f"{shown.frames} frames were made of it, {plan.frames} planned"
        if shown.worst_offset > allowed:
            yield SUBJECT, f"a picture is shown {shown.worst_offset:.3f} s away from its time, {allowed:.3f} s at most"

    allowed = most_offset(plan)
    fine = f"{shown.pictures} pictures in {shown.frames} frames, each within {shown.worst_offset:.3f} s of its time"
    return verdict("frame_times", wrong(), fine, warning=shown.frames == plan.frames and shown.damage > 0)


def damage(plan: EncodingPlan, shown: FrameMap) -> CheckResult:
    """How much of the source's pictures and sound is lost or broken."""
    whole = shown.pictures + shown.skipped + shown.lost
    fine = f"all {whole} pictures of the source decoded without an error"

    def wrong() -> Iterable[Problem]:
        if shown.missing:
            said = f"{shown.missing} of {whole + shown.missing} pictures are missing"
            yield SUBJECT, f"the file was cut off at {float(plan.duration):.1f} s: {said}"
        if shown.damage:
            said = f"{shown.lost} pictures of {whole} are lost and {shown.broken} broken ({shown.damage:.1%})"
            yield SUBJECT, said + where(shown.places)
        for track in plan.audio:
            if track.broken and not track.name.endswith("-surround"):
                lost = f"{track.lost:.1f} s of {float(track.end):.1f} s of sound are lost"
                yield track.name, f"{lost} ({track.broken} errors)"
        yield from (("sound", f"{one.name} is left out: {one.why}") for one in plan.audio_left_out)

    return verdict("damage", wrong(), fine, warning=True)
