"""The check that every sound is the source's, at its time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from video_pipeline.media import audio, process
from video_pipeline.media.checks.reading import Reading
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.model import AudioPlan, EncodingPlan
from video_pipeline.media.products import CheckResult
from video_pipeline.media.tools import Tools

RATE = 8000
"""Samples per second to compare at. What an AAC encoder makes up of noise lies above 4 kHz."""
WINDOW = 4.0
"""Seconds of each part that is compared: at the beginning, in the middle and at the end."""
MOST_LATE = 0.010
"""Seconds. Half a frame of AAC; nobody hears less."""
FARTHEST = 0.5
"""Seconds that are searched for the right time."""
ALIKE = 0.5
"""Correlation of two sounds that are the same."""
BETTER = 0.05
"""By how much another time must fit better: a steady tone fits at many."""
SILENT = 30.0
"""Root mean square of 16-bit samples (-61 dBFS) below which there is nothing to compare."""
STALL_SECONDS = 60
Samples = NDArray[np.float64]


def sound_times(
    tools: Tools, plan: EncodingPlan, readings: Sequence[Reading], source: Path, scratch: Path
) -> CheckResult:
    """Parts of every track, compared with the source's sound as it was given to the encoder before it was levelled."""
    files = {r.name: r.path for r in readings if not r.is_video and len(r.packets)}
    tracks = [track for track in plan.audio if track.name in files and track.stream is not None]
    wrong: list[Problem] = []
    compared, worst = 0, 0.0
    for track, start, due, found in _parts(tools, plan, tracks, files, source, scratch):
        said, late = _compare(due, found)
        compared, worst = compared + 1, max(worst, abs(late))
        if said:
            wrong.append((track.name, f"at {start:.1f} s it {said}"))
    fine = f"{compared} parts of {len(tracks)} tracks sound like the source, within {worst * 1000:.0f} ms of its time"
    return verdict("sound_times", wrong, fine)


def _parts(
    tools: Tools,
    plan: EncodingPlan,
    tracks: Sequence[AudioPlan],
    files: Mapping[str, Path],
    source: Path,
    scratch: Path,
) -> Iterator[tuple[AudioPlan, float, Samples, Samples]]:
    """Of each track, when the part begins, what is due and what is found."""
    if not tracks:
        return
    filters = {track.name: _taken(_spans(track)) for track in tracks}
    argv: list[str | Path] = [tools.ffmpeg, "-v", "error", "-nostdin"]
    with TemporaryDirectory(dir=scratch) as name:
        due, found = Path(name, "due"), Path(name, "found")
        due.mkdir()
        found.mkdir()
        argvs = [[*argv, *audio.listening(source, plan, tracks, due, filters)]]
        for track in tracks:
            heard: list[str | Path] = ["-i", files[track.name], "-af", filters[track.name], *audio.RAW]
            argvs.append([*argv, *heard, found / f"{track.name}.raw"])
        process.run_all(argvs, nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
        for track in tracks:
            both = [_samples(directory / f"{track.name}.raw") for directory in (due, found)]
            place = 0
            for start, end in _spans(track):
                length = round((end - start) * RATE)
                one, other = (samples[place : place + length] for samples in both)
                place += length
                shorter = min(len(one), len(other))
                yield track, start, one[:shorter], other[:shorter]


def _samples(path: Path) -> Samples:
    return np.fromfile(path, "<i2").astype(np.float64) if path.is_file() else np.empty(0)


def _spans(track: AudioPlan) -> list[tuple[float, float]]:
    end = float(track.end)
    if end <= 3 * WINDOW:
        return [(0.0, end)]
    starts = (0.0, end / 2 - WINDOW / 2, end - WINDOW)
    return [(start, start + WINDOW) for start in starts]


def _taken(spans: Sequence[tuple[float, float]]) -> str:
    """The filters that leave these spans, as mono of `RATE`."""
    within = "+".join(f"gte(t\\,{start:.6f})*lt(t\\,{end:.6f})" for start, end in spans)
    return f"aresample={RATE}:ochl=mono:osf=s16,asetnsamples={RATE // 100},aselect={within},asetpts=N/SR/TB"


def _compare(due: Samples, found: Samples) -> tuple[str | None, float]:
    """What is wrong with a part, and how late it is, s."""
    loud, played = (float(np.sqrt(np.mean(one**2))) if len(one) else 0.0 for one in (due, found))
    if loud < SILENT:
        return (None, 0.0) if played < 10 * SILENT else ("is to be silent, and is not", 0.0)
    if played < SILENT:
        return "is silent, the source is not", 0.0
    lags, fit = _correlation(due, found)
    near = np.abs(lags) <= MOST_LATE * RATE
    best = int(np.argmax(fit))
    if fit[best] < ALIKE:
        return f"does not sound like the source (correlation {fit[best]:.2f})", 0.0
    late = float(lags[best]) / RATE
    if fit[best] > fit[near].max() + BETTER:
        return f"is {abs(late) * 1000:.0f} ms too {'late' if late > 0 else 'early'}", late
    return None, float(lags[near][np.argmax(fit[near])]) / RATE


def _correlation(due: Samples, found: Samples) -> tuple[NDArray[np.int64], Samples]:
    """How well `found` fits `due` when it is that many samples late; 1 is the same."""
    length = 1 << (len(due) + len(found)).bit_length()
    both = np.fft.irfft(np.fft.rfft(found, length) * np.conj(np.fft.rfft(due, length)), length)
    far = min(int(FARTHEST * RATE), len(due) // 2)
    lags = np.arange(-far, far + 1)
    return lags, both[lags] / (np.linalg.norm(due) * np.linalg.norm(found))
