"""What assets ask for: the programs, the stores, the index, the way to tell progress. Opened on use, not at import."""

import os
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import dagster as dg

from video_pipeline import presets, settings
from video_pipeline.media import parallel
from video_pipeline.media import tools as tools_module
from video_pipeline.media.model import EncodingPlan, SourceFile
from video_pipeline.media.protection import ContentKey
from video_pipeline.media.technical import VideoStream
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan
from video_pipeline.presets import Preset
from video_pipeline.progress.reporter import NullReporter, Reporter
from video_pipeline.stores import budget, content_keys, sources
from video_pipeline.stores.checkpoints import Checkpoints
from video_pipeline.stores.custom_thumbnails import CustomThumbnails
from video_pipeline.stores.index import Index
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.requests import Requests
from video_pipeline.stores.scratch import scratch


class MediaResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """ffmpeg, ffprobe and the packager, the presets, and a place for temporary files."""

    @property
    def tools(self) -> Tools:
        """Raises `ToolMissing`."""
        ours = settings.load()
        return tools_module.find(
            ffmpeg=ours.ffmpeg,
            ffprobe=ours.ffprobe,
            packager=ours.packager,
            nice=ours.nice,
            vaapi=ours.vaapi_device,
        )

    def preset(self, name: str) -> Preset:
        """Raises `RequestError`."""
        return presets.load(name, settings.load().presets_dir)

    def encoders(self, rungs: Sequence[RungPlan], source: VideoStream, *, hardware: bool = False) -> int:
        """How many encoders of one video may run side by side."""
        ours = settings.load()
        if ours.encoders:
            return ours.encoders
        if hardware:  # a card opens few sessions at once, and each rung is one
            return 1
        memory = ours.encode_memory_gb * 1e9 if ours.encode_memory_gb else parallel.host_memory() / 2
        return parallel.at_once(rungs, source, parallel.host_cores() / ours.worker_slots, memory / ours.worker_slots)

    def content_key(self, plan: EncodingPlan, video_id: str) -> ContentKey | None:
        """What the plan's protection is to be made with; None without protection. Raises as `content_keys.find`."""
        ours = settings.load()
        if plan.protection is None:
            return None
        return content_keys.find(video_id, ours.key_file, ours.key_server, ours.key_server_seconds)

    def scratch(self) -> AbstractContextManager[Path]:
        """A temporary directory that is gone afterwards."""
        return scratch(settings.load().scratch)


class StoreResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The object store and the checkpoints in it."""

    @property
    def objects(self) -> LocalStore:
        return LocalStore(settings.load().store)

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.objects)

    def original(self, file: SourceFile) -> Path:
        """The source, whole, to make something from. Raises `SourceError`, see `sources.original`."""
        with scratch(settings.load().scratch) as place:
            return sources.original(file, self.objects, self.checkpoints, place)

    def relieve(self) -> int:
        """After a disk was found full: drops half of the checkpoints that no live run uses, the oldest first, if that
        may be their disk. How many bytes."""
        ours = settings.load()
        store, place = self.objects, ours.scratch if ours.scratch.exists() else ours.home
        beside = os.stat(place).st_dev == os.stat(store.root).st_dev
        if not beside and shutil.disk_usage(store.root).free > ours.min_free_gb * 1e9:
            return 0
        outcome = budget.halve(store)
        return outcome.dropped if outcome else 0

    def watch(self, video_id: str) -> str | None:
        """Address of the page that plays a video; None if no delivery server is known."""
        base = settings.load().delivery_url
        return f"{base.rstrip('/')}/watch/{video_id}" if base else None


class IndexResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The index: requests and what is known of every video."""

    @cached_property
    def index(self) -> Index:
        index = Index(settings.load().index_url)
        index.upgrade()
        return index

    @property
    def requests(self) -> Requests:
        return Requests(self.index)

    def custom_thumbnails(self, store: StoreResource) -> CustomThumbnails:
        return CustomThumbnails(self.index, store.objects)


class ProgressResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where progress goes: the Redis stream and the job, or nowhere without Redis."""

    def reporter(self, *, video_id: str, run_id: str, job_id: str | None) -> Reporter:
        ours = settings.load()
        if ours.redis_url is None:
            return NullReporter()
        from video_pipeline.progress.redis import reporter_for  # BullMQ's client is not needed without a queue

        return reporter_for(ours, video_id=video_id, run_id=run_id, job_id=job_id)
