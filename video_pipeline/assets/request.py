"""What a launch is about: the request its tag names, the one in its config, or the video's last one."""

from typing import Any

import dagster as dg
from pydantic import Field

from video_pipeline import settings
from video_pipeline.errors import RequestError
from video_pipeline.execution.tags import REQUEST_TAG
from video_pipeline.identity import check_video_id
from video_pipeline.intake.job import parse
from video_pipeline.media.options import Options
from video_pipeline.stores.requests import Requests, VideoRequest
from video_pipeline.stores.sources import local_path, paths_beside

OPTIONS = tuple(field.alias or name for name, field in Options.model_fields.items())


class NewRequest(dg.Config):
    """Fill `source` in to create this video, or a new version of it, from here. Other fields alone change the last
    request in these fields. Leave all empty to run the last request again."""

    # Empty texts, not None: the launchpad writes out every field that has a default.
    source: str = Field(default="", description="The video file: an absolute path or file:// URL.")
    preset: str = Field(default="", description="What to make: draft, web, premium, 720p, ... Empty: the default.")
    title: str = Field(default="", description="For people and the search.")
    description: str = Field(default="", description="For people and the search.")
    tags: list[str] = Field(default=[], description="For the search.")
    metadata: dict[str, Any] = Field(default={}, description="Custom fields of yours: any JSON object.")
    options: dict[str, Any] = Field(
        default={},
        description="What else to ask for, as in a job: trim, thumbnailsAt, poster, thumbnail, audio, subtitles.",
    )


def request_of(context: dg.AssetExecutionContext, config: NewRequest, requests: Requests) -> VideoRequest:
    """The request this run is for; one in the config is recorded, once however often the step is tried.

    Raises:
        RequestError, SourceError: it cannot be used; nothing was recorded.
    """
    # Partitions are added by hand in the UI, which knows no rule for them.
    video_id = check_video_id(context.partition_key)
    version = context.run.tags.get(REQUEST_TAG)
    known = requests.get(video_id, int(version)) if version else requests.latest(video_id)
    given = {name: value for name, value in config.model_dump().items() if value}
    if not given and known is not None:
        return known
    if "source" not in given:
        if known is None:
            raise RequestError(
                f"video {video_id} has no request yet: submit it, or launch it with `source` in the config of asset "
                "source"
            )
        before = known.model_dump(include=set(NewRequest.model_fields), exclude_none=True)
        # A thumbnail that was taken in is kept anyway, and may be another one by now.
        taken_in = requests.picture_settled(video_id, known.version)
        kept = known.options.model_copy(update={"thumbnail": None}) if taken_in else known.options
        given = before | {"options": kept.data()} | given
    options = given.pop("options", {})
    unknown = [name for name in options if name not in OPTIONS]
    if unknown:
        raise RequestError(f"options.{unknown[0]}: this option is unknown; there are {', '.join(OPTIONS)}")
    ours = settings.load()
    asked = parse({**given, **options}, ours.presets_dir)
    local_path(asked.source)
    paths_beside(asked.options)
    return requests.add(
        video_id=video_id,
        source=asked.source,
        preset=asked.preset or ours.default_preset,
        title=asked.title,
        description=asked.description,
        tags=asked.tags,
        metadata=asked.metadata,
        options=asked.options,
        job_id=f"run:{context.run.run_id}",
    )
