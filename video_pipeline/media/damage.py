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

    What is only predicted from a broken picture is broken for the eye too, until the next key frame, but no decoder
    tells: the share is a lower bound.

    Args:
        limit: share of the pictures that may be broken, lost or missing, 0 to 1 (`Preset.max_damage`).
        shown: what the encode has seen; without it only what the probe has.

    Raises:
        SourceError: it is more than that; says what, how much and where.
    """
    found = measure(source, shown)
    if not found.share:
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
    whole = found.pictures + found.lost + found.missing
    words = f"of {whole:,} pictures {' and '.join(parts)}{_where(found.places)}" if parts else ""
    if found.missing:
        at = float(source.timing.end)
        end = f"the file ends at {at:.1f} s, where {found.missing:,} of {whole:,} pictures are missing"
        words = f"{words}, and {end}" if words else end
    return f"{words} ({found.share:.1%})"


def _where(places: tuple[Span, ...]) -> str:
    named = [
        f"{span.start:.1f} s" if span.end - span.start < 0.1 else f"{span.start:.1f} to {span.end:.1f} s"
        for span in places[:PLACES]
    ]
    return f", at {', '.join(named)}{' and later' if len(places) > PLACES else ''}" if named else ""
