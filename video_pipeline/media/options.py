"""What a request may ask of one video, beyond its preset."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, PlainValidator, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from video_pipeline.base import Model
from video_pipeline.portable import is_utf8

MOST_SECONDS = 24 * 3600
"""No source may be longer."""
MOST = 50
"""Entries of a list."""
PERCENT = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?)%$"
# An absolute path without "://", or a file URL of this machine; this and the others as JSON Schema spells a regular
# expression.
SOURCE = r"^(/(?![\s\S]*://)|file:///|file://localhost/)"
LANGUAGE = (
    r"^([a-zA-Z]{2,3}(-[a-zA-Z]{3}){0,3}|[a-zA-Z]{4,8})(-[a-zA-Z]{4})?(-([a-zA-Z]{2}|[0-9]{3}))?"
    r"(-([a-zA-Z0-9]{5,8}|[0-9][a-zA-Z0-9]{3}))*(-[a-wyzA-WYZ0-9](-[a-zA-Z0-9]{2,8})+)*(-[xX](-[a-zA-Z0-9]{1,8})+)?$"
)
"""RFC 5646, 2.1: langtag."""
NO_PICTURE = "none"
"""In place of a picture's address: the one that is kept shall go."""
PICTURE = rf"^none$|{SOURCE}"
LABEL = r"^[^\u0000-\u001f\u007f]{1,100}$"


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number of seconds")
    if not 0 <= value <= MOST_SECONDS:  # also not NaN
        raise ValueError(f"must be from 0 to {MOST_SECONDS} seconds")
    return float(value)


def _moment(value: object) -> float | str:
    if isinstance(value, str):
        if not re.fullmatch(PERCENT, value):
            raise ValueError('must be a number of seconds, or per cent from "0%" to "100%"')
        return value
    return _seconds(value)


def _text(value: str) -> str:
    if not is_utf8(value):
        raise ValueError("cannot be written as JSON: it has text that is not UTF-8")
    return value


def _source(value: str) -> str:
    _text(value)
    if "://" in value and not value.startswith("file://"):
        raise ValueError(f"{value.split('://')[0]}:// cannot be read; give a path or file:// URL")
    if not value.startswith(("/", "file:///", "file://localhost/")):
        raise ValueError("give an absolute path: workers run in another directory")
    return value


def _picture(value: str) -> str:
    return value if value == NO_PICTURE else _source(value)


def _language(value: str) -> str:
    if not re.fullmatch(LANGUAGE, value):
        raise ValueError("must be a language tag of BCP 47, such as en, pt-BR or zh-Hant")
    return value


def _label(value: str) -> str:
    _text(value)
    if not re.fullmatch(LABEL, value):
        raise ValueError("must be 1 to 100 characters on one line")
    return value


_SECONDS: dict[str, Any] = {"type": "number", "minimum": 0, "maximum": MOST_SECONDS}
Seconds = Annotated[float, PlainValidator(_seconds), WithJsonSchema(_SECONDS)]
Moment = Annotated[
    float | str,
    PlainValidator(_moment),
    WithJsonSchema({"anyOf": [_SECONDS, {"type": "string", "pattern": PERCENT}]}),
]
"""Seconds from the start of what is published, or per cent of it as "12.5%"."""
SourceAddress = Annotated[str, AfterValidator(_source), WithJsonSchema({"type": "string", "pattern": SOURCE})]
"""A file, as the workers see it."""
Picture = Annotated[str, AfterValidator(_picture), WithJsonSchema({"type": "string", "pattern": PICTURE})]
"""Likewise, or `NO_PICTURE`."""
Language = Annotated[str, AfterValidator(_language), WithJsonSchema({"type": "string", "pattern": LANGUAGE})]
Label = Annotated[str, AfterValidator(_label), WithJsonSchema({"type": "string", "pattern": LABEL})]
AudioWish = Literal["keep", "stereo", "none"]


class Trim(Model):
    """The part of the source to publish, exact to the frame: those that begin at `start` or later, and before `end`."""

    start: Seconds = Field(default=0.0, description="Seconds from the untrimmed video's start.")
    end: Seconds | None = Field(
        default=None, description="Seconds from the untrimmed video's start, after `start`; without one its end."
    )

    @model_validator(mode="after")
    def _order(self) -> Trim:
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end ({self.end:g} s) must be after start ({self.start:g} s)")
        return self


class Sidecar(Model):
    """A subtitle file that comes with the video."""

    source: SourceAddress = Field(
        description="The subtitle file: an absolute path or a file:// URL, as the workers see it."
    )
    language: Language = Field(description='Its language as BCP 47 has it, such as "en" or "pt-BR".')
    label: Label | None = Field(default=None, description="What players call it; without one the language's own name.")


class Options(Model):
    """Spelled as in a job where it is written down."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    trim: Trim | None = None
    thumbnails_at: Annotated[tuple[Moment, ...], Field(max_length=MOST)] = ()
    """More thumbnails, at these moments."""
    poster: Moment | None = None
    """The moment the poster shows; without one it is chosen."""
    thumbnail: Picture | None = None
    """The poster that somebody brought, `NO_PICTURE` to remove it; without one what is kept stays."""
    audio: AudioWish = "keep"
    """Every track as it is, with a stereo mix beside surround; stereo alone; or no sound."""
    subtitles: Annotated[tuple[Sidecar, ...], Field(max_length=MOST)] = ()

    def data(self) -> dict[str, Any]:
        """As it stands in a job: only what is asked for."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)
