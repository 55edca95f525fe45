"""Takes in what appears in the watched directory: each version of each file becomes one job.

What was taken in is remembered in Redis, beside the queue. If that is lost, the job's id, which follows from the file's
version, and the index still know it.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from video_pipeline import presets
from video_pipeline.intake import once
from video_pipeline.intake.bull import Bull
from video_pipeline.intake.directory import Found, Seen, look, remembered, settled
from video_pipeline.intake.job import Job
from video_pipeline.stores.requests import Requests

MOST = 1000
"""Files that one look takes in, and that it remembers; the others' turn comes with the next ones."""
NAMED = 5
"""Files a message names."""


@dataclass(frozen=True)
class Outcome:
    cursor: str
    """What the next look shall know."""
    message: str
    taken: int
    """New jobs."""


class Watch:
    """One look at the directory; make a new one for each."""

    def __init__(self, directory: Path, queue: Bull, requests: Requests) -> None:
        self._directory, self._queue, self._requests = directory, queue, requests
        self._settings = queue.settings
        self._memory = f"{self._settings.key_prefix}:watched"
        self._presets = presets.names(self._settings.presets_dir)

    def tick(self, cursor: str | None, now: float) -> Outcome:
        """Enqueues what is complete.

        Args:
            cursor: that of the last look.
            now: seconds since 1970.

        Raises:
            HomeError: the directory cannot be read.
            ServiceDown: the queue does not answer; the next look repairs what was half done.
        """
        found = look(self._directory)
        new, seen = self._new(found.files), _read(cursor)
        complete, waiting = settled(new, seen, now, self._settings.watch_settle_seconds)
        ready, later = complete[:MOST], complete[MOST:]
        next_look = remembered(new, {**waiting, **{file.path: seen[file.path] for file in later}}, MOST)
        jobs = {file.path: self._job(file) for file in ready}
        data = {self._id(file): jobs[file.path].data() for file in ready}
        added = once.enqueue(self._queue, self._requests, data, attempts=self._settings.queue_max_attempts)
        # Not before: a file that is remembered is never looked at again.
        if ready:
            self._queue.redis.hset(self._memory, mapping={self._file(file): file.version for file in ready})
        taken = [f"{file.path} as video {jobs[file.path].video_id}" for file in ready if self._id(file) in added]
        said = [_sentence("taken in: ", taken), _sentence("not complete yet: ", list(waiting)), *found.refused[:NAMED]]
        nothing = f"nothing new among {len(found.files)} files of {self._directory}"
        return Outcome(_write(next_look), "; ".join(filter(None, said)) or nothing, len(added))

    def _new(self, files: Sequence[Found]) -> list[Found]:
        if not files:
            return []
        versions = self._queue.redis.hmget(self._memory, [self._file(file) for file in files])
        return [file for file, version in zip(files, versions, strict=True) if version != file.version]

    def _file(self, file: Found) -> str:
        return f"file:{self._directory / file.path}"

    def _id(self, file: Found) -> str:
        return once.job_id("watched", str(self._directory / file.path), file.version)

    def _job(self, file: Found) -> Job:
        inside = PurePosixPath(file.path)
        # A directory named like a preset chooses it.
        preset = inside.parts[0] if len(inside.parts) > 1 else None
        if preset not in self._presets:
            preset = None
        source = str(self._directory / file.path)
        name = str(inside.relative_to(preset) if preset else inside).removesuffix(inside.suffix)
        data = {"source": source, "videoId": self._video_id(name, source), "preset": preset, "title": inside.stem}
        return Job.model_validate(data)

    def _video_id(self, name: str, source: str) -> str:
        """That of the file's name; with a digest of its path where another source has that id, and always the same for
        the same path, so that a changed file is a new version of its video."""
        plain = slug(name)
        long = f"{plain[:52].rstrip('-') or 'video'}-{hashlib.sha256(source.encode()).hexdigest()[:10]}"
        return plain if plain and self._owns(plain, source) else long

    def _owns(self, video_id: str, source: str) -> bool:
        redis, field = self._queue.redis, f"id:{video_id}"
        owner = redis.hget(self._memory, field)
        if owner is None:
            request = self._requests.latest(video_id)
            if request is not None and request.source != source:
                return False
            redis.hsetnx(self._memory, field, source)
            owner = redis.hget(self._memory, field)
        return bool(owner == source)


def slug(name: str) -> str:
    """The name as a video id, empty if nothing of it can be in one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].rstrip("-")


def _read(cursor: str | None) -> dict[str, Seen]:
    """Nothing if it cannot be read: people may edit it."""
    try:
        return {path: Seen(**seen) for path, seen in json.loads(cursor or "{}").items()}
    except (ValueError, TypeError, AttributeError):
        return {}


def _write(waiting: Mapping[str, Seen]) -> str:
    return json.dumps({path: asdict(seen) for path, seen in waiting.items()}, ensure_ascii=False)


def _sentence(start: str, things: Sequence[str]) -> str:
    more = f" and {len(things) - NAMED} more" if len(things) > NAMED else ""
    return f"{start}{', '.join(things[:NAMED])}{more}" if things else ""
