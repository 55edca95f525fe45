"""The verdict on one clip: of a release by what plays, of a refusal by what a plain decoder makes of the file."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus import decode, pictures, published, sounds, source
from video_pipeline_tests.corpus.clips import Clip
from video_pipeline_tests.corpus.findings import Findings
from video_pipeline_tests.corpus.published import Published
from video_pipeline_tests.corpus.runner import Outcome
from video_pipeline_tests.corpus.source import Source

REASONS = r"encrypt|DRM|protected|damage|broken|playlist|script|refers|not a video|cover|no video|no picture|too large"
"""Words that say why a file is refused although a decoder gets a picture out of it."""
PERMANENT = ("SourceError", "RequestError", "PermanentError")
TAGS = {"color_space": "bt709", "color_primaries": "bt709", "color_transfer": "bt709", "color_range": "tv"}
CAP, FEW, LEAST = 60.0, 10.0, 16
"""Frames per second that the presets allow, and below which a picture may be shown several times; pixels of the shorter
side below which one may be enlarged."""


def refused(outcome: Outcome, truth: Source) -> Findings:
    findings = Findings()
    count = len(truth.pictures.times)
    findings.measured.append(f"ffmpeg decodes {count} pictures, {len(truth.pictures.errors)} complaints")
    named = re.search("encrypt|DRM", outcome.words, re.IGNORECASE)
    findings.expect(not truth.encrypted or named is not None, "", "it is encrypted, and the words do not say so")
    if outcome.error not in PERMANENT:
        findings.wrong.append(f"refused as {outcome.error}")
    if truth.plays and not re.search(REASONS, outcome.words, re.IGNORECASE):
        findings.wrong.append("refused, but it plays")
    return findings


def release(tools: Tools, place: Path, clip: Clip, truth: Source) -> tuple[str, Findings]:
    """What was published in a few words, and what is right and wrong with it."""
    findings = Findings()
    found = published.read(place)
    findings.expect(not found.missing, "", f"not there: {', '.join(found.missing)}")
    if not found.renditions:
        return "nothing", Findings(wrong=["no rendition in the master playlist"])
    clocks = [decode.packets(tools, one.file) for one in found.renditions]
    rate = _clock(clocks, found, findings)
    top = found.renditions[0]
    tracks = "+".join(track.channels for track in found.tracks) or "no"
    subtitles = f", {len(found.subtitles)} subtitles" if found.subtitles else ""
    count, rungs = len(clocks[0]), len(found.renditions)
    text = f"{top.size[0]}x{top.size[1]} {rate:.5g} fps {count} frames {rungs} rungs, {tracks} audio{subtitles}"
    for path in (*(one.playlist for one in found.renditions), *(one.file for one in found.tracks)):
        said = decode.complaints(tools, path)
        findings.expect(not said, "", f"{path.name} does not decode clean: {said[:1]}")
    findings.expect(not truth.encrypted, "", "the source is encrypted: this is noise")
    if not truth.plays:
        findings.wrong.append("ffmpeg decodes no picture of the source")
        return text, findings
    shown = decode.pictures(tools, top.file, "")
    _times(truth, count, rate, clip, findings)
    _shape(truth, found, shown, findings)
    _tags(tools, top.file, findings)
    _pictures(tools, clip, truth, shown, rate, findings)
    sounds.compare(tools, truth, found, count / rate, findings)
    findings.expect(
        len(found.subtitles) >= truth.texts, "", f"{len(found.subtitles)} of {truth.texts} tracks of subtitles"
    )
    findings.expect(found.dash.get("video", 0) == rungs, "", f"the MPD has {found.dash} for {rungs} rungs")
    if clip.full_size:
        # idet takes fine detail for combs, too: what it says of a plain deinterlacer's pictures is no fault.
        left = decode.combed(tools, top.file)
        plain = decode.combed(tools, clip.path, "bwdif=deint=interlaced")
        findings.expect(left <= plain + 0.05, f"combed {left:.0%}", f"combed {left:.0%}, by plain bwdif {plain:.0%}")
    return text, findings


def _pictures(tools: Tools, clip: Clip, truth: Source, shown: decode.Pictures, rate: float, findings: Findings) -> None:
    """Players differ in how they make frames of fields, and in what they take the colours of standard definition for:
    every way is right."""
    plain = Findings()
    pictures.compare(truth, shown, rate, plain)
    ways = {"with BT.601's primaries": truth.television, "without combs": truth.pictures.fields > 0}
    for name in (name for name, possible in ways.items() if possible and plain.wrong):
        other = Findings()
        other.measured.append(name)
        again = source.look(tools, clip.path, television="BT.601" in name, frames="combs" in name)
        pictures.compare(again, shown, rate, other)
        plain = plain if other.wrong else other
    findings.measured += plain.measured
    findings.wrong += plain.wrong


def _clock(clocks: list[list[tuple[float, bool]]], found: Published, findings: Findings) -> float:
    """The rate of the first rendition; all must have the same frames and key frames."""
    times = np.array([time for time, _ in clocks[0]])
    playlist = found.renditions[0].seconds
    step = float(times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else playlist
    even = len(times) < 2 or bool(np.abs(np.diff(times) - step).max() < 0.0015)
    findings.expect(even, "", "the frames are not evenly spaced")
    findings.expect(abs(float(times[0])) < 0.001, "", f"the first frame is at {times[0]:.3f} s")
    findings.expect(
        abs(playlist - len(times) * step) < 0.01,
        "",
        f"playlist says {playlist:.3f} s, frames {len(times) * step:.3f} s",
    )
    for rendition, clock in zip(found.renditions[1:], clocks[1:], strict=True):
        same = [key for _, key in clock] == [key for _, key in clocks[0]]
        findings.expect(same, "", f"{rendition.playlist.stem}: other frames or key frames than the first rung")
    return 1 / step


def _times(truth: Source, count: int, rate: float, clip: Clip, findings: Findings) -> None:
    seconds, times = count / rate, truth.pictures.times
    if len(times) > 1 and times[-1] == times[0]:
        return  # a file without a clock: any one will do
    frame = max(1 / rate, float(times[-1] - times[-2]) if len(times) > 1 else 0.0)
    off = seconds - truth.end
    heard = max((len(sound) / decode.SAMPLES for sound in truth.sounds), default=0.0)
    held = off > frame and abs(seconds - heard) <= frame + sounds.END
    findings.expect(
        abs(off) <= frame + 0.002 or held,
        f"{seconds:.2f} s ({off:+.3f}{', the last picture stands until the sound ends' if held else ''})",
        f"lasts {seconds:.3f} s, the source {truth.end:.3f} s",
    )
    steps = np.diff(times)
    if len(steps) > 4 and not truth.pictures.fields and not clip.full_size and steps.max() - steps.min() < 0.0025:
        usual = len(steps) / float(times[-1] - times[0])
        expected = usual / -(-usual // (CAP + 0.1))
        times_over = max(1, round(rate / expected)) if usual < FEW else 1
        findings.expect(
            abs(rate / expected / times_over - 1) < 0.004 or (usual > 2 * CAP and abs(rate - CAP) < 1),
            "",
            f"{rate:.5g} fps, the source has {usual:.5g}",
        )


def _shape(truth: Source, found: Published, shown: decode.Pictures, findings: Findings) -> None:
    width, height, _ = shown.shape
    off = shown.aspect / truth.pictures.aspect
    least = max(0.01, 2 / min(width, height))
    text = f"aspect {shown.aspect:.3f}"
    findings.expect(abs(off - 1) <= least, text, f"{text}, a player shows the source at {truth.pictures.aspect:.3f}")
    findings.expect(
        found.renditions[0].size == (width, height),
        "",
        f"master says {found.renditions[0].size}, file {width}x{height}",
    )
    w, h, sample = truth.pictures.shape
    whole = min(max(w, round(w * sample)), max(h, round(h / sample)))
    # Pictures that are smaller than a macroblock are enlarged by a whole factor.
    findings.expect(min(width, height) <= max(whole + 2, 2 * LEAST), "", f"{width}x{height} from {w}x{h}: made larger")


def _tags(tools: Tools, path: Path, findings: Findings) -> None:
    video = source.video_of(decode.probe(tools, path))
    wrong = {name: video.get(name) for name, value in TAGS.items() if video.get(name) != value}
    findings.expect(not wrong, "bt709", f"tags {wrong}")
    findings.expect(video.get("pix_fmt") == "yuv420p", "", f"pixels {video.get('pix_fmt')}")
