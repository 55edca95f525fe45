"""What comes back to a producer over BullMQ: progress, the return value, and why an attempt failed."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Message(BaseModel):
    """camelCase, because producers are often web apps."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def data(self) -> dict[str, Any]:
        """As it stands in the queue."""
        return self.model_dump(mode="json", by_alias=True)


class Durations(Message):
    queued_seconds: float
    """From the job's creation to the start of its last attempt."""
    processing_seconds: float
    """From there to its end."""
    video_seconds: float | None
    """Of the video itself."""


class Result(Message):
    """The return value of a completed job. Addresses are keys of the object store."""

    video_id: str
    release_id: str
    release: str
    hls: str
    dash: str
    durations: Durations


class Failure(Message):
    """Why an attempt failed."""

    error_class: Literal["permanent", "transient", "dependency", "cancelled"] = Field(alias="class")
    code: str
    message: str
    run_id: str | None = None
    attempt: int
