"""Encoders of graphics cards on a machine that has none: the argv, what is said, and what takes their place.

What the options are called is judged by ffmpeg's own list of them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from video_pipeline import presets
from video_pipeline.errors import CommandFailed, DependencyError, RequestError, ToolMissing
from video_pipeline.media import decoding, encode, hardware, probe, trial
from video_pipeline.media.backend import settled
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import VideoEncoder
from video_pipeline.presets.model import Preset
from video_pipeline_tests.media import encoding

NO_CARD = Path("/nonexistent/card")
GENERIC = set("g bf b:v maxrate bufsize flags:v profile:v global_quality force_key_frames tag:v".split())
"""Of every encoder."""
OURS = set("video_track_timescale fps_mode map map_metadata map_chapters fflags".split()) | set(decoding.LINES)
"""Not the encoder's."""


def preset(encoder: str, **keys: Any) -> Preset:
    table = presets.load("web").model_dump()
    rungs = [{"height": 360, "crf": 23.5, "maxrate": 900}, {"height": 180, "crf": 26, "maxrate": 450}]
    family = encoder.split("_")[0]
    table[family] = {"encoder": encoder, "preset": "slow", "threads": 1, "rungs": rungs, **keys.pop(family, {})}
    return Preset.model_validate({**table, **keys})


@pytest.fixture(scope="module")
def clip(make_clip: Callable[..., Path]) -> Path:
    return make_clip("cards.mp4", seconds=2, size="640x360", cuts=False)


@pytest.fixture(scope="module")
def planned(tools: Tools, clip: Path) -> Callable[[Preset], EncodingPlan]:
    about = probe.probe(tools, clip)
    return lambda wanted: make_plan(about, "0" * 64, wanted)


def words(args: Sequence[str], rung: str) -> dict[str, str]:
    """The options of one output."""
    end = next(n for n, word in enumerate(args) if word.endswith(f"{rung}.mp4"))
    begin = max(n for n, word in enumerate(args[:end]) if word == "-map")
    return {name[1:]: value for name, value in zip(args[begin:end:2], args[begin + 1 : end : 2], strict=True)}


@pytest.mark.parametrize("encoder", hardware.ALL)
def test_options_are_those_the_encoder_has(
    tools: Tools, clip: Path, planned: Callable[[Preset], EncodingPlan], encoder: str, tmp_path: Path
) -> None:
    plan = planned(preset(encoder))
    family = encoder.split("_")[0]
    argv = [str(tools.ffmpeg), "-hide_banner", "-h", f"encoder={encoder}"]
    told = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=True).stdout
    own = set(re.findall(r"^  -([\w-]+) ", told, re.MULTILINE))
    constants = set(re.findall(r"^     (\w+) ", told, re.MULTILINE))
    for rung in [rung for rung in plan.rungs if rung.family == family]:
        given = words(encode.command(clip, plan, plan.family(rung.family), tmp_path), rung.name)
        assert given.pop("c:v") == encoder
        for name, value in given.items():
            assert name.removesuffix(":v") in own or name in GENERIC | OURS, name
            if value.isalpha() and name.removesuffix(":v") in own:
                assert value in constants, (name, value)


def test_nvenc(clip: Path, planned: Callable[[Preset], EncodingPlan]) -> None:
    plan = planned(preset("hevc_nvenc", hevc={"bit_depth": 10, "options": {"spatial-aq": "1"}}))
    args = encode.command(clip, plan, plan.family("hevc"), Path("/out"))
    assert "-vaapi_device" not in args
    given = words(args, "hevc-360p")
    rate = {"rc": "vbr", "cq": "23.5", "b:v": "0", "maxrate": "900000", "bufsize": "1800000"}
    grid = {"g": "50", "bf": "0", "no-scenecut": "1", "forced-idr": "1", "flags:v": "+cgop+bitexact"}
    forced = {"force_key_frames": "expr:not(mod(n,50))"}
    named = {"preset": "p6", "profile:v": "main10", "tag:v": "hvc1", "spatial-aq": "1"}
    assert given.items() >= {**rate, **grid, **forced, **named}.items()
    assert not given.keys() & {"crf", "x265-params", "threads", "keyint_min"}
    (graph,) = [word for word in args if "scale=" in word]
    assert "p010le" in graph
    assert "hwupload" not in graph


def test_vaapi(clip: Path, planned: Callable[[Preset], EncodingPlan]) -> None:
    plan = planned(preset("h264_vaapi", h264={"profile": "baseline"}))
    args = encode.command(clip, plan, plan.family("h264"), Path("/out"), vaapi=NO_CARD)
    assert args[: args.index("-i")].count("-vaapi_device") == 1
    assert args[args.index("-vaapi_device") + 1] == str(NO_CARD)
    given = words(args, "h264-180p")
    rate = {"rc_mode": "QVBR", "global_quality": "26", "b:v": "450000", "maxrate": "450000", "bufsize": "900000"}
    grid = {"g": "50", "bf": "0", "idr_interval": "0", "flags:v": "+cgop+bitexact"}
    forced = {"force_key_frames": "expr:not(mod(n,50))", "profile:v": "constrained_baseline"}
    assert given.items() >= {**rate, **grid, **forced}.items()
    (graph,) = [word for word in args if "scale=" in word]
    assert len(re.findall(r"nv12.*?setsar=1.*?hwupload", graph)) == 2


