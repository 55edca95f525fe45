"""The data of a job: what a producer writes into the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.identity import VIDEO_ID, check_video_id
from video_pipeline.media.options import MOST, AudioWish, Moment, Options, Picture, Sidecar, SourceAddress, Trim
from video_pipeline.portable import check_json

# pydantic names Python's types; producers know JSON's.
KINDS = {
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a text",
    "string_unicode": "cannot be written as JSON: it has text that is not UTF-8",
    "missing": "is missing",
    "too_long": f"may have at most {MOST} entries",
}
INSIDE: dict[str, type[BaseModel]] = {"trim": Trim, "subtitles": Sidecar}
"""Fields that have fields."""
MOST_LEVELS = 64
"""Of custom fields. Libraries that read and write JSON give up somewhere beyond 200."""
LONGEST_NAME = 60


class Job(BaseModel):
    """The data of a job. Spelled in camelCase, because producers are often web apps; an unknown field is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, title="VideoJob")

    schema_version: Literal[1] = Field(default=1, description="The version of this schema.")
    source: SourceAddress = Field(
        description="The video file: an absolute path or a file:// URL, as the workers see it.",
        examples=["/data/video.mp4", "file:///data/video.mp4"],
    )
    video_id: Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{VIDEO_ID}$"})] | None = Field(
        default=None,
        description="1 to 63 of a-z, 0-9 and '-', the first no '-'. The same id again is a new release of that video. "
        "Without one the video gets a new id, which is written into the job.",
        examples=["my-video-1"],
    )
    preset: Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{presets.NAME}$"})] | None = Field(
        default=None,
        description="What to make: a built-in preset or one of your own. Without one the setting DEFAULT_PRESET holds.",
        examples=["web", "draft"],
    )
    title: str | None = Field(default=None, description="For people and the search.", examples=["A day at the beach"])
    description: str | None = Field(default=None, description="For people and the search.")
    tags: tuple[str, ...] = Field(default=(), description="For people and the search.", examples=[["beach", "2026"]])
    metadata: dict[str, Any] = Field(
        default={},
        description=f"Custom fields: any JSON object, nested at most {MOST_LEVELS} levels deep.",
        examples=[{"customer": "acme"}],
    )
    trim: Trim | None = Field(
        default=None,
        description="The part of the source to publish, exact to the frame. Without it the whole.",
        examples=[{"start": 1.5, "end": 10}, {"start": 60}],
    )
    thumbnails_at: tuple[Moment, ...] = Field(
        default=(),
        max_length=MOST,
        description="More thumbnails, named at-01.jpg and so on: seconds from the start of what is published, or per "
        "cent of it.",
        examples=[[0, 2.5, "50%"]],
    )
    poster: Moment | None = Field(
        default=None,
        description="The moment the poster shows, as in `thumbnailsAt`. Without it a good one is chosen.",
        examples=[2.5, "12.5%"],
    )
    thumbnail: Picture | None = Field(
        default=None,
        description="A picture to be the poster instead: an absolute path or a file:// URL, as the workers see it. It "
        'is kept for later releases too, until "none" removes it or another one takes its place.',
        examples=["/data/cover.jpg", "none"],
    )
    audio: AudioWish = Field(
        default="keep",
        description="keep: every track, with a stereo mix beside surround; stereo: stereo alone; none: no sound.",
        examples=["stereo"],
    )
    subtitles: tuple[Sidecar, ...] = Field(
        default=(),
        max_length=MOST,
        description="Subtitle files that come with the video.",
        examples=[[{"source": "/data/video.en.srt", "language": "en", "label": "English"}]],
    )

    @field_validator("schema_version", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return value if not isinstance(value, bool) else None  # to Python true is 1

    @field_validator("video_id")
    @classmethod
    def _rule(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_video_id(value)
        except RequestError as error:
            raise ValueError(str(error)) from None

    @field_validator("metadata")
    @classmethod
    def _depth(cls, value: dict[str, Any]) -> dict[str, Any]:
        level: list[object] = [value]
        for _ in range(MOST_LEVELS):
            level = [inner for one in level for inner in _inside(one)]
        if level:
            raise ValueError(f"is nested more than {MOST_LEVELS} levels deep")
        return value

    @field_validator("video_id", "preset", "title", "description", "tags", "metadata")
    @classmethod
    def _json(cls, value: object, about: ValidationInfo) -> object:
        try:
            check_json(to_camel(about.field_name or ""), value)
        except RequestError as error:
            raise ValueError(str(error)) from None
        return value

    @property
    def options(self) -> Options:
        return Options(**{name: getattr(self, name) for name in Options.model_fields})

    def data(self) -> dict[str, Any]:
        """As it stands in the queue."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"schemaVersion": 1}


def _inside(value: object) -> list[object]:
    """The objects and lists directly inside one."""
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [inner for inner in values if isinstance(inner, dict | list)]


def parse(data: object, presets_dir: Path | None) -> Job:
    """A job from what a producer wrote.

    Raises:
        RequestError: it cannot be used; the message names the field.
    """
    try:
        job = Job.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part)[:LONGEST_NAME] for part in first["loc"]) or "job data"
        if first["type"] == "extra_forbidden":
            model = INSIDE[str(first["loc"][0])] if len(first["loc"]) > 1 else Job
            known = ", ".join(field.alias or own for own, field in model.model_fields.items())
            raise RequestError(f"{name}: this field is unknown; there are {known}") from None
        message = KINDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise RequestError(message if message.startswith(name) else f"{name}: {message}") from None
    if job.preset is not None:
        presets.load(job.preset, presets_dir)
    return job
