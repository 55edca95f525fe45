"""A small release made from one clip, and copies of it with one thing changed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest import mock

from video_pipeline import presets
from video_pipeline.media import (
    audio,
    download,
    package,
    preview,
    probe,
    quality,
    scenes,
    sprites,
    thumbnails,
)
from video_pipeline.media.checks import agreement, sampled, shown, sound
from video_pipeline.media.image_plan import PreviewPlan
from video_pipeline.media.image_products import Preview, Sprites, Thumbnails, sheet_name
from video_pipeline.media.model import EncodingPlan, ProtectionPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.products import CheckResult, Download, FrameMap, QualityReport, Streams, Texts, Track
from video_pipeline.media.protection import ContentKey
from video_pipeline.media.text import tracks as text_tracks
from video_pipeline.media.tools import Tools
from video_pipeline.presets.model import Preset
from video_pipeline_tests.media import encoding

SMALL, LARGE = "h264-240p", "h264-360p"


@dataclass(frozen=True)
class Made:
    tools: Tools
    source: Path
    plan: EncodingPlan
    tracks: tuple[Track, ...]
    encoded: Mapping[str, Path]
    """Track name to what the encoder wrote."""
    streams: Streams
    media: Mapping[str, Path]
    """Track name to the packaged file."""
    thumbnails: Thumbnails
    sprites: Sprites
    images: Mapping[str, Path]
    shown: FrameMap
    texts: Texts
    download: Download = field(default_factory=Download)
    saved: Path | None = None
    """The MP4 for download."""
    preview: Preview = field(default_factory=Preview)
    """Its files are among the images."""
    key: ContentKey | None = None
    brought: Path | None = None
    """The picture that somebody brought as the poster, if one did."""

    def inspect(self) -> QualityReport:
        with remembering(), TemporaryDirectory() as scratch:
            return quality.inspect(
                self.tools,
                self.source,
                self.plan,
                self.streams,
                self.media,
                self.thumbnails,
                self.sprites,
                self.images,
                self.shown,
                self.texts,
                self.download,
                self.saved,
                Path(scratch),
                self.encoded,
                self.key,
                self.brought,
                preview=self.preview,
            )

    def failed(self) -> dict[str, CheckResult]:
        """The failed checks by name; a warning is none."""
        report = self.inspect()
        failed = {check.name: check for check in report.checks if not check.passed and not check.warning}
        assert report.passed is not bool(failed)
        return failed

    def with_text(self, path: str, change: Callable[[str], str]) -> Made:
        """With one manifest changed; a change that changes nothing is no fault."""
        before = self.streams.texts[path]
        after = change(before)
        assert after != before
        return replace(self, streams=self.streams.model_copy(update={"texts": {**self.streams.texts, path: after}}))

    def with_vtt(self, change: Callable[[str], str]) -> Made:
        after = change(self.sprites.vtt)
        assert after != self.sprites.vtt
        return replace(self, sprites=self.sprites.model_copy(update={"vtt": after}))

    def with_media(self, name: str, directory: Path, change: Callable[[bytes], bytes]) -> Made:
        """With one packaged file changed."""
        return replace(self, media={**self.media, name: _changed(self.media[name], directory, change)})

    def with_image(self, name: str, directory: Path, change: Callable[[bytes], bytes]) -> Made:
        return replace(self, images={**self.images, name: _changed(self.images[name], directory, change)})

    def repackaged(self, encoded: Mapping[str, Path | None], directory: Path, plan: EncodingPlan | None = None) -> Made:
        """With other encodings, packaged anew so that the manifests are true; None leaves a track out."""
        files = {name: path for name, path in {**self.encoded, **encoded}.items() if path is not None}
        tracks = tuple(track for track in self.tracks if track.name in files)
        out = directory / "packaged"
        out.mkdir()
        arguments = (self.texts.tracks, self.key, self.sprites)
        streams = package.package(self.tools, plan or self.plan, tracks, files, out, *arguments)
        media = {file.name: out / f"{file.file.sha256}.mp4" for file in streams.media}
        return replace(self, streams=streams, media=media)

    def protected(self, protection: ProtectionPlan, key: ContentKey, directory: Path) -> Made:
        """The same, encrypted."""
        plan = self.plan.model_copy(update={"protection": protection})
        return replace(replace(self, key=key).repackaged({}, directory, plan), plan=plan)

    def with_download(self, rung: str, directory: Path) -> Made:
        """With this rung for download, too."""
        plan = self.plan.model_copy(update={"download": rung})
        sound = self.encoded.get(download.sound_name(plan) or "")
        saved = download.make(self.tools, plan, self.encoded[rung], sound, directory)
        return replace(self, plan=plan, download=saved, saved=directory / download.FILE)

    def with_preview(self, directory: Path, seconds: float = 3, width: int = 320) -> Made:
        """With a preview clip, too."""
        images = self.plan.images.model_copy(update={"preview": PreviewPlan(seconds=seconds, width=width)})
        plan = self.plan.model_copy(update={"images": images})
        rung = preview.rung_of(plan)
        small = self.encoded[plan.family(plan.plain)[-1].name]
        made = preview.make(
            self.tools, self.encoded[rung.name], rung, scenes.detect(small, plan), self.thumbnails, plan, directory
        )
        files = {name: directory / name for name in made.files}
        return replace(self, plan=plan, preview=made, images={**self.images, **files})

    def place(self, root: Path) -> Path:
        """Lays the streams out as they are published, and returns the release's directory."""
        release = root / "releases" / "r1"
        for path, text in {**self.streams.texts, **self.texts.files()}.items():
            (release / path).parent.mkdir(parents=True, exist_ok=True)
            (release / path).write_text(text, "utf-8")
        (root / "media").mkdir()
        for file in self.streams.media:
            (root / "media" / f"{file.file.sha256}.mp4").symlink_to(self.media[file.name].resolve())
        (release / "sprites").mkdir()
        for number in range(len(self.sprites.sheets)):
            (release / "sprites" / sheet_name(number)).symlink_to(self.images[sheet_name(number)].resolve())
        return release


