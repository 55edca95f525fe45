"""The codec families of a preset: for each its encoder and its table of rungs.

What one encoder would not take is refused here by key; what contradicts another part of the preset, in `model`.
"""

from __future__ import annotations

import itertools
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from video_pipeline.base import Model

Family = Literal["h264", "hevc", "vp9", "av1"]
FAMILIES: tuple[Family, ...] = ("h264", "hevc", "vp9", "av1")
"""In the order in which everything lists them: the one that plays everywhere first."""
SOFTWARE: dict[Family, str] = {"h264": "libx264", "hevc": "libx265", "vp9": "libvpx-vp9", "av1": "libsvtav1"}
"""The encoder of each family that every host can run."""
Even = Annotated[int, Field(multiple_of=2, ge=16, le=4320)]
BitDepth = Literal[8, 10]
PLANNED_OPTIONS = frozenset(
    """g keyint_min sc_threshold crf qp b bufsize maxrate preset profile threads flags x264-params x265-params
    svtav1-params deadline quality cpu-used speed row-mt pix_fmt tag x264opts force_key_frames forced-idr intra-refresh
    t to ss fs frames r fpsmax fps_mode s aspect vf filter map f c codec pass passlogfile bsf movflags itsoffset
    stats stats_file""".split()
)
"""ffmpeg's options that a preset cannot set by `options`: the plan decides them, or they are not the encoder's."""
PLANNED_PARAMS = frozenset(
    """keyint min-keyint scenecut open-gop pools frame-threads const-vbv info log-level master-display max-cll hdr10 crf
    vbv-maxrate vbv-bufsize irefresh-type scd enable-overlays lp mastering-display content-light mbr bitrate rc
    input-depth output-depth profile preset colorprim transfer colormatrix range color-primaries
    transfer-characteristics matrix-coefficients color-range""".split()
)
"""Parameters of x265 and SVT-AV1 that a preset cannot set by `params`."""
X26X = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"]


class Table(Model):
    """A mapping in a preset's file. The text under a key is what `video-pipeline presets` says of it."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class RungTable(Table):
    height: Even
    """Shorter side in pixels: a portrait "1080p" is 1080 wide."""
    crf: float = Field(ge=0, le=63)
    """Constant rate factor; 0 is the best."""
    maxrate: int = Field(ge=50, le=200_000)
    """kbit/s at up to 30 frames/s."""


class FamilyPreset(Table):
    """What the families have in common."""

    WORST_CRF: ClassVar[int] = 51
    BEST_CRF: ClassVar[float] = 0
    CRF_STEP: ClassVar[float] = 0
    """What `crf` must be a multiple of; 0 for any."""
    MOST_RATE: ClassVar[int] = 200_000
    """kbit/s that `maxrate` may be; half as much again at high frame rates."""

    encoder: str
    """ffmpeg's name of the encoder."""
    bit_depth: BitDepth
    """Of each sample of the pictures."""
    threads: int = Field(ge=1, le=64)
    """Shapes the bits, so it is fixed here and not taken from the host."""
    options: dict[str, str] = Field(default_factory=dict)
    """More options of the encoder by ffmpeg's names, e.g. {tune: film}."""
    rungs: tuple[RungTable, ...] = Field(min_length=1)
    """The renditions of a source that is large enough, one line each: height (the shorter side, pixels), crf (quality,
    lower is better) and maxrate (ceiling, kbit/s at up to 30 frames/s)."""

    @property
    def tuned(self) -> bool:
        """Whether it tells its encoder more than what has been tried with every preset of ours."""
        return bool(self.options or getattr(self, "params", None))

    @field_validator("rungs")
    @classmethod
    def _ladder(cls, rungs: tuple[RungTable, ...]) -> tuple[RungTable, ...]:
        rungs = tuple(sorted(rungs, key=lambda rung: -rung.height))
        for upper, lower in itertools.pairwise(rungs):
            if upper.height == lower.height:
                raise ValueError(f"two rungs have height {upper.height}")
            if upper.maxrate <= lower.maxrate:
                raise ValueError(f"rung {upper.height} needs a larger maxrate than rung {lower.height}")
        for rung in rungs:
            if not cls.BEST_CRF <= rung.crf <= cls.WORST_CRF:
                raise ValueError(f"crf of rung {rung.height} must be from {cls.BEST_CRF:g} to {cls.WORST_CRF}")
            if cls.CRF_STEP and rung.crf % cls.CRF_STEP:
                raise ValueError(f"crf of rung {rung.height} must be a multiple of {cls.CRF_STEP:g}")
            if rung.maxrate > cls.MOST_RATE:
                raise ValueError(f"maxrate of rung {rung.height} must be at most {cls.MOST_RATE}")
        return rungs

    @field_validator("options", "params", check_fields=False)
    @classmethod
    def _free_options(cls, options: dict[str, str], info: ValidationInfo) -> dict[str, str]:
        for name in options:
            if not name.replace("-", "").replace("_", "").isalnum():
                raise ValueError(f"{name!r} is not an option's name")
            if name in PLANNED_OPTIONS | PLANNED_PARAMS:
                raise ValueError(f"{name!r} is set by the plan, or is no option of an encoder")
            if ":" in options[name] and info.field_name == "params":
                raise ValueError(f"the value of {name!r} has a ':', which would begin another parameter")
        return options


