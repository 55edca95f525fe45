"""How much of a source is broken, lost or missing, and whether that is too much to publish it."""

from __future__ import annotations

from video_pipeline.errors import SourceError
from video_pipeline.media.model import Span
from video_pipeline.media.products import FrameMap
from video_pipeline.media.technical import Damage, TechnicalMetadata

PLACES = 5
"""Named, at most."""
WHOLE = Damage(pictures=0, broken=0)


def judge(limit: float, source: TechnicalMetadata, shown: FrameMap | None = None) -> str | None:
    """What is wrong with the source's pictures, None if nothing is.

    A file that was cut off is published as far as it goes, as players play it, whatever is missing then.
    What is only predicted from a broken picture is broken for the eye too, until the next key frame, but no decoder
    tells: the share is a lower bound.

    Args:
        limit: share of the pictures that may be broken or lost, 0 to 1 (`Preset.max_damage`).
        shown: what the encode has seen; without it only what the probe has.

    Raises:
        SourceError: it is more than that; says what, how much and where.
    """
    found = measure(source, shown)
    if not found.share and not found.missing:
        return None
    words = _words(found, source)
    if found.share > limit:
        raise SourceError(f"the video is too damaged: {words}; the preset allows {limit:.0%} (max_damage)")
    return words


def measure(source: TechnicalMetadata, shown: FrameMap | None = None) -> Damage:
    """Of both looks at the source the worse one."""
    probed = source.damage or WHOLE.model_copy(update={"pictures": source.timing.frames})
    if shown is None:
        return probed
    return probed.model_copy(
        update={
            "broken": max(probed.broken, shown.broken),
            "lost": max(probed.lost, shown.lost),
            "pictures": shown.pictures + shown.skipped,
            "places": shown.places or probed.places,
        }
    )


def _words(found: Damage, source: TechnicalMetadata) -> str:
    parts = [f"{found.broken:,} broken"] if found.broken else []
    parts += [f"{found.lost:,} lost"] if found.lost else []
    whole = found.pictures + found.lost
    words = f"of {whole:,} pictures {' and '.join(parts)}{where(found.places)} ({found.share:.1%})" if parts else ""
    if not found.missing:
        return words
    end = f"the file was cut off at {float(source.timing.end):.1f} s: {found.missing:,} more pictures are missing"
    return f"{words}; {end}" if words else end


def where(places: tuple[Span, ...]) -> str:
    """ ", at 1.2 to 3.5 s, 7.0 s": the first places; empty if there are none."""
    named = [
        f"{span.start:.1f} s" if span.end - span.start < 0.1 else f"{span.start:.1f} to {span.end:.1f} s"
        for span in places[:PLACES]
    ]
    return f", at {', '.join(named)}{' and later' if len(places) > PLACES else ''}" if named else ""
