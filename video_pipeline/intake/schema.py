"""The messages of the queue as JSON Schema (draft 2020-12) and as TypeScript."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from video_pipeline.intake.job import Job
from video_pipeline.intake.messages import CancelAnswer, CancelRequest, Failure, Progress, Result

MESSAGES: dict[str, type[BaseModel]] = {
    "job": Job,
    "result": Result,
    "progress": Progress,
    "failure": Failure,
    "cancel": CancelRequest,
    "cancel-answer": CancelAnswer,
}
TYPESCRIPT = Path(__file__).with_name("messages.d.ts")
"""Made from `everything` by `make types`."""


class _Schema(GenerateJsonSchema):
    """Leaves out what says nothing: titles of fields, and a default that stands for "none given"."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: Any) -> dict[str, Any]:
        found = super().default_schema(schema)
        return {key: value for key, value in found.items() if key != "default" or value not in (None, "", (), [], {})}


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one of `MESSAGES`."""
    model = MESSAGES[name]
    found = model.model_json_schema(by_alias=True, schema_generator=_Schema)
    return {"$schema": _Schema.schema_dialect, "$id": f"urn:video-pipeline:{name}:1", **found}


def everything() -> dict[str, Any]:
    """All of `MESSAGES` in one JSON Schema, which fits any of them."""
    refs, found = models_json_schema(
        [(model, "validation") for model in MESSAGES.values()], by_alias=True, schema_generator=_Schema
    )
    any_of = [refs[model, "validation"] for model in MESSAGES.values()]
    title, description = "Message", "Everything that a producer writes or reads."
    return {"$schema": _Schema.schema_dialect, "title": title, "description": description, "anyOf": any_of, **found}