class H264(FamilyPreset):
    BEST_CRF: ClassVar[float] = 1
    """Below, x264 is lossless, which is no profile of any player's."""

    encoder: Literal["libx264", "h264_nvenc", "h264_vaapi"] = "libx264"
    preset: X26X
    """Speed: the slower, the fewer bits for the same quality. Hardware encoders have their own, and get the one that
    comes next."""
    profile: Literal["baseline", "main", "high"] = "high"
    """What decoders must know; all of today know high."""
    threads: Literal[1] = 1
    """With more, x264 keeps to a ceiling by how far its threads happen to be: of six encodes of a clip that reached it
    no two were the same. Rungs and chunks side by side fill a host as well."""
    bit_depth: Literal[8] = 8
    """Players take no other H.264."""


class Hevc(FamilyPreset):
    encoder: Literal["libx265", "hevc_nvenc", "hevc_vaapi"] = "libx265"
    preset: X26X
    """Speed: the slower, the fewer bits for the same quality. Hardware encoders have their own, and get the one that
    comes next."""
    profile: Literal["main", "main10"] | None = None
    """By default that of `bit_depth`."""
    bit_depth: BitDepth = 8
    params: dict[str, str] = Field(default_factory=dict)
    """More parameters of x265 by its own names, e.g. {aq-mode: "3"}."""

    @model_validator(mode="after")
    def _depth(self) -> Hevc:
        if self.profile not in (None, self.depth_profile):
            raise ValueError(f"bit_depth {self.bit_depth} and profile {self.profile} exclude each other")
        if "_" in self.encoder and any(rung.crf < 1 for rung in self.rungs):
            raise ValueError(f"{self.encoder} needs a crf of at least 1 in every rung")
        return self

    @property
    def depth_profile(self) -> str:
        return "main10" if self.bit_depth == 10 else "main"


class Vp9(FamilyPreset):
    WORST_CRF: ClassVar[int] = 63
    CRF_STEP: ClassVar[float] = 1

    encoder: Literal["libvpx-vp9"] = "libvpx-vp9"
    deadline: Literal["good", "best", "realtime"] = "good"
    """How long the encoder may search, by libvpx's own word."""
    cpu_used: int = Field(ge=0, le=8)
    """Speed; 0 is the slowest and best, more than 5 is for `realtime`."""
    profile: Literal[0, 2] | None = None
    """By default that of `bit_depth`."""
    bit_depth: BitDepth = 8

    @model_validator(mode="after")
    def _depth(self) -> Vp9:
        if self.profile not in (None, self.depth_profile):
            raise ValueError(f"bit_depth {self.bit_depth} and profile {self.profile} exclude each other")
        if self.cpu_used > 5 and self.deadline != "realtime":
            raise ValueError(f"cpu_used {self.cpu_used} needs deadline: realtime, it goes to 5 with {self.deadline}")
        return self

    @property
    def depth_profile(self) -> int:
        return 2 if self.bit_depth == 10 else 0


class Av1(FamilyPreset):
    WORST_CRF: ClassVar[int] = 63
    CRF_STEP: ClassVar[float] = 0.25
    MOST_RATE: ClassVar[int] = 66_000
    """SVT-AV1 takes no ceiling above 100 Mbit/s."""

    encoder: Literal["libsvtav1"] = "libsvtav1"
    threads: Literal[1] = 1
    """With more, SVT-AV1 keeps to a ceiling by how far its threads happen to be: six encodes of a clip gave four
    different files, all far above the ceiling. Rungs and chunks side by side fill a host as well."""
    preset: int = Field(ge=0, le=13)
    """Speed; 0 is the slowest and best."""
    profile: Literal["main"] = "main"
    """Of 8 and 10 bits alike."""
    bit_depth: BitDepth = 8
    params: dict[str, str] = Field(default_factory=dict)
    """More parameters of SVT-AV1 by its own names, e.g. {film-grain: "8"}."""
