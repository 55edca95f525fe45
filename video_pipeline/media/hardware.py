"""Encoders of graphics cards: NVENC (NVIDIA), and VAAPI (Intel, AMD).

They get the grid of all others: at each of its places a key frame that nothing refers across, and nowhere else; it is
also forced, for a card's own idea of a GOP is its driver's matter. No B-frames: which card has them for which codec,
and what becomes of them where it has none, differs; a preset may ask for them by `options`. Their quality is constant
under a ceiling, as that of the others.

Two encodes need not give the same bytes: drivers promise nothing of the kind.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from video_pipeline.media import ffmpeg
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.video_plan import RungPlan, VideoEncoder

Options = dict[str, Any]
NVENC = ("h264_nvenc", "hevc_nvenc")
VAAPI = ("h264_vaapi", "hevc_vaapi")
ALL = (*NVENC, *VAAPI)
NEEDS = {
    **dict.fromkeys(NVENC, "an NVIDIA card with NVENC and its driver"),
    **dict.fromkeys(VAAPI, "an Intel or AMD card, its VAAPI driver, and access to the device"),
}
_SPEEDS = {
    "ultrafast": "p1",
    "superfast": "p1",
    "veryfast": "p2",
    "faster": "p3",
    "fast": "p4",
    "medium": "p5",
    "slow": "p6",
    "slower": "p7",
    "veryslow": "p7",
}
"""x264's and x265's to NVENC's."""
OWN_SPEED = "driver's own"
"""VAAPI's: what its numbers mean differs from driver to driver."""


def speed(codec: str, preset: str) -> str:
    """As the encoder spells what a preset calls `preset`."""
    return _SPEEDS[preset] if codec in NVENC else OWN_SPEED


def device(codec: str, vaapi: Path) -> list[str]:
    """ffmpeg's global words that open what this encoder runs on."""
    return ["-vaapi_device", str(vaapi)] if codec in VAAPI else []


def memory(codec: str) -> int | None:
    """Address space of a command with this encoder, bytes; None for no limit: NVIDIA's driver reserves addresses for
    all memory of the card and of the host, and fails where it may not."""
    return None if codec in NVENC else ffmpeg.MEMORY


def frames(encoder: VideoEncoder) -> tuple[str, ...]:
    """Filters that bring pictures into the form, and to the place, from which this encoder takes them."""
    if encoder.codec in VAAPI:
        return ("format=p010le" if encoder.bit_depth == 10 else "format=nv12", "setsar=1", "hwupload")
    deep = encoder.codec in NVENC and encoder.bit_depth == 10
    return (f"format={'p010le' if deep else encoder.pix_fmt}", "setsar=1")


def _grid(plan: EncodingPlan, codec: str) -> Options:
    grid = {
        "g": plan.gop,
        "bf": 0,
        "flags:v": "+cgop+bitexact",
        "force_key_frames": f"expr:not(mod(n,{plan.gop}))",
    }
    # Players of Apple's take no other tag.
    return {**grid, "tag:v": "hvc1"} if codec.startswith("hevc") else grid


def nvenc(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    return {
        "preset": encoder.preset,
        "tune": "hq",
        "profile:v": encoder.profile,
        # With a quality to keep it looks at the ceiling alone; without an average of 0 it would aim at 2 Mbit/s.
        "rc": "vbr",
        "cq": f"{rung.crf:g}",
        "b:v": 0,
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        "no-scenecut": 1,
        "forced-idr": 1,
        "strict_gop": 1,
        **_grid(plan, encoder.codec),
        **encoder.options,
    }


def vaapi(plan: EncodingPlan, rung: RungPlan, encoder: VideoEncoder) -> Options:
    profiles = {"baseline": "constrained_baseline"} if encoder.codec == "h264_vaapi" else {}
    return {
        "profile:v": profiles.get(encoder.profile, encoder.profile),
        "rc_mode": "QVBR",
        # Whole numbers; 0 would be the driver's own choice.
        "global_quality": max(1, round(rung.crf)),
        # This mode takes an average that must not exceed the ceiling.
        "b:v": rung.maxrate,
        "maxrate": rung.maxrate,
        "bufsize": rung.bufsize,
        # Every intra picture is one that nothing refers across.
        "idr_interval": 0,
        # The driver's name and version would be in every stream.
        "sei": 0,
        **_grid(plan, encoder.codec),
        **encoder.options,
    }
