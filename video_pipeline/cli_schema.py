"""`video-pipeline schema`: what a producer writes and reads, for its programs."""

from __future__ import annotations

import json

import click

from video_pipeline.intake.schema import MESSAGES, TYPESCRIPT
from video_pipeline.intake.schema import schema as json_schema


@click.command()
@click.argument("message", type=click.Choice(list(MESSAGES)))
@click.option("--typescript", is_flag=True, help="Print a .d.ts with the types of all messages instead.")
def schema(message: str, typescript: bool) -> None:
    """Print the JSON Schema of what goes through the queue.

    job is the data of a job; result, progress and failure are what its producer gets back; cancel and cancel-answer
    are data and return value of a job on the control queue.
    """
    if typescript:
        click.echo(TYPESCRIPT.read_text("utf-8"), nl=False)
    else:
        click.echo(json.dumps(json_schema(message), indent=2, ensure_ascii=False))
