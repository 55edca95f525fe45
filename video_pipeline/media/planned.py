"""A plan in the words and numbers that people and their programs ask for, before anything is encoded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from video_pipeline.media import damage, pass_through
from video_pipeline.media.chunks import chunks
from video_pipeline.media.families import RANGES
from video_pipeline.media.forms import SUFFIXES
from video_pipeline.media.model import EncodingPlan, LeftOut
from video_pipeline.media.technical import TechnicalMetadata
from video_pipeline.media.thumbnails import poster_size
from video_pipeline.media.tiles import planning as tiles
from video_pipeline.presets.model import Preset


def described(name: str, source: TechnicalMetadata, plan: EncodingPlan, preset: Preset) -> dict[str, Any]:
    """As JSON has it: bit rates in bit/s, times in seconds, rates as "num/den".

    Args:
        name: of the source, for people.
    """
    pieces, size, preview = chunks(plan), poster_size(plan), plan.images.preview
    return {
        "source": _source(name, source),
        "preset": plan.preset,
        "frameRate": str(plan.rate),
        "frames": plan.frames,
        "seconds": float(plan.duration),
        "gopFrames": plan.gop,
        "segmentFrames": plan.segment,
        "segmentSeconds": float(plan.segment / plan.rate),
        "chunks": [{"frames": piece.frames, "seconds": float(piece.duration)} for piece in pieces],
        "readInOnePass": not plan.seekable and len(pieces) > 1,
        "rungs": [_rung(plan, n) for n in range(len(plan.rungs))],
        "fallbacks": [{**one.model_dump(), "sentence": one.sentence} for one in plan.fallbacks],
        "crfIsSearched": bool(preset.quality and preset.quality.target is not None),
        "audio": [
            {
                "name": track.name,
                "stream": track.stream,
                "label": track.label,
                "language": track.language,
                "codec": track.codec,
                "layout": track.layout,
                "bitRate": track.bit_rate,
                "loudness": track.loudness,
                "seconds": float(track.end),
            }
            for track in plan.audio
        ],
        "text": [
            {"name": track.name, "label": track.label, "kind": track.kind, "of": track.of, "language": track.language}
            for track in plan.text
        ],
        "chapters": len(plan.chapters),
        "images": {
            "candidates": plan.images.candidates,
            "asked": len(plan.images.at),
            "posterFrame": plan.images.poster,
            "formats": [format for format in SUFFIXES if format == "jpeg" or format in plan.images.formats],
            "widths": [max(size), *(width for width in sorted(plan.images.widths, reverse=True) if width < max(size))],
            "ssim": plan.images.ssim,
            "previewSeconds": min(preview.seconds, float(plan.duration)) if preview else None,
            "tileSeconds": float(plan.images.interval),
            "tiles": tiles.count(plan),
            "sheets": tiles.sheets(plan),
        },
        "download": plan.download,
        "protection": plan.protection.model_dump(mode="json") if plan.protection else None,
        "notPassedThrough": [
            one.model_dump() for one in (pass_through.refused(plan, source) if preset.pass_through else ())
        ],
        "leftOut": [left.model_dump() for left in _left_out(source, plan, preset)],
    }


def _source(name: str, source: TechnicalMetadata) -> dict[str, Any]:
    video, (width, height) = source.video, source.video.display_size
    return {
        "name": name,
        "container": source.container,
        "seconds": float(source.duration),
        "codec": video.codec,
        "width": width,
        "height": height,
        "rotation": video.rotation,
        "pixelFormat": video.pix_fmt,
        "range": RANGES[video.transfer],
        "fields": video.fields,
        "frameRate": str(video.average_rate),
        "variableRate": source.timing.variable,
        "damage": damage.judge(1.0, source),
        "audio": [
            {
                "stream": sound.index,
                "codec": sound.codec,
                "layout": sound.layout or f"{sound.channels} channels",
                "language": sound.language,
                "title": sound.title,
            }
            for sound in source.audio
        ],
    }


def _rung(plan: EncodingPlan, number: int) -> dict[str, Any]:
    rung = plan.rungs[number]
    encoder = plan.encoder(rung.family)
    return {
        "name": rung.name,
        "family": rung.family,
        "width": rung.width,
        "height": rung.height,
        "crf": rung.crf,
        "maxrate": rung.maxrate,
        "copied": rung.copied,
        "encoder": None if rung.copied else encoder.codec,
        "speed": encoder.preset,
        "bitDepth": encoder.bit_depth,
        "range": encoder.video_range,
    }


def _left_out(source: TechnicalMetadata, plan: EncodingPlan, preset: Preset) -> Iterator[LeftOut]:
    short = min(source.video.display_size)
    for name, family in preset.families.items():
        heights = [rung.height for rung in family.rungs]
        for why, those in (
            (f"above max_height ({preset.max_height})", [h for h in heights if h > preset.max_height]),
            (f"larger than the source ({short}p)", [h for h in heights if short < h <= preset.max_height]),
        ):
            if those:
                yield LeftOut(name=f"{name} {', '.join(f'{height}p' for height in those)}", why=why)
    yield from plan.rungs_left_out
    yield from plan.audio_left_out
    yield from plan.text_left_out
