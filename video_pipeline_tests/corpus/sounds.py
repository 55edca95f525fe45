"""Is the published sound the source's, in step with the pictures, and does it end where it should?"""

from __future__ import annotations

import numpy as np

from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus import decode
from video_pipeline_tests.corpus.decode import SAMPLES, Samples
from video_pipeline_tests.corpus.findings import Findings
from video_pipeline_tests.corpus.published import Published
from video_pipeline_tests.corpus.source import Source

END = 0.040
"""s between the two ends, at most."""
STEP = 0.020
"""s between the two clocks, at most."""
WINDOW = 3 * SAMPLES
REACH = SAMPLES // 2
SILENT = 1e-3
"""RMS below which there is nothing to compare."""
ALIKE = 0.5
"""Correlation from which two stretches are the same sound."""


def compare(tools: Tools, source: Source, published: Published, video: float, findings: Findings) -> None:
    """Adds what the tracks are like beside the source's.

    Args:
        video: length of the published video, s.
    """
    findings.expect(
        len(published.tracks) >= len(source.sounds),
        f"{len(published.tracks)} of {len(source.sounds)} tracks",
        f"{len(published.tracks)} of {len(source.sounds)} audio tracks",
    )
    # A container has three letters for most languages (ISO 639-2), HLS has two: how many there are can be compared.
    theirs, named = set(source.languages) - {"und"}, {one.language for one in published.tracks} - {"und"}
    findings.expect(len(named) >= len(theirs), "", f"languages {sorted(named)} for {sorted(theirs)}")
    for number, track in enumerate(published.tracks):
        ours = decode.sound(tools, track.file, "0:a:0", ("-copyts",))
        if not source.sounds:
            findings.expect(len(ours) == 0 or _rms(ours) < SILENT, "silence added", "sound that the source has not")
            continue
        which = max(range(len(source.sounds)), key=lambda n: _agreement(source.sounds[n], ours))
        _track(f"audio {number}", source.sounds[which], ours, video, findings)


def _track(name: str, theirs: Samples, ours: Samples, video: float, findings: Findings) -> None:
    have, want = len(ours) / SAMPLES, len(theirs) / SAMPLES
    # The plan may pad sound to the video's end or trim it there.
    how = "" if abs(have - want) <= END else "padded" if have > want else "trimmed"
    lost = _rms(theirs[len(ours) :]) if how == "trimmed" else 0.0
    good = not how or (abs(have - video) <= END and lost < SILENT)
    text = f"{name} ends {have - want:+.3f} s{f' ({how} to the video)' if how else ''}"
    faulty = f"{text}, {have - video:+.3f} s off the video{', and that was to be heard' if lost >= SILENT else ''}"
    findings.expect(good, text, faulty)
    # Of what the source has a padded end is silence: compare before it.
    length = min(len(ours), len(theirs))
    for place, begin in (("start", 0), ("end", max(0, length - WINDOW))):
        result = lag(theirs[begin : begin + WINDOW][: length - begin], ours[begin : begin + WINDOW][: length - begin])
        if result is None:
            continue
        late, alike = result
        findings.expect(alike >= ALIKE, "", f"{name} is another sound at the {place} (correlation {alike:.2f})")
        if alike >= ALIKE:
            text = f"{late * 1000:+.0f} ms at the {place}"
            findings.expect(abs(late) <= STEP, text, f"{name} is {text}")


def lag(theirs: Samples, ours: Samples) -> tuple[float, float] | None:
    """How late our sound is, s, and how alike the two are then (0 to 1); None where there is silence."""
    if min(len(theirs), len(ours)) < SAMPLES // 20 or _rms(theirs) < SILENT:
        return None
    if _rms(ours) < SILENT / 10:
        return 0.0, 0.0
    size = 1 << (len(theirs) + len(ours)).bit_length()
    product = np.fft.irfft(np.fft.rfft(ours, size) * np.conj(np.fft.rfft(theirs, size)), size)
    reach = min(REACH, len(ours) - 1)
    near = np.concatenate([product[-reach:], product[: reach + 1]])
    best = int(np.argmax(near))
    norm = float(np.linalg.norm(ours) * np.linalg.norm(theirs))
    return (best - reach) / SAMPLES, float(near[best]) / norm


def _agreement(theirs: Samples, ours: Samples) -> float:
    length = min(len(theirs), len(ours), 10 * SAMPLES)
    result = lag(theirs[:length], ours[:length])
    return result[1] if result else 0.0


def _rms(sound: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
