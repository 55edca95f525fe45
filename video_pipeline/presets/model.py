"""The typed model of a preset; what it does not accept is refused by key and reason."""

from __future__ import annotations

import hashlib
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from video_pipeline.presets.families import FAMILIES, H264, SOFTWARE, Av1, Even, Family, FamilyPreset, Hevc, Table, Vp9
from video_pipeline.presets.images import Images
from video_pipeline.presets.quality import Quality


class Audio(Table):
    bit_rate: int = Field(ge=32, le=512)
    """kbit/s of AAC stereo; surround has as much for each of its channels."""
    silence: bool = False
    """A video without sound gets a silent track."""
    loudness: float | None = Field(default=None, ge=-40, le=-8)
    """LUFS that every track is brought to, e.g. -16; without it levels stay as they are."""


class Protection(Table):
    """Encryption of pictures and sound. Keys are no part of a preset: a preset is no secret."""

    scheme: Literal["aes-128", "cenc", "cbcs"]
    """Whole segments for HLS alone (RFC 8216, 4.3.2.4), or samples for HLS and DASH (ISO/IEC 23001-7)."""
    key_uri: str = Field(pattern=r"^(https?:/)?/[^\s\"]+$")
    """Where players of HLS get the key's 16 bytes; {video_id} and {key_id} stand for those of the video."""
    license_uri: str | None = Field(default=None, pattern=r"^https?://[^\s\"]+$")
    """Where players get ClearKey's JSON licence (https://www.w3.org/TR/encrypted-media-2/#clear-key), likewise."""

    @field_validator("key_uri", "license_uri")
    @classmethod
    def _places(cls, value: str | None) -> str | None:
        try:
            (value or "").format(video_id="", key_id="")
        except (LookupError, ValueError, AttributeError):
            raise ValueError("only {video_id} and {key_id} can stand in braces") from None
        return value

    @field_validator("license_uri")
    @classmethod
    def _of_use(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("scheme") == "aes-128":
            raise ValueError("players of aes-128 want the key itself, from key_uri; leave license_uri out")
        return value


class Preset(Table):
    name: str
    description: str
    """For people."""
    max_height: Even
    """No rung has a longer shorter side."""
    max_rate: int = Field(ge=1, le=120)
    """Frames per second; faster sources are thinned out."""
    deinterlace: Literal["field", "frame"] = "field"
    """Of each interlaced picture two frames are made, as smooth as on television, or one."""
    telecine: Literal["remove", "keep"] = "remove"
    """Film sent in fields (2:3 pulldown) gets its 24 frames per second back, or is deinterlaced like the rest."""
    slow_motion: Literal["ignore", "honour"] = "ignore"
    """A phone's recording at 120 or 240 pictures per second, tagged as such, plays in real time, or slowed down to 30
    per second and without its sound."""
    alpha_over: str = Field(default="black", pattern="^([a-z]+|#[0-9a-fA-F]{6})$")
    """What shows through transparent pictures: a colour's name or #rrggbb."""
    max_damage: float = Field(default=0.75, ge=0, le=1)
    """Share of the pictures that may be lost or broken; a source with more is refused."""
    download: Even | None = None
    """Shorter side of a plain MP4 with picture and sound for people to keep: the largest rung that is not above it."""
    protection: Protection | None = None
    """Encryption of pictures and sound; without it everybody can play them."""
    hdr: Literal["tone-map", "keep"] = "tone-map"
    """What becomes of an HDR source (PQ or HLG): with `keep`, families of 10 bits stay HDR beside those of 8, which are
    always SDR."""
    pass_through: bool = False
    """A source that is already what a rung should be (codec, size, rate, colours, key frames on the grid, bit rate)
    becomes that rung as it is."""
    hardware: Literal["require", "prefer"] = "require"
    """Where an `encoder` of hardware (nvenc, vaapi) cannot be used: the video waits for a worker that has it, or, with
    `prefer`, the family's software encoder takes its place, which is told."""
    h264: H264 | None = None
    """What plays everywhere; `none` leaves a family out, also one of the preset this one extends."""
    hevc: Hevc | None = None
    """H.265: fewer bits, for Apple's devices and others with a decoder of their own."""
    vp9: Vp9 | None = None
    """Fewer bits, for browsers; tagged vp09."""
    av1: Av1 | None = None
    """The fewest bits, for browsers and newer devices."""
    quality: Quality | None = None
    """What the rungs shall look like; without it their crf is that of the table."""
    audio: Audio
    """Every track of sound, as AAC."""
    images: Images
    """Poster, thumbnails and the sprite sheets of a player's time line."""

    @field_validator("download", "quality", "protection", *FAMILIES, mode="before")
    @classmethod
    def _none(cls, value: object) -> object:
        return None if value == "none" else value

    @field_validator("protection")
    @classmethod
    def _nothing_in_the_clear(cls, value: Protection | None, info: ValidationInfo) -> Protection | None:
        if value and info.data.get("download"):
            raise ValueError("the MP4 for download would lie beside it in the clear; say download: none")
        return value

    @model_validator(mode="after")
    def _agreed(self) -> Preset:
        if not self.families:
            raise ValueError(f"one of {', '.join(FAMILIES)} is needed")
        depths = {family.bit_depth for family in self.families.values()}
        if self.hdr == "keep" and 10 not in depths:
            raise ValueError("hdr: keep needs a family with bit_depth 10")
        if self.hdr == "keep" and 8 not in depths:
            raise ValueError("hdr: keep needs a family with bit_depth 8 beside it, for displays without HDR")
        for name, family in self.families.items():
            if self.hardware == "require" and family.encoder != SOFTWARE[name] and getattr(family, "params", None):
                raise ValueError(
                    f"{name}.params are {SOFTWARE[name]}'s and encoder is {family.encoder}: use options, or set "
                    "hardware: prefer"
                )
            smallest = family.rungs[-1].height
            if smallest > self.max_height:
                raise ValueError(f"max_height {self.max_height} is below every rung of {name}, from {smallest} on")
        return self

    @property
    def families(self) -> dict[Family, FamilyPreset]:
        """Those there are, in the order of FAMILIES."""
        found = {"h264": self.h264, "hevc": self.hevc, "vp9": self.vp9, "av1": self.av1}
        return {name: family for name in FAMILIES if (family := found[name]) is not None}

    @property
    def digest(self) -> str:
        """Over everything that shapes what is made; name and description do not."""
        unset = {"quality"} if self.quality is None else set()
        text = self.model_dump_json(exclude={"name", "description", *unset})
        return hashlib.sha256(text.encode()).hexdigest()[:16]
