"""Whether this ffmpeg on this host can open an encoder with its settings: it encodes one black picture."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import ffmpeg as graph

from video_pipeline.errors import CommandFailed, StalledError
from video_pipeline.media import encode, ffmpeg, hardware
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.tools import Tools, build
from video_pipeline.media.video_plan import RungPlan, VideoEncoder

WIDTH, HEIGHT = 640, 360
"""Of a trial that is about no video: every card encodes it."""
STALL_SECONDS = 30.0
_opened: set[tuple[str, ...]] = set()
"""Trials that went well in this process. What failed is tried again: a card may be busy, a driver be mended."""
_IGNORED = re.compile(
    r"Unknown option: (?P<unknown>[\w-]+)|Error parsing option (?P<svt>[^.]+)|(?P<value>Invalid value [^.]+)"
)
"""x265 and SVT-AV1 go on without a parameter they do not know."""


def unusable(tools: Tools, encoder: VideoEncoder) -> str | None:
    """Why this encoder cannot be used for a small video; None if it can."""
    rung = RungPlan(
        name=f"{encoder.family}-{HEIGHT}p",
        family=encoder.family,
        width=WIDTH,
        height=HEIGHT,
        crf=26,
        maxrate=1_000_000,
        bufsize=2_000_000,
    )
    images = ImagePlan(candidates=1, poster_width=WIDTH, tile_width=WIDTH, columns=1, rows=1, interval=Fraction(1))
    plan = EncodingPlan(
        preset="",
        preset_digest="",
        source_sha256="",
        stream=0,
        start=Fraction(0),
        rate=Fraction(25),
        frames=1,
        gop=50,
        segment=100,
        encoders=(encoder,),
        rungs=(rung,),
        images=images,
    )
    return refusal(tools, plan, plan.rungs)


def refusal(tools: Tools, plan: EncodingPlan, rungs: Sequence[RungPlan]) -> str | None:
    """Why the encoders of these rungs (of one family) cannot be opened, all at once and with all their options; None
    if they can."""
    largest, encoder = rungs[0], plan.encoder(rungs[0].family)
    picture = f"color=black:size={largest.width}x{largest.height}:rate={plan.rate}"
    log = bytearray()
    with TemporaryDirectory() as place:
        frames = graph.input(picture, f="lavfi", t=1)["0"].filter("trim", end_frame=1)
        args = encode.outputs(frames, plan, rungs, Path(place), {})
        key = (build(tools), str(tools.vaapi), *(word.replace(place, "") for word in args))
        if key in _opened:
            return None
        try:
            ffmpeg.ffmpeg(
                tools,
                [*hardware.device(encoder.codec, tools.vaapi), *args],
                stall_seconds=STALL_SECONDS,
                on_log=log.extend,
                memory=hardware.memory(encoder.codec),
            )
        except CommandFailed as error:
            if error.status in (-signal.SIGKILL, -signal.SIGTERM):
                raise  # that says nothing of the encoder
            return ffmpeg.complaint(error.log)
        except StalledError:
            if encoder.codec not in hardware.ALL:
                raise  # a card may hang, a program waits for a busy host
            return f"it does not answer within {STALL_SECONDS:g} s"
    if ignored := _IGNORED.search(log.decode("utf-8", "replace")):
        known = ignored.groupdict()
        return known["value"] or f"it does not know the parameter {known['unknown'] or known['svt']}"
    _opened.add(key)
    return None
