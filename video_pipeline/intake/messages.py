"""What a producer reads back from the queue, and what it may ask on the control queue. All JSON, all camelCase."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import SkipJsonSchema

from video_pipeline.errors import ErrorClass

Text = Annotated[str, Field(min_length=1)]
Seconds = Annotated[float, Field(ge=0)]


class Message(BaseModel):
    """camelCase, because producers are often web apps; in Python also by its Python names."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    def data(self) -> dict[str, Any]:
        """As it stands in the queue; what there is none of is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Durations(Message):
    """Where a job's time went."""

    queued_seconds: Seconds = Field(description="From the job's creation to the start of its last attempt.")
    processing_seconds: Seconds = Field(description="From there to its end.")
    video_seconds: Seconds = Field(description="How long the video is.")


class Result(Message):
    """The return value of a completed job."""

    model_config = ConfigDict(title="VideoResult")

    video_id: Text = Field(description="The id of the video, as given or as made up.")
    release_id: Text = Field(description="The release that was published for this job.")
    release: Text = Field(description="Its directory, relative to where published files are served.")
    hls: Text = Field(description="The HLS address, likewise; it follows the newest release.")
    dash: Text | SkipJsonSchema[None] = Field(
        default=None,
        description="The DASH address, likewise; it follows the newest release. Not there if it is for HLS alone.",
    )
    durations: Durations


class Failure(Message):
    """Why a job failed, for programs. BullMQ's failedReason says it for people."""

    model_config = ConfigDict(title="VideoFailure")

    error_class: ErrorClass = Field(
        validation_alias="class",
        serialization_alias="class",
        description="permanent: the source or the request is at fault; transient: tried again; dependency: something "
        "around us was missing; cancelled: somebody asked for it.",
    )
    code: Text = Field(description="The kind of error in one word, such as source, request, check or disk-full.")
    message: Text = Field(description="One sentence for people.")
    run_id: Text | SkipJsonSchema[None] = Field(
        default=None, description="The Dagster run that failed; left out if none was started."
    )
    attempt: int = Field(ge=1, description="Which attempt of the job this was.")


class Progress(Message):
    """The progress of a job, also the data of each progress event."""

    model_config = ConfigDict(title="VideoProgress")

    stage: str = Field(description="What is being made: the name of an asset. Empty before the first.")
    fraction: float = Field(ge=0, le=1, description="The share of the stage that is done.")
    percent: float = Field(ge=0, le=100, description="The share of the whole; it never falls within an attempt.")
    error: Failure | SkipJsonSchema[None] = None
    """Of an attempt that has failed."""


class CancelRequest(Message):
    """The data of a job named `cancel` on the control queue: exactly one of both."""

    model_config = ConfigDict(populate_by_name=False, json_schema_extra={"minProperties": 1, "maxProperties": 1})

    job_id: Text | SkipJsonSchema[None] = Field(default=None, description="The job of this id.")
    video_id: Text | SkipJsonSchema[None] = Field(default=None, description="Every job about the video of this id.")

    @model_validator(mode="after")
    def _one(self) -> CancelRequest:
        if len(self.model_fields_set) != 1 or len(self.data()) != 1:
            raise ValueError("give either jobId or videoId")
        return self


class CancelAnswer(Message):
    """The return value of a `cancel` job."""

    cancelled: tuple[Text, ...] = Field(min_length=1, description="The ids of the jobs that end now.")
