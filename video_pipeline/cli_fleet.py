"""Commands for new code and for workers that shall go: restart, drain."""

from __future__ import annotations

import time

import click

from video_pipeline import settings
from video_pipeline.services.stack import running

LOOK_SECONDS = 0.3


@click.command()
def restart() -> None:
    """Give every part of the running stack the code that is there now; encodes that run go on."""
    from video_pipeline.services.rolling import ask

    ask(settings.load(), lambda text: click.echo(text))


@click.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Until it has ended.")
def drain(name: str, wait: bool) -> None:
    """Let worker NAME, as `status` calls it, take no new run, finish those it executes, and end."""
    from video_pipeline.execution import slots

    ours = running(settings.load())
    worker = slots.drain(ours, name)
    click.echo(f"worker {name} takes no new runs; it finishes {worker.busy}, and ends")
    while wait and any(worker.name == name for worker in slots.workers(ours)):
        time.sleep(LOOK_SECONDS)
