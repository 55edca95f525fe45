"""Which tracks of sound are made of a source, and when each ends.

Every stream that can be decoded is a track of its own, also each of several mono streams, as broadcast files have
them: what belongs together is not written in the file, and a track that is not joined to another is never wrong. One
and two channels become stereo. What has channels beside or behind the listener becomes 5.1, above six 7.1, and a
stereo mix beside it. Up to eight channels without names are taken for the layout that WAVE files have then, as players
do; of more, the first two for left and right.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction
from typing import Literal

from video_pipeline.media.model import AudioPlan, LeftOut
from video_pipeline.media.options import AudioWish
from video_pipeline.media.technical import AudioStream, TechnicalMetadata
from video_pipeline.media.text import languages
from video_pipeline.presets.model import Audio

NEAR = Fraction(1, 2)
"""Seconds. Sound that ends as near to the last picture ends there, too; players stop with the later of both."""
EARLY = Fraction(1, 10)
"""Seconds. Less sound before the first picture is not missed."""
IN_FRONT = frozenset("mono stereo downmix 2.1 3.0 3.1".split())
"""Layouts with nobody beside or behind the listener."""
UNNAMED = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
"""What a number of channels is without a layout."""
FULL_BAND = {2: 2, 6: 5, 8: 7}
"""Channels that need bits; the one for low frequencies needs next to none."""
LABEL_LENGTH = 60
_SAYS_SURROUND = re.compile(r"[57][.,]1|surround|atmos", re.IGNORECASE)


def tracks(
    source: TechnicalMetadata, preset: Audio, wish: AudioWish, start: Fraction, duration: Fraction, *, cut: bool = False
) -> tuple[AudioPlan, ...]:
    """The tracks to make, the one that players start with first, its stereo before its surround.

    Args:
        start: time of the first picture, on the clock of the streams' times.
        duration: of the pictures, s.
        cut: the source goes on behind them.
    """
    streams = chosen(source, wish)
    made: list[AudioPlan] = []
    for number, stream in enumerate(streams, 1):
        pick, layout = _pick(stream), _surround(stream) if wish == "keep" else None
        title = _title(stream, len(streams), number)
        taken = [track.label for track in made]
        common = AudioPlan(
            name=f"audio-{number}",
            stream=stream.index,
            bit_rate=preset.bit_rate * 1000,
            pick=pick,
            limited=stream.channels > 2 and not (pick or "").startswith("pan"),
            loudness=preset.loudness,
            language=languages.tag(stream.language),
            label=_unique(f"{title} (stereo)" if layout and _SAYS_SURROUND.search(title) else title, taken),
            default=number == 1,
            end=duration if cut else _end(stream, start, duration),
            broken=stream.broken,
            lost=_lost(stream),
        )
        made.append(common)
        if layout:
            channels = 6 if layout == "5.1" else 8
            surround = {
                "name": f"{common.name}-surround",
                "channels": channels,
                "layout": layout,
                "bit_rate": preset.bit_rate * 1000 * FULL_BAND[channels] // 2,
                "limited": False,
                "label": _unique(
                    title if _SAYS_SURROUND.search(title) else f"{title} ({layout})", [*taken, common.label]
                ),
                "default": False,
            }
            made.append(common.model_copy(update=surround))
    if not made and preset.silence and wish != "none":
        bits = preset.bit_rate * 1000
        made = [AudioPlan(name="audio-1", stream=None, bit_rate=bits, label="Silence", default=True, end=duration)]
    return tuple(made)


def chosen(source: TechnicalMetadata, wish: AudioWish) -> tuple[AudioStream, ...]:
    """The streams to publish: the default one first, as a player would start with it, else in the file's order."""
    good = [stream for stream in source.audio if stream.first is not None]
    if wish == "none" or not good:
        return ()
    # Nobody wants to start with a track that is mostly lost.
    sound = [stream for stream in good if not _mostly_lost(stream)] or good
    default = next((stream for stream in sound if stream.default), sound[0])
    return (default,) if wish == "stereo" else (default, *(stream for stream in good if stream is not default))


def _mostly_lost(stream: AudioStream) -> bool:
    return bool(stream.broken) and 2 * stream.heard < (stream.end or 0) - (stream.first or 0)


