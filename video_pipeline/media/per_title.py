"""The CRF of each rung that this very video needs, found with short samples.

The largest rung of a family gets the CRF at which it reaches the preset's VMAF, from two or three probes. The others
get the same CRF. Scaled up they cannot reach that VMAF, and a target of their own leads astray: to lose no more than
the largest one does, 240p of a trailer would take 380 kbit/s at CRF 17.6 for VMAF 71.5, which 360p has at CRF 29 for
208 kbit/s. At one CRF a bit buys about the same everywhere: neighbouring sizes then give the same VMAF at the same
rate to within 1 to 4.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from video_pipeline.base import Model
from video_pipeline.errors import CommandFailed
from video_pipeline.media import curve, encode, ffmpeg, process, samples, vmaf
from video_pipeline.media.ladder import download_rung
from video_pipeline.media.model import EncodingPlan, Family, RungPlan
from video_pipeline.media.pruning import prune
from video_pipeline.media.targets import PlannedQuality, Probe, RungQuality
from video_pipeline.media.tools import Tools, build
from video_pipeline.presets.families import FamilyPreset
from video_pipeline.presets.model import Preset
from video_pipeline.presets.quality import Quality

VERSION = "1"
"""Raise it when the same probe would give another score: what was kept no longer counts."""
APART = 5
"""CRF between the first two probes: most videos have the target between them."""
BEYOND = 1.5
"""CRF outside of the probes up to which their curve is believed."""
WASTE = 0.5
"""VMAF that a rung may lose where the ceiling of its bit rate keeps it from the target anyway."""
EVERY = 8
"""Frames of a sample of which one is measured."""


class Scores(Model):
    """What one setting of one rung gave."""

    vmaf: float
    bit_rate: int


class Memory(Protocol):
    """Where scores are kept between runs."""

    def get(self, key: str) -> Scores | None: ...

    def put(self, key: str, scores: Scores) -> None: ...


def search(
    tools: Tools,
    source: Path,
    plan: EncodingPlan,
    preset: Preset,
    scratch: Path,
    memory: Memory,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> EncodingPlan:
    """The plan with what the preset's `quality` asks for: other CRFs, fewer rungs, and what is expected of each.

    The same source and preset give the same plan.

    Raises:
        SourceError: the source cannot be decoded.
    """
    wanted = preset.quality
    if wanted is None:
        return plan
    chosen = samples.choose(tools, source, plan)
    width, height = vmaf.largest(plan.rungs)
    quality = PlannedQuality(width=width, height=height, samples=chosen, target=wanted.target, floor=wanted.floor)
    if wanted.target is None:
        return plan.model_copy(update={"quality": quality})
    rungs: list[RungPlan] = []
    for n, family in enumerate(preset.families):
        told = vmaf.share(on_progress, n / len(preset.families), (n + 1) / len(preset.families))
        one = _Search(tools, source, plan, quality, family, preset.families[family], wanted, scratch, memory, told)
        found = one.run()
        kept, left_out = prune(found, wanted.ceiling or wanted.target)
        by_name = {rung.name: rung for rung in plan.family(family)}
        rungs += [by_name[rung.name].model_copy(update={"crf": rung.crf}) for rung in kept]
        quality = quality.model_copy(
            update={"rungs": (*quality.rungs, *kept), "left_out": (*quality.left_out, *left_out)}
        )
    plain = [rung for rung in rungs if rung.family == plan.plain]
    return plan.model_copy(
        update={"rungs": tuple(rungs), "quality": quality, "download": download_rung(plain, preset.download)}
    )


class _Search:
    """Of one family."""

    def __init__(
        self,
        tools: Tools,
        source: Path,
        plan: EncodingPlan,
        quality: PlannedQuality,
        family: Family,
        table: FamilyPreset,
        wanted: Quality,
        scratch: Path,
        memory: Memory,
        tell: Callable[[float], None] | None,
    ) -> None:
        self.tools, self.source, self.plan, self.quality, self.family = tools, source, plan, quality, family
        self.step = table.CRF_STEP or 0.25
        self.worst = table.WORST_CRF
        self.wanted, self.scratch, self.memory, self.tell = wanted, scratch, memory, tell
        self.clip: Path | None = None
        self.clip_plan = plan

    def run(self) -> list[RungQuality]:
        top, *others = self.plan.family(self.family)
        assert self.wanted.target is not None
        low, high = max(0.0, top.crf - self.wanted.range), min(float(self.worst), top.crf + self.wanted.range)
        first = self._rounded(max(low, top.crf - 1))
        probes = self._probe([(top, first), (top, self._rounded(min(high, first + APART)))], 0.0, 0.5)
        crf = self._best(probes, low, high)
        crfs = [probe.crf for probe in probes]
        if not min(crfs) - BEYOND <= crf <= max(crfs) + BEYOND:
            probes += self._probe([(top, crf)], 0.5, 0.7)
            crf = self._best(probes, low, high)
        others_probes = self._probe([(rung, crf) for rung in others], 0.7, 1.0)
        found = [self._expected(top, crf, probes)]
        found += [self._expected(rung, crf, [probe]) for rung, probe in zip(others, others_probes, strict=True)]
        return found

    def _best(self, probes: Sequence[Probe], low: float, high: float) -> float:
        """The CRF that reaches the target; rounded down, for nothing may be below it."""
        assert self.wanted.target is not None
        crf = curve.crf_for(probes, self.wanted.target)
        finest = min(probes, key=lambda probe: probe.crf)
        if crf < low or (finest.crf <= low + BEYOND and finest.vmaf < self.wanted.target):
            # Its ceiling of bits is in the way: a lower CRF would only move bits to where they are not seen.
            crf = curve.crf_for(probes, max(probe.vmaf for probe in probes) - WASTE)
        return self._rounded(min(high, max(low, crf)))

    def _rounded(self, crf: float) -> float:
        return crf // self.step * self.step

    def _expected(self, rung: RungPlan, crf: float, probes: Sequence[Probe]) -> RungQuality:
        there = curve.at(probes, crf) if len(probes) > 1 else probes[0]
        floor = None
        if self.wanted.floor is not None and self.wanted.target is not None:
            floor = max(0.0, there.vmaf - (self.wanted.target - self.wanted.floor))
        return RungQuality(
            name=rung.name, crf=crf, vmaf=there.vmaf, bit_rate=there.bit_rate, floor=floor, probes=tuple(probes)
        )

    def _probe(self, wanted: Sequence[tuple[RungPlan, float]], start: float, end: float) -> list[Probe]:
        """Encodes these rungs at these CRFs in one ffmpeg and measures them in another, unless that is known."""
        rungs = [rung.model_copy(update={"name": f"{rung.name}-{crf:g}", "crf": crf}) for rung, crf in wanted]
        keys = {rung.name: self._key(rung) for rung in rungs}
        known = {name: self.memory.get(key) for name, key in keys.items()}
        missing = [rung for rung in rungs if known[rung.name] is None]
        if missing:
            known |= self._measured(missing, start, end)
            for rung in missing:
                scores = known[rung.name]
                assert scores is not None
                self.memory.put(keys[rung.name], scores)
        if self.tell:
            self.tell(end)
        probes = []
        for rung in rungs:
            scores = known[rung.name]
            assert scores is not None
            probes.append(Probe(crf=rung.crf, vmaf=scores.vmaf, bit_rate=scores.bit_rate))
        return probes

    def _measured(self, rungs: Sequence[RungPlan], start: float, end: float) -> dict[str, Scores]:
        half = (start + end) / 2
        if self.clip is None:
            clip = self.scratch / f"{self.family}-samples.mkv"
            self.clip_plan = samples.extract(
                self.tools, self.source, self.plan, self.family, self.quality.samples, clip
            )
            self.clip = clip
        args = encode.command(self.clip, self.clip_plan, rungs, self.scratch)
        length = self.clip_plan.duration
        try:
            ffmpeg.ffmpeg(self.tools, args, duration=length, on_progress=vmaf.share(self.tell, start, half))
        except CommandFailed as error:
            raise ffmpeg.undecodable("video", error) from None
        files = {rung.name: self.scratch / f"{rung.name}.mp4" for rung in rungs}
        whole = samples.whole(self.clip_plan)
        scores = vmaf.measure(
            self.tools,
            self.clip,
            self.clip_plan,
            self.family,
            files,
            whole,
            self.scratch,
            size=self.quality.size,
            every=EVERY,
            on_progress=vmaf.share(self.tell, half, end),
        )
        listed = process.run_all([packet_list(self.tools, path) for path in files.values()], nice=self.tools.nice)
        return {
            name: Scores(vmaf=round(scores[name][0].mean, 3), bit_rate=self._bit_rate(done.stdout))
            for name, done in zip(files, listed, strict=True)
        }

    def _bit_rate(self, listed: bytes) -> int:
        """Of the whole, where key frames are `gop` apart; in the samples they are closer."""
        packets = [line.split(b",") for line in listed.split() if b"," in line]
        keys = [int(size) for size, flags, *_ in packets if b"K" in flags]
        others = [int(size) for size, flags, *_ in packets if b"K" not in flags]
        gop = self.plan.gop
        size = sum(keys) / max(1, len(keys)) + sum(others) / max(1, len(others)) * (gop - 1)
        return round(size * 8 * self.plan.rate / gop)

    def _key(self, rung: RungPlan) -> str:
        """Over all that shapes the score; a rung's name is that of its size and CRF."""
        spans = ",".join(f"{sample.first}+{sample.frames}" for sample in self.quality.samples)
        parts = [VERSION, encode.checkpoint_key(self.plan, rung, build(self.tools)), spans, self.quality.size, EVERY]
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()


def packet_list(tools: Tools, path: Path) -> list[str]:
    """The ffprobe command that lists size and flags of each packet."""
    entries = ["-show_entries", "packet=size,flags", "-of", "csv=p=0"]
    return [str(tools.ffprobe), "-v", "error", *entries, str(path)]