_known: dict[tuple[object, ...], Any] = {}


@contextmanager
def remembering() -> Iterator[None]:
    """Decodes every file once: most faults leave the media as they are; a changed file has a path of its own."""

    def once(module: ModuleType, name: str, key: Callable[..., tuple[object, ...]]) -> None:
        real = getattr(module, name)

        def call(*args: Any, **options: Any) -> Any:
            asked = (name, *key(*args), *options.items())
            if asked not in _known:
                found = real(*args, **options)
                _known[asked] = list(found) if isinstance(found, Iterator) else found
            return _known[asked]

        patches.enter_context(mock.patch.object(module, name, call))

    with ExitStack() as patches:
        once(quality, "read", lambda _, media, sounds: tuple(media.items()))
        once(sampled, "decoded", lambda _, plan, asked, by, __: (*((r.path, *fs) for r, fs in asked), by, plan.rate))
        once(
            sampled,
            "of_source",
            lambda _, plan, source, family, frames: (source, *frames, plan.filters_of(family), plan.rate),
        )
        once(agreement, "_key_frames", lambda _, paths: tuple(paths))
        once(shown, "_at_interval", lambda _, plan, path, sheets: (path, sheets.interval, plan.rate))
        once(sound, "_parts", lambda _, plan, tracks, files, source, __: (*tracks, *files.values(), source, plan.start))
        yield


def _changed(path: Path, directory: Path, change: Callable[[bytes], bytes]) -> Path:
    before = path.read_bytes()
    after = change(before)
    assert after != before
    out = directory / path.name
    out.write_bytes(after)
    return out


def make(tools: Tools, clip: Path, directory: Path, preset: Preset | None = None) -> Made:
    """Everything of a release of this clip; a tile every 0.4 s, 6 of them on a sheet."""
    about = probe.probe(tools, clip)
    plan = make_plan(about, "0" * 64, preset or presets.load("draft"))
    shape = {"columns": 3, "rows": 2, "interval": Fraction(2, 5)}
    plan = plan.model_copy(update={"images": plan.images.model_copy(update=shape)})
    for name in ("encoded", "packaged", "images"):
        (directory / name).mkdir()
    encoded = directory / "encoded"
    made = [encoding.encode(tools, clip, plan, plan.family(one.family), encoded) for one in plan.encoders]
    tracks = tuple(track for one in made for track in one.tracks)
    tracks += audio.encode(tools, clip, plan, plan.audio, encoded)
    files = {track.name: encoded / f"{track.name}.mp4" for track in tracks}
    (directory / "texts").mkdir()
    texts = text_tracks.make(tools, clip, plan, {}, directory / "texts")
    small, large = (files[plan.family(plan.plain)[n].name] for n in (-1, 0))
    shown = thumbnails.make(tools, small, large, scenes.detect(small, plan), plan, directory / "images", source=clip)
    sheets = sprites.make(tools, small, plan, directory / "images")
    out = directory / "packaged"
    streams = package.package(tools, plan, tracks, files, out, texts.tracks, sprites=sheets)
    return Made(
        tools=tools,
        source=clip,
        plan=plan,
        tracks=tracks,
        encoded=files,
        streams=streams,
        media={file.name: directory / "packaged" / f"{file.file.sha256}.mp4" for file in streams.media},
        thumbnails=shown,
        sprites=sheets,
        images={path.name: path for path in (directory / "images").iterdir()},
        shown=made[0].shown,
        texts=texts,
    )


def run_ffmpeg(tools: Tools, *args: str | Path) -> None:
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-y", *map(str, args)]
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=120)


def run_log(tools: Tools, *args: str | Path) -> str:
    """What ffmpeg says."""
    argv = [str(tools.ffmpeg), "-hide_banner", "-nostdin", *map(str, args)]
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=120).stderr
