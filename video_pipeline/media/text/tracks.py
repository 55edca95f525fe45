"""Make every planned text track, or say why one cannot be made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path

from video_pipeline.errors import CommandFailed, SourceError
from video_pipeline.media import ffmpeg
from video_pipeline.media.model import Chapter, EncodingPlan, LeftOut, TextPlan
from video_pipeline.media.products import Texts, TextTrack
from video_pipeline.media.text import extract, markup, sidecar
from video_pipeline.media.text.cues import Cue, fit, webvtt
from video_pipeline.media.tools import Tools

CODE_VERSION = "1"
"""Part of the checkpoint's key: raise it when the cues come out otherwise."""


def make(tools: Tools, source: Path, plan: EncodingPlan, sidecars: Mapping[str, Path], scratch: Path) -> Texts:
    """The text tracks of a release. What cannot be decoded, or has nothing to show, is left out and named.

    Args:
        sidecars: SHA-256 of a file that came with the source to the file.

    Raises:
        SourceError: such a file is no subtitle file, or cannot be decoded.
    """
    found: dict[str, list[Cue]] = {}
    left_out = list(plan.text_left_out)
    for group in _groups(plan.text):
        found |= _decoded(tools, source, group, sidecars, scratch, left_out)
    tracks = []
    for planned in plan.text:
        if planned.name in found:
            cues = fit(found[planned.name], plan.duration)
            if cues:
                tracks.append(TextTrack(plan=planned, cues=len(cues), vtt=webvtt(cues)))
            else:
                left_out.append(_without(planned, "there is no text in what is published"))
    return Texts(tracks=tuple(tracks), left_out=tuple(left_out), chapters=_chapters(plan.chapters, plan.duration))


def checkpoint_key(plan: EncodingPlan, build: str) -> str:
    """Over all that shapes the texts."""
    parts = [CODE_VERSION, plan.source_sha256, plan.duration, build]
    parts += [model.model_dump_json() for model in (*plan.text, *plan.text_left_out, *plan.chapters)]
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def _groups(plans: Sequence[TextPlan]) -> list[list[TextPlan]]:
    """All streams of the source are read at once."""
    streams = [plan for plan in plans if plan.origin == "stream"]
    return [*([streams] if streams else []), *([plan] for plan in plans if plan.origin != "stream")]


def _decoded(
    tools: Tools,
    source: Path,
    group: Sequence[TextPlan],
    sidecars: Mapping[str, Path],
    scratch: Path,
    left_out: list[LeftOut],
) -> dict[str, list[Cue]]:
    [first, *more] = group
    try:
        if first.origin == "stream":
            made = extract.streams(tools, source, group, scratch)
            return {plan.name: cues for plan, cues in zip(group, made, strict=True)}
        if first.origin == "captions":
            return {first.name: extract.captions(tools, source, first, scratch)}
        return {first.name: _given(tools, first, sidecars, scratch)}
    except CommandFailed as error:
        if more:
            # One broken stream ends all that are read with it.
            alone = [_decoded(tools, source, [plan], sidecars, scratch, left_out) for plan in group]
            return {name: cues for each in alone for name, cues in each.items()}
        reason = ffmpeg.undecodable("track", error)
        if not isinstance(reason, SourceError):
            raise
        # The same source gives the same release, wherever it lies.
        said = str(reason).replace(str(source), "the source").replace(f"{scratch}/", "")
        left_out.append(_without(first, said))
        return {}


def _given(tools: Tools, plan: TextPlan, sidecars: Mapping[str, Path], scratch: Path) -> list[Cue]:
    assert plan.file is not None
    assert plan.field is not None
    kind, text = sidecar.read(sidecars[plan.file.sha256], plan.field, plan.label)
    try:
        cues = extract.sidecar(tools, kind, text, plan.model_copy(update={"codec": _CODECS[kind]}), scratch)
    except CommandFailed as error:
        raise SourceError(f"{plan.field} {plan.label}: {ffmpeg.undecodable('file', error)}") from None
    if not any(cue.text for cue in cues):
        raise SourceError(f"{plan.field} {plan.label}: there is no text in it; give a file that has some")
    return cues


_CODECS = {"srt": "subrip", "ass": "ass", "webvtt": "webvtt"}


def _without(plan: TextPlan, why: str) -> LeftOut:
    return LeftOut(name=f"{plan.of} ({plan.label})", why=why)


def _chapters(chapters: Sequence[Chapter], duration: Fraction) -> str | None:
    """A cue for each; a viewer sees a name for those that have none."""
    cues = [
        Cue(
            round(chapter.start * 1000),
            min(round(chapter.end * 1000), int(duration * 1000)),
            markup.webvtt(_plain(chapter.title or "")) or f"Chapter {number}",
        )
        for number, chapter in enumerate(chapters, start=1)
    ]
    return webvtt((cue for cue in cues if cue.start < (cue.end or 0)), clock=False) if cues else None


def _plain(text: str) -> str:
    """On one line, with nothing that `markup` would take for markup."""
    return "".join(f"\\{char}" if char in "{}" else char for char in " ".join(text.split()).replace("\\", "\\\u2060"))
