"""The data of a job: what a producer writes into the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.identity import check_video_id

# pydantic names Python's types; producers know JSON's.
KINDS = {
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "string_type": "must be a text",
    "missing": "is missing",
}


class Job(BaseModel):
    """camelCase, because producers are often web apps; a field that is not known is refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    schema_version: Literal[1] = 1
    source: str = Field(min_length=1)
    """A path or file:// URL."""
    video_id: str | None = None
    preset: str | None = None
    title: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = {}
    """Custom fields: any JSON."""

    @field_validator("video_id")
    @classmethod
    def _rule(cls, value: str | None) -> str | None:
        try:
            return None if value is None else check_video_id(value)
        except RequestError as error:
            raise ValueError(str(error)) from None

    @field_validator("source")
    @classmethod
    def _scheme(cls, value: str) -> str:
        if "://" in value and not value.startswith("file://"):
            raise ValueError(f"{value.split('://')[0]}:// cannot be read; give a path or file:// URL")
        if not value.startswith(("/", "file:///", "file://localhost/")):
            raise ValueError("give an absolute path: workers run in another directory")
        return value

    def data(self) -> dict[str, Any]:
        """As it stands in the queue."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"schemaVersion": 1}


def parse(data: object, presets_dir: Path | None) -> Job:
    """A job from what a producer wrote.

    Raises:
        RequestError: it cannot be used; the message names the field.
    """
    try:
        job = Job.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "job data"
        if first["type"] == "extra_forbidden":
            known = ", ".join(field.alias or "" for field in Job.model_fields.values())
            raise RequestError(f"{name}: this field is unknown; there are {known}") from None
        message = KINDS.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise RequestError(message if message.startswith(name) else f"{name}: {message}") from None
    if job.preset is not None:
        presets.load(job.preset, presets_dir)
    return job
