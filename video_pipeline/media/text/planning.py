"""Which text tracks are made of a source and of the files that came with it, and what they are called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from video_pipeline.media.model import Blob, Chapter, LeftOut, TextPlan
from video_pipeline.media.options import Options
from video_pipeline.media.technical import OtherStream, TechnicalMetadata
from video_pipeline.media.text import languages

TEXT = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "eia_608")
"""Codecs, by ffmpeg's names, whose subtitles are made of letters."""
PICTURES = ("hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub")
LONGEST_LABEL = 100


def plan(
    source: TechnicalMetadata, options: Options, sidecars: Sequence[Blob], start: Fraction
) -> tuple[tuple[TextPlan, ...], tuple[LeftOut, ...]]:
    """The tracks, those that came with the source first, and the source's subtitles of which none is made.

    Args:
        sidecars: what `options.subtitles` names, in the store.
        start: of what is published, counted from the container's own start, s.
    """
    tracks: list[TextPlan] = []
    for track in (*_given(options, sidecars, start), *_found(source, start)):
        default = track.default and not any(other.default for other in tracks)
        tracks.append(
            track.model_copy(
                update={
                    "name": _free(track.name, "-", [other.name for other in tracks]),
                    "label": _free(track.label, " ", [other.label for other in tracks]),
                    "default": default,
                }
            )
        )
    return tuple(tracks), tuple(_left_out(source))


def chapters(source: TechnicalMetadata, start: Fraction, duration: Fraction) -> tuple[Chapter, ...]:
    """The source's chapters on the clock of what is published, cut at its ends.

    Args:
        start: as in `plan`.
        duration: of what is published, s.
    """
    zero = float(source.start + start)
    moved = (
        Chapter(start=max(0.0, c.start - zero), end=min(float(duration), c.end - zero), title=c.title)
        for c in source.chapters
    )
    return tuple(chapter for chapter in moved if chapter.end > chapter.start)


def _given(options: Options, sidecars: Sequence[Blob], start: Fraction) -> Iterator[TextPlan]:
    for n, (sidecar, file) in enumerate(zip(options.subtitles, sidecars, strict=True)):
        language = languages.tag(sidecar.language)
        yield TextPlan(
            name=language or "und",
            origin="sidecar",
            file=file,
            field=f"subtitles.{n}.source",
            zero=start,
            language=language,
            label=_label(sidecar.label) or _own_name(language),
        )


def _found(source: TechnicalMetadata, start: Fraction) -> Iterator[TextPlan]:
    for stream in source.others:
        if stream.kind == "subtitle" and stream.codec in TEXT:
            language = languages.tag(stream.language)
            marks = [mark for mark, on in (("forced", stream.forced), ("sdh", stream.hearing_impaired)) if on]
            own = " ".join([_own_name(language), *(f"({_MARKS[mark]})" for mark in marks)])
            yield TextPlan(
                name="-".join([language or "und", *marks]),
                origin="stream",
                stream=stream.index,
                codec=stream.codec,
                zero=start,
                language=language,
                label=_label(stream.title) or own,
                default=stream.default,
                forced=stream.forced,
                sdh=stream.hearing_impaired,
            )
    if source.video.captions:
        yield TextPlan(
            name="captions",
            origin="captions",
            stream=source.video.index,
            codec="eia_608",
            zero=source.start + start,
            label="Closed captions",
            sdh=True,
        )


_MARKS = {"forced": "forced", "sdh": "SDH"}


def _left_out(source: TechnicalMetadata) -> Iterator[LeftOut]:
    for stream in source.others:
        why = why_not(stream)
        if why:
            said = [text for text in (languages.tag(stream.language), _label(stream.title)) if text]
            about = f" ({', '.join(said)})" if said else ""
            yield LeftOut(name=f"stream {stream.index}{about}", why=why)


def why_not(stream: OtherStream) -> str | None:
    """Why no text track is made of subtitles; None if one is, or if the stream is something else."""
    if stream.kind != "subtitle" or stream.codec in TEXT:
        return None
    if stream.codec in PICTURES:
        return f"it is made of pictures ({stream.codec}), which are not converted to text"
    return f"its kind ({stream.codec or 'unknown'}) is not converted to text"


def _own_name(language: str | None) -> str:
    return languages.name(language) if language else "Subtitles"


def _label(text: str | None) -> str:
    """One line that may stand between quotes in a playlist (RFC 8216, 4.2)."""
    printable = "".join(char if char.isprintable() else " " for char in (text or "").replace('"', "'"))
    return " ".join(printable.split())[:LONGEST_LABEL].strip()


def _free(wanted: str, space: str, taken: Sequence[str]) -> str:
    number, free = 1, wanted
    # A file system may not tell capitals apart.
    while free.lower() in [name.lower() for name in taken]:
        number += 1
        free = f"{wanted}{space}{number}"
    return free