def _lost(stream: AudioStream) -> float:
    """Seconds between its first and its last sample that are silent because they could not be decoded."""
    if not stream.broken or stream.first is None or stream.end is None:
        return 0.0
    return round(float(max(Fraction(0), stream.end - stream.first - stream.heard)), 3)


def left_out(source: TechnicalMetadata, wish: AudioWish) -> tuple[LeftOut, ...]:
    """Tracks that cannot be published, and why; not those that nobody wants."""
    if wish == "none":
        return ()
    broken = {
        stream.index: (stream.title, f"nothing of it can be decoded ({stream.codec})")
        for stream in source.audio
        if stream.first is None
    }
    unknown = {
        stream.index: (stream.title, f"its codec ({stream.codec or 'unknown'}) is not supported")
        for stream in source.others
        if stream.kind == "audio"
    }
    return tuple(
        LeftOut(name=f"stream {index}" + (f" ({title})" if title else ""), why=why)
        for index, (title, why) in sorted({**broken, **unknown}.items())
    )


def lasting(source: TechnicalMetadata, wish: AudioWish, start: Fraction, duration: Fraction) -> Fraction:
    """How long the video lasts if no sound is to be lost: where it goes on for more than half a second after the last
    picture, that picture stays, as in a player.

    Sound of which less than half is there is a clock that jumps, and no reason to stay.
    """
    ends = [_heard_end(stream) - start for stream in chosen(source, wish)]
    return max([duration, *(end for end in ends if end > duration + NEAR)])


def leading(source: TechnicalMetadata, wish: AudioWish) -> Fraction:
    """How long sound is heard before the first picture, s, if that is so long that it would be missed: that picture
    stands from there on, as in players."""
    begins = [stream.first for stream in chosen(source, wish) if stream.first is not None and _heard_end(stream)]
    early = source.timing.first - min(begins, default=source.timing.first)
    return early if early > EARLY else Fraction(0)


def _heard_end(stream: AudioStream) -> Fraction:
    if stream.first is None or stream.end is None or 2 * stream.heard < stream.end - stream.first:
        return Fraction(0)
    return stream.end


def _end(stream: AudioStream, start: Fraction, duration: Fraction) -> Fraction:
    """Where the source's sound ends, if that is near the end of the pictures; else with them."""
    end = (stream.end or Fraction(0)) - start
    return end if end > 0 and abs(end - duration) <= NEAR else duration


def _layout(stream: AudioStream) -> str | None:
    """ffmpeg's name of where its channels are; None if that cannot be known."""
    named = stream.layout and not re.match(r"\d+ channels$", stream.layout)
    return stream.layout if named else UNNAMED.get(stream.channels)


def _pick(stream: AudioStream) -> str | None:
    """The filter that says which channel is which, where ffmpeg would not know, or take them for others."""
    layout = _layout(stream)
    if layout is None:
        return "pan=stereo|c0=c0|c1=c1"
    if layout.startswith("ambisonic"):
        return "pan=stereo|c0=c0|c1=c0"  # the first is what a single microphone would have heard
    if stream.channels > 2 and layout != stream.layout:
        return f"channelmap={'|'.join(map(str, range(stream.channels)))}:{layout}"
    return None


def _surround(stream: AudioStream) -> Literal["5.1", "7.1"] | None:
    """The layout to keep it in beside stereo, if it has more to keep and its channels are known."""
    layout = _layout(stream)
    if layout is None or layout in IN_FRONT or layout.startswith("ambisonic"):
        return None
    return "5.1" if stream.channels <= 6 else "7.1"


def _title(stream: AudioStream, count: int, number: int) -> str:
    """The source's title, else the language, else a number."""
    language = languages.tag(stream.language)
    # A quotation mark or a line's end would end the attribute of a playlist.
    title = " ".join(re.sub(r'[\x00-\x1f\x7f"]', " ", stream.title or "").split())[:LABEL_LENGTH].strip()
    return title or (languages.name(language) if language else f"Audio {number}" if count > 1 else "Audio")


def _unique(label: str, taken: Collection[str]) -> str:
    """With a number behind it, if another track has it already."""
    numbered = (label, *(f"{label} ({n})" for n in range(2, len(taken) + 3)))
    return next(one for one in numbered if one not in taken)
