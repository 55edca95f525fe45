"""Records of published videos for the index."""

from __future__ import annotations

from typing import Any

from video_pipeline.media.image_products import Thumbnail
from video_pipeline.media.model import Blob
from video_pipeline.media.products import CheckResult, Loudness, Scene
from video_pipeline.stores.videos import RenditionRecord, VideoRecord


def rendition(codec: str, width: int, height: int) -> RenditionRecord:
    return RenditionRecord(
        name=f"{codec}-{min(width, height)}p",
        codec=codec,
        width=width,
        height=height,
        rate=25,
        bit_rate=900_000,
        peak_bit_rate=1_200_000,
        bytes=5_000_000_000,
        sha256="a" * 64,
        bits_per_pixel=0.05,
    )


AUDIO = RenditionRecord(
    name="audio-1", codec="aac", bit_rate=128_000, peak_bit_rate=130_000, bytes=64_000, sha256="b" * 64
)


def record(video_id: str = "film", release_id: str = "r" * 20, **changes: Any) -> VideoRecord:
    fields: dict[str, Any] = {
        "video_id": video_id,
        "release_id": release_id,
        "request": 1,
        "title": "Big Buck Bunny",
        "preset": "web",
        "source_name": "bunny.mov",
        "source_sha256": "c" * 64,
        "source_bytes": 123,
        "container": "mov",
        "codec": "prores",
        "width": 1920,
        "height": 1080,
        "rate": 25,
        "duration": 4.0,
        "loudness": Loudness(integrated=-23.0, range=5.0, true_peak=-1.0, momentary_max=-15.0, short_term_max=-18.5),
        "loudness_target": -23.0,
        "waveform_path": "releases/x/audio/waveform.json",
        "waveform_bytes": 1234,
        "download_path": "media/abc.mp4",
        "download_bytes": 5_000_000_000,
        "bytes": 5_000_064_000,
        "renditions": (rendition("h264", 1280, 720), AUDIO),
        "scenes": (Scene(index=0, start=0, end=50), Scene(index=1, start=50, end=100)),
        "thumbnails": (
            Thumbnail(
                name="poster.jpg",
                frame=10,
                time=0.4,
                width=1280,
                height=720,
                score=0.9,
                file=Blob(sha256="d" * 64, size=9),
            ),
        ),
        "checks": (CheckResult(name="decodes", passed=True, measured="100 frames"),),
    }
    return VideoRecord(**{**fields, **changes})