def test_chunks_get_the_device_too(clip: Path, planned: Callable[[Preset], EncodingPlan]) -> None:
    plan = planned(preset("hevc_vaapi"))
    args = encode.command(Path("/pipe"), plan, plan.family("hevc"), Path("/out"), raw=True, vaapi=NO_CARD)
    assert args[:2] == ["-vaapi_device", str(NO_CARD)]


def without_card(tools: Tools) -> Tools:
    return Tools(tools.ffmpeg, tools.ffprobe, tools.packager, vaapi=NO_CARD)


def test_what_must_be_there_and_is_not(tools: Tools, clip: Path, planned: Callable[[Preset], EncodingPlan]) -> None:
    wanted = preset("hevc_vaapi")
    with pytest.raises(ToolMissing) as caught:
        settled(without_card(tools), planned(wanted), wanted, probe.probe(tools, clip).video)
    said = str(caught.value)
    assert said.startswith(
        "preset web: hevc_vaapi of hevc cannot be used here: No VA display found for device /nonexistent/card; it needs"
    )
    assert "`hardware: prefer`" in said
    assert "libx265" in said


def test_the_software_encoder_takes_its_place(
    tools: Tools, clip: Path, planned: Callable[[Preset], EncodingPlan]
) -> None:
    """The plan is that of the software's preset but for what it tells, so its rungs are the very same."""
    wanted = preset("h264_vaapi", hardware="prefer", h264={"options": {"low_power": "1"}})
    plan = settled(without_card(tools), planned(wanted), wanted, probe.probe(tools, clip).video)
    plain = planned(preset("h264_vaapi", h264={"encoder": "libx264"}))
    assert plan.encoders == plain.encoders
    assert [encode.checkpoint_key(plan, rung, "b") for rung in plan.rungs] == [
        encode.checkpoint_key(plain, rung, "b") for rung in plain.rungs
    ]
    assert [one.sentence for one in plan.fallbacks] == [
        "h264_vaapi cannot be used here (No VA display found for device /nonexistent/card): h264 is encoded by libx264 "
        "instead"
    ]
    assert plan.preset_digest == wanted.digest


def faked(tmp_path: Path, tools: Tools, script: str) -> Tools:
    """An ffmpeg that does something else first."""
    program = tmp_path / "ffmpeg"
    program.write_text(f'#!/bin/bash\n{script}\nexec {tools.ffmpeg} "$@"\n')
    program.chmod(0o755)
    return Tools(program, tools.ffprobe, tools.packager, vaapi=NO_CARD)


CARD = 'case "$*" in *"-c:v {codec}"*) echo "$*" >> {log}; ulimit -v >> {log}; exit {status};; esac'


@pytest.mark.parametrize(("codec", "memory"), [("h264_nvenc", "unlimited"), ("h264_vaapi", str(16 * 2**20))])
def test_a_card_that_is_there_is_tried_once(
    tools: Tools, clip: Path, tmp_path: Path, planned: Callable[[Preset], EncodingPlan], codec: str, memory: str
) -> None:
    """All rungs at once; NVIDIA's driver must not be held to a number of addresses."""
    fake = faked(tmp_path, tools, CARD.format(codec=codec, log=tmp_path / "log", status=0))
    wanted = preset(codec, hardware="prefer")
    plan = planned(wanted)
    for _ in range(2):
        assert settled(fake, plan, wanted, probe.probe(tools, clip).video) == plan
    tried, limit = (tmp_path / "log").read_text().splitlines()
    assert (tried.count(codec), limit) == (2, memory)
    assert len({encode.checkpoint_key(one, one.rungs[0], "b") for one in (plan, planned(presets.load("web")))}) == 2


def test_a_card_that_was_busy_is_tried_again(
    tools: Tools, clip: Path, tmp_path: Path, planned: Callable[[Preset], EncodingPlan]
) -> None:
    fake = faked(tmp_path, tools, CARD.format(codec="hevc_nvenc", log=tmp_path / "log", status=1))
    wanted = preset("hevc_nvenc", hardware="prefer")
    for _ in range(2):
        (fallback,) = settled(fake, planned(wanted), wanted, probe.probe(tools, clip).video).fallbacks
        assert (fallback.asked, fallback.used) == ("hevc_nvenc", "libx265")
    assert len((tmp_path / "log").read_text().splitlines()) == 4


