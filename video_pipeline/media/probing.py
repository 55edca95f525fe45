"""Probes: what one CRF gives one rung over the samples of a source, measured once and remembered."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from video_pipeline.base import Model
from video_pipeline.errors import CommandFailed
from video_pipeline.media import encode, ffmpeg, hardware, process, samples, vmaf
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.targets import PlannedQuality, Probe, Sample
from video_pipeline.media.tools import Tools, build
from video_pipeline.media.video_plan import Family, RungPlan

VERSION = "1"
"""Raise it when the same probe would give another score: what was kept no longer counts."""
EVERY = 8
"""Frames of the samples of which one is measured: off by less than 0.3 VMAF from all of them."""


class Scores(Model):
    """What a probe gave, sample by sample."""

    vmaf: tuple[float, ...]
    bit_rates: tuple[int, ...]


@dataclass(frozen=True)
class Probed:
    all: Probe
    some: Probe
    """Of the third of the samples that others were probed over."""


class Memory(Protocol):
    """Where scores are kept between runs."""

    def get(self, key: str) -> Scores | None: ...

    def put(self, key: str, scores: Scores) -> None: ...


class Prober:
    """Of one family. The samples are taken out of the source when they are first needed."""

    def __init__(
        self,
        tools: Tools,
        source: Path,
        plan: EncodingPlan,
        quality: PlannedQuality,
        family: Family,
        scratch: Path,
        memory: Memory,
        tell: Callable[[float], None] | None,
    ) -> None:
        self.tools, self.source, self.plan, self.quality, self.family = tools, source, plan, quality, family
        self.scratch, self.memory, self.tell = scratch, memory, tell
        self._clip: tuple[Path, EncodingPlan] | None = None
        self._done = 0.0

    def __call__(self, wanted: Sequence[tuple[RungPlan, float]], done: float, *, some: bool = False) -> list[Probed]:
        """Probes these rungs at these CRFs, all in one ffmpeg and measured in another; see `crf_search`.

        Raises:
            SourceError: the source cannot be decoded.
        """
        chosen = third(self.quality.samples) if some else self.quality.samples
        rungs = [rung.model_copy(update={"name": f"{rung.name}-{crf:g}", "crf": crf}) for rung, crf in wanted]
        keys = {rung.name: self._key(rung, chosen) for rung in rungs}
        known = {name: scores for name, key in keys.items() if (scores := self.memory.get(key))}
        missing = [rung for rung in rungs if rung.name not in known]
        if missing:
            for name, scores in self._measured(missing, chosen, done).items():
                self.memory.put(keys[name], scores)
                known[name] = scores
        self._done = done
        if self.tell:
            self.tell(done)
        return [self._probed(rung.crf, known[rung.name], chosen) for rung in rungs]

    def _probed(self, crf: float, scores: Scores, chosen: Sequence[Sample]) -> Probed:
        some = set(third(self.quality.samples))
        return Probed(
            all=_average(crf, scores, chosen, set(chosen)),
            some=_average(crf, scores, chosen, some),
        )

    def _measured(self, rungs: Sequence[RungPlan], chosen: Sequence[Sample], done: float) -> dict[str, Scores]:
        begun, half = self._done, (self._done + done) / 2
        clip, plan = self._clip or self._extracted(begun, begun + (half - begun) / 3)
        if len(chosen) < len(self.quality.samples):
            plan = samples.only(plan, self.quality.samples, chosen)
        spans = samples.joined(chosen)
        args = encode.command(clip, plan, rungs, self.scratch, vaapi=self.tools.vaapi)
        try:
            told = vmaf.share(self.tell, begun + (half - begun) / 3, half)
            memory = hardware.memory(plan.encoder(rungs[0].family).codec)
            ffmpeg.ffmpeg(self.tools, args, duration=plan.duration, on_progress=told, memory=memory)
        except CommandFailed as error:
            raise ffmpeg.undecodable("video", error) from None
        files = {rung.name: self.scratch / f"{rung.name}.mp4" for rung in rungs}
        scores = vmaf.measure(
            self.tools,
            clip,
            plan,
            self.family,
            files,
            spans,
            self.scratch,
            size=self.quality.size,
            every=EVERY,
            on_progress=vmaf.share(self.tell, half, done),
        )
        listed = process.run_all([_packet_list(self.tools, path) for path in files.values()], nice=self.tools.nice)
        found = {}
        for (name, path), packets in zip(files.items(), listed, strict=True):
            means = tuple(round(score.mean, 3) for score in scores[name])
            found[name] = Scores(vmaf=means, bit_rates=_bit_rates(packets.stdout, plan, spans))
            path.unlink()
        return found

    def _extracted(self, start: float, end: float) -> tuple[Path, EncodingPlan]:
        clip = self.scratch / f"{self.family}-samples.mkv"
        chosen, told = self.quality.samples, vmaf.share(self.tell, start, end)
        plan = samples.extract(self.tools, self.source, self.plan, self.family, chosen, clip, on_progress=told)
        self._clip = clip, plan
        return self._clip

    def _key(self, rung: RungPlan, chosen: Sequence[Sample]) -> str:
        """Over all that shapes the scores."""
        spans = ",".join(f"{sample.first}+{sample.frames}" for sample in chosen)
        parts = [VERSION, encode.checkpoint_key(self.plan, rung, build(self.tools)), spans, self.quality.size, EVERY]
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def third(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Of few samples, all."""
    return tuple(samples[1::3]) if len(samples) >= 3 else tuple(samples)


def _average(crf: float, scores: Scores, chosen: Sequence[Sample], counted: set[Sample]) -> Probe:
    rows = zip(chosen, scores.vmaf, scores.bit_rates, strict=True)
    frames, vmaf, bits = np.array([(s.frames, v * s.frames, r * s.frames) for s, v, r in rows if s in counted]).sum(0)
    return Probe(crf=crf, vmaf=round(float(vmaf / frames), 3), bit_rate=max(1, round(bits / frames)))


def _packet_list(tools: Tools, path: Path) -> list[str]:
    entries = ["-show_entries", "packet=pts_time,size", "-of", "csv=p=0"]
    return [str(tools.ffprobe), "-v", "error", *entries, str(path)]


def _bit_rates(listed: bytes, plan: EncodingPlan, spans: Sequence[Sample]) -> tuple[int, ...]:
    """Of each span of a file."""
    packets = [line.split(b",") for line in listed.split() if b"," in line]
    frames = np.array([round(float(time) * float(plan.rate)) for time, *_ in packets])
    sizes = np.array([int(size) for _, size, *_ in packets])
    return tuple(
        round(int(sizes[(frames >= span.first) & (frames < span.end)].sum()) * 8 * plan.rate / span.frames)
        for span in spans
    )
