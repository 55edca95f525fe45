"""Commands around the running stack: up, worker, submit, status, cancel, pause, resume."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from video_pipeline import presets, settings
from video_pipeline.cli_options import job_options
from video_pipeline.connection.waiting import wait_for_redis
from video_pipeline.errors import RequestError
from video_pipeline.execution.broker import broker
from video_pipeline.home import prepare
from video_pipeline.identity import check_video_id
from video_pipeline.portable import json_or_text
from video_pipeline.services.rolling import watch
from video_pipeline.services.signals import hangups, stopping_signals
from video_pipeline.services.stack import Stack, running
from video_pipeline.settings import PREFIX, Settings

if TYPE_CHECKING:
    from video_pipeline.intake.bull import Bull

MOMENT_SECONDS = 3.0
"""How long a command waits for a queue that is just not there, as in a failover."""


@click.command()
def up() -> None:
    """Start queue, worker, daemon and Dagster UI; stop them all with Ctrl-C. SIGHUP is `restart`."""
    with contextlib.suppress(KeyboardInterrupt), foreground() as stack:
        watch(stack)


@contextlib.contextmanager
def foreground() -> Iterator[Stack]:
    """A stack that runs as long as the block; an interrupt or a termination ends it with KeyboardInterrupt."""
    with stopping_signals(), hangups() as asked:
        ours = settings.load()
        _check_presets(ours)
        stack = Stack(ours, say)
        stack.asked = asked
        started = time.monotonic()
        try:
            stack.start()
            say(f"up in {time.monotonic() - started:.1f} s\n{stack.table()}\nCtrl-C stops everything")
            yield stack
        except KeyboardInterrupt:
            say("stopping")
            raise
        finally:
            stack.stop()


def _check_presets(ours: Settings) -> None:
    """Else the first to learn of a slip would be the producers, by failed jobs."""
    if ours.presets_dir is not None and not ours.presets_dir.is_dir():
        raise RequestError(f"setting {PREFIX}PRESETS_DIR: {ours.presets_dir} is no directory")
    try:
        presets.load(ours.default_preset, ours.presets_dir)
    except RequestError as error:
        raise RequestError(f"setting {PREFIX}DEFAULT_PRESET: {error}") from None


def say(text: str) -> None:
    print(text, flush=True)


@click.command()
def worker() -> None:
    """Run a worker on this host; its addresses come from the settings."""
    ours = running(settings.load())
    broker(ours)  # refuses what Celery cannot use
    wait_for_redis(ours, ours.redis_wait_seconds, say)
    # Dagster reads its home from the environment, and the children inherit it.
    prepare(ours).export()
    from video_pipeline.services import worker as worker_module

    worker_module.main()


def _running() -> Settings:
    """The settings of the stack that runs on this home, or of the one that the settings name; its queue answers."""
    ours = running(settings.load())
    wait_for_redis(ours, MOMENT_SECONDS)
    return ours


def meta_option(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, Any]:
    """k=v, the value read as JSON if it is some."""
    fields = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{text!r}: write it as key=value")
        fields[key] = json_or_text(value)
    return fields


@click.command()
@click.argument("source")
@click.option("--preset", help="What to make. Default: web.")
@click.option("--priority", type=click.IntRange(0, 2_097_151), default=0, help="0 goes first, then 1, 2, ...")
@click.option("--video-id", help="1 to 63 of a-z, 0-9 and '-'. Default: a new one.")
@click.option("--title", help="For people and the search.")
@click.option("--description", help="For people and the search.")
@click.option("--tag", "tags", multiple=True, help="For the search; may be repeated.")
@click.option("--meta", "metadata", multiple=True, callback=meta_option, help="A custom field k=v; may be repeated.")
@job_options
@click.option("--wait", is_flag=True, help="Show the progress and end with the outcome.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def submit(source: str, priority: int, wait: bool, as_json: bool, **fields: Any) -> None:
    """Put SOURCE into the queue."""
    from video_pipeline.intake.submit import submit_job
    from video_pipeline.progress.follow import follow

    ours = _running()
    job_id, video_id = submit_job(ours, source, priority=priority, **fields)
    if not wait:
        _print({"jobId": job_id, "videoId": video_id}, f"job {job_id}: video {video_id} is in the queue", as_json)
        return
    outcome = follow(ours, job_id, video_id, None if as_json else sys.stderr)
    _print(outcome, f"video {video_id} is published: release {outcome['releaseId']}", as_json)


def _print(value: dict[str, Any], sentence: str, as_json: bool) -> None:
    print(json.dumps(value) if as_json else sentence, flush=True)


@click.command()
@click.argument("video", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(video: str | None, as_json: bool) -> None:
    """What the queue, the workers and the videos being processed are doing; or all about VIDEO."""
    from video_pipeline.progress import status as looking

    if video is not None:
        check_video_id(video)
    ours = _running()
    found = looking.overall(ours) if video is None else looking.of_video(ours, video)
    print(json.dumps(found) if as_json else looking.text(found))


@click.command()
@click.argument("video")
def cancel(video: str) -> None:
    """Cancel what waits or runs for VIDEO (its id, or the id of a job)."""
    jobs = _queue().cancel(video)
    print(f"will be cancelled: job {', '.join(jobs)}")


@click.command()
def pause() -> None:
    """Take no more jobs from the queue; what runs goes on."""
    _queue().pause(True)
    print("paused: no job is taken from the queue until `video-pipeline resume`")


@click.command()
def resume() -> None:
    """Take jobs from the queue again."""
    _queue().pause(False)
    print("jobs are taken from the queue")


def _queue() -> Bull:
    from video_pipeline.intake.bull import bull

    return bull(_running())