def test_a_card_that_is_lost_while_encoding_is_not_the_sources_fault(
    tools: Tools, clip: Path, tmp_path: Path, planned: Callable[[Preset], EncodingPlan]
) -> None:
    lost = "[enc:h264_nvenc @ 0x5] Error while opening encoder - maybe incorrect parameters"
    log = f"[h264_nvenc @ 0x55] OpenEncodeSessionEx failed: out of memory (10): (no details)\\n{lost}"
    fake = faked(tmp_path, tools, f'case "$*" in *"-c:v h264_nvenc"*) printf "{log}" >&2; exit 187;; esac')
    plan = planned(preset("h264_nvenc"))
    with pytest.raises(DependencyError) as caught:
        encoding.encode(fake, clip, plan, plan.family("h264"), tmp_path)
    assert str(caught.value).startswith(
        "encoder h264_nvenc cannot be opened: OpenEncodeSessionEx failed: out of memory"
    )


def test_a_build_without_the_encoder(
    tools: Tools, clip: Path, tmp_path: Path, planned: Callable[[Preset], EncodingPlan]
) -> None:
    video = probe.probe(tools, clip).video
    hide = f'case "$*" in *-encoders*) {tools.ffmpeg} "$@" | grep -v -e libx265 -e h264_nvenc; exit;; esac'
    fake = faked(tmp_path, tools, hide)
    wanted = presets.load("web+")
    with pytest.raises(ToolMissing) as caught:
        settled(fake, planned(wanted), wanted, video)
    assert str(caught.value) == (
        f"preset web+: the ffmpeg at {fake.ffmpeg} is built without libx265, which hevc is encoded by; set "
        "VIDEO_PIPELINE_FFMPEG to one that has it, or take a preset without this family"
    )
    prefers = preset("h264_nvenc", hardware="prefer")
    (fallback,) = settled(fake, planned(prefers), prefers, video).fallbacks
    assert fallback.why == f"the ffmpeg at {fake.ffmpeg} is built without h264_nvenc"


@pytest.mark.parametrize(
    ("family", "keys", "words"),
    [
        ("h264", {"options": {"tune": "warp"}}, "h264: libx264 refuses its settings: invalid tune 'warp'"),
        ("h264", {"options": {"warp": "9"}}, "h264: libx264 refuses its settings: Unrecognized option 'warp'"),
        ("h264", {"options": {"refs": "many"}}, "h264: libx264 refuses its settings: Undefined constant"),
        ("hevc", {"params": {"aq-moed": "3"}}, "it does not know the parameter aq-moed"),
        ("hevc", {"params": {"aq-mode": "soon"}}, "Invalid value for aq-mode: soon"),
        ("hevc", {"params": {"aq-mode": "9"}}, "hevc: libx265 refuses its settings: Aq-Mode is out of range"),
        ("av1", {"params": {"film-gran": "9"}}, "it does not know the parameter film-gran"),
        ("av1", {"params": {"film-grain": "99"}}, r"only supported for values between \[0,50\]"),
    ],
)
def test_settings_an_encoder_refuses_are_named_before_it_encodes(
    tools: Tools, clip: Path, planned: Callable[[Preset], EncodingPlan], family: str, keys: dict[str, Any], words: str
) -> None:
    table = presets.load("web+").model_dump()
    table[family] = {**table[family], **keys}
    wanted = Preset.model_validate(table)
    with pytest.raises(RequestError, match=words) as caught:
        settled(tools, planned(wanted), wanted, probe.probe(tools, clip).video)
    assert str(caught.value).startswith("preset web+: ")


def test_settings_an_encoder_takes(tools: Tools, clip: Path, planned: Callable[[Preset], EncodingPlan]) -> None:
    table = presets.load("web+").model_dump()
    table["h264"]["options"] = {"tune": "film"}
    table["hevc"]["params"] = {"aq-mode": "3"}
    table["av1"]["params"] = {"film-grain": "8"}
    wanted = Preset.model_validate(table)
    plan = planned(wanted)
    assert settled(tools, plan, wanted, probe.probe(tools, clip).video) == plan


def test_alone(tools: Tools) -> None:
    """What `doctor` asks, of an encoder that is there and of a device that is not."""
    keys = {"family": "h264", "profile": "high", "threads": 1}
    software = VideoEncoder.model_validate({**keys, "codec": "libx264", "preset": "veryfast"})
    card = VideoEncoder.model_validate({**keys, "codec": "h264_vaapi", "preset": hardware.OWN_SPEED})
    assert trial.unusable(tools, software) is None
    assert trial.unusable(without_card(tools), card) == f"No VA display found for device {NO_CARD}"


def test_a_killed_trial_says_nothing_of_the_encoder(tools: Tools, tmp_path: Path) -> None:
    killed = tmp_path / "ffmpeg"
    killed.write_text(f'#!/bin/sh\ncase "$*" in *lavfi*) kill -9 $$;; esac\nexec {tools.ffmpeg} "$@"\n')
    killed.chmod(0o755)
    keys = {"family": "h264", "profile": "high", "threads": 1}
    encoder = VideoEncoder.model_validate({**keys, "codec": "libx264", "preset": "faster"})
    with pytest.raises(CommandFailed, match="was killed by SIGKILL"):
        trial.unusable(replace(tools, ffmpeg=killed), encoder)
