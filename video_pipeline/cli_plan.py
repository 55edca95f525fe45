"""`video-pipeline plan`: what would be made of a video, without encoding it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from video_pipeline import presets, settings
from video_pipeline.cli_options import job_options
from video_pipeline.cli_table import table
from video_pipeline.intake import spelled
from video_pipeline.intake.job import parse
from video_pipeline.media import probe, tools
from video_pipeline.media.backend import settled
from video_pipeline.media.plan import make_plan
from video_pipeline.media.planned import described
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.sidecars import take_in
from video_pipeline.stores.sources import local_path

NOT_READ = "0" * 64
"""Instead of the source's digest, which shapes nothing that is planned."""


@click.command()
@click.argument("source")
@click.option("--preset", help="As `process` has it. Default: web.")
@job_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def plan(source: str, preset: str | None, as_json: bool, **asked: Any) -> None:
    """Print what `process` would make of SOURCE: the grid, the chunks, every rung and track, and what is left out.

    Nothing is encoded or kept. A source whose file does not tell when its pictures are shown is decoded to know.
    """
    ours = settings.load()
    options = parse({"source": "/", **spelled.fields(asked)}, None).options
    wanted = presets.load(preset or ours.default_preset, ours.presets_dir)
    path = local_path(source).absolute()
    found = tools.find(
        ffmpeg=ours.ffmpeg, ffprobe=ours.ffprobe, packager=ours.packager, nice=ours.nice, vaapi=ours.vaapi_device
    )
    with TemporaryDirectory() as place:
        (Path(place) / "scratch").mkdir()
        store = LocalStore(Path(place) / "store")
        sidecars = take_in(options, store, Checkpoints(store), Path(place) / "scratch")
    about = probe.probe(found, path)
    made = make_plan(about, NOT_READ, wanted, options, [file.blob for file in sidecars])
    made = settled(found, made, wanted, about.video)
    document = described(path.name, about, made, wanted)
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else _text(document))


def _text(document: dict[str, Any]) -> str:
    facts = [
        ("source", _source(document["source"])),
        ("preset", document["preset"]),
        ("frames", f"{document['frames']} at {_rate(document['frameRate'])} a second, {document['seconds']:.3f} s"),
        ("grid", _grid(document)),
        ("chunks", _chunks(document)),
        ("sound", _sound(document)),
        ("text", _texts(document)),
        ("images", _images(document["images"])),
        ("download", document["download"] or "none"),
        *([("encrypted", document["protection"]["scheme"])] if document["protection"] else []),
        *(("instead", fallback["sentence"]) for fallback in document["fallbacks"]),
        *(("encoded", f"{one['name']}: not passed through, {one['why']}") for one in document["notPassedThrough"]),
        *(("left out", f"{left['name']}: {left['why']}") for left in document["leftOut"]),
    ]
    parts = ["\n".join(f"{name:10}{text}" for name, text in facts)]
    families: dict[str, list[dict[str, Any]]] = {}
    for rung in document["rungs"]:
        families.setdefault(rung["family"], []).append(rung)
    about = "near " if document["crfIsSearched"] else ""
    names = ("rung", "size", "crf", "ceiling kbit/s", "encoder", "speed", "bits", "range")
    for rungs in families.values():
        rows = [
            (
                rung["name"],
                f"{rung['width']}x{rung['height']}",
                "-" if rung["copied"] else f"{about}{rung['crf']:g}",
                round(rung["maxrate"] / 1000),
                "none: copied" if rung["copied"] else rung["encoder"],
                "-" if rung["copied"] else rung["speed"],
                rung["bitDepth"],
                rung["range"],
            )
            for rung in rungs
        ]
        parts.append(table(names, rows))
    if about:
        parts.append(
            "The preset has a target of quality: when the video is made, the crf of each rung is searched for, and\n"
            "rungs that are not worth their bits are left out."
        )
    return "\n\n".join(parts)


def _source(source: dict[str, Any]) -> str:
    rate = f"{_rate(source['frameRate'])} pictures a second{' on average' if source['variableRate'] else ''}"
    odd = [source["fields"]] if source["fields"] != "progressive" else []
    odd += [source["range"]] if source["range"] != "SDR" else []
    odd += [f"turned by {source['rotation']}°"] if source["rotation"] else []
    size = f"{source['width']}x{source['height']}"
    picture = f"{source['codec']} {size} {source['pixelFormat']}"
    sounds = [_joined(sound["codec"], sound["layout"], sound["language"], sound["title"]) for sound in source["audio"]]
    parts = [f"{source['name']} ({source['container']}), {source['seconds']:.3f} s", picture, *odd, rate]
    parts += [", ".join(sounds) or "no sound", *([source["damage"]] if source["damage"] else [])]
    return _line("; ".join(parts))


def _grid(document: dict[str, Any]) -> str:
    gop, segment = document["gopFrames"], document["segmentFrames"]
    return f"a key frame every {gop} frames, segments of {segment} ({document['segmentSeconds']:.3f} s)"


def _chunks(document: dict[str, Any]) -> str:
    pieces = [piece["seconds"] for piece in document["chunks"]]
    last = f", the last {pieces[-1]:.3f} s" if len(pieces) > 1 else ""
    way = ", from one pass over the source" if document["readInOnePass"] else ""
    return f"{len(pieces)} of {pieces[0]:.3f} s{last}{way}"


def _sound(document: dict[str, Any]) -> str:
    tracks = [
        _joined(f"{sound['label']}:", sound["codec"], sound["layout"], f"{sound['bitRate'] // 1000} kbit/s")
        for sound in document["audio"]
    ]
    return _line("; ".join(tracks)) or "none"


def _texts(document: dict[str, Any]) -> str:
    tracks = [f"{text['label']} ({_joined(text['kind'], 'of', text['of'])})" for text in document["text"]]
    chapters = [f"{document['chapters']} chapters"] if document["chapters"] else []
    return _line("; ".join([*tracks, *chapters])) or "none"


def _images(images: dict[str, Any]) -> str:
    asked = f", {images['asked']} asked for" if images["asked"] else ""
    poster = "a good frame" if images["posterFrame"] is None else f"frame {images['posterFrame']}"
    sheets = f"{images['sheets']} sheet{'s' if images['sheets'] > 1 else ''}"
    every = f"a tile every {images['tileSeconds']:g} s, {images['tiles']} on {sheets}"
    names = {"jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}
    formats = ", ".join(names[format] for format in images["formats"])
    files = f"each {formats} in {', '.join(map(str, images['widths']))}, SSIM {images['ssim']:g}"
    preview = f"; preview of {images['previewSeconds']:g} s" if images["previewSeconds"] else ""
    return f"poster of {poster}, up to {images['candidates']} candidates{asked}, {files}; sprites with {every}{preview}"


def _rate(text: str) -> str:
    return f"{float(Fraction(text)):g}" if "/" not in text else f"{float(Fraction(text)):.3f}"


def _joined(*words: str | None) -> str:
    return " ".join(word for word in words if word)


def _line(text: str) -> str:
    """Titles come from the source: nothing in them may command a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
