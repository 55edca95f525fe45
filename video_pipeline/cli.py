"""The command line: `video-pipeline`. Each command lives beside what it drives; this file is their list."""

from __future__ import annotations

import importlib
import sys

import click

from video_pipeline import __version__
from video_pipeline.errors import Cancelled, CheckFailed, PermanentError, PipelineError

# Name to module and attribute: imported on use, since Dagster alone takes two seconds to import.
COMMANDS = {
    "process": "video_pipeline.cli_process:process",
    "plan": "video_pipeline.cli_plan:plan",
    "presets": "video_pipeline.cli_presets:list_presets",
    "doctor": "video_pipeline.doctor:doctor",
    "up": "video_pipeline.cli_stack:up",
    "demo": "video_pipeline.cli_demo:demo",
    "restart": "video_pipeline.cli_fleet:restart",
    "worker": "video_pipeline.cli_stack:worker",
    "drain": "video_pipeline.cli_fleet:drain",
    "submit": "video_pipeline.cli_stack:submit",
    "submit-csv": "video_pipeline.cli_bulk:submit_csv",
    "thumbnail": "video_pipeline.cli_thumbnail:thumbnail",
    "status": "video_pipeline.cli_stack:status",
    "cancel": "video_pipeline.cli_stack:cancel",
    "pause": "video_pipeline.cli_stack:pause",
    "resume": "video_pipeline.cli_stack:resume",
    "checkpoints": "video_pipeline.cli_checkpoints:checkpoints",
    "search": "video_pipeline.cli_index:search",
    "sql": "video_pipeline.cli_index:sql",
    "schema": "video_pipeline.cli_schema:schema",
}

FAILED, UNUSABLE, INTERRUPTED = 1, 2, 130
"""Exit codes: our own failure; a source or request that cannot be used; Ctrl-C."""


class LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyGroup)
@click.version_option(__version__)
def group() -> None:
    """A video goes in; a checked and playable release comes out."""


def main() -> None:
    """Runs a command; every error of ours is one line on standard error and an exit code."""
    try:
        group.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.exceptions.Exit as leave:
        sys.exit(leave.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except PipelineError as error:
        print(f"video-pipeline: {error}", file=sys.stderr)
        sys.exit(exit_code(error))


def exit_code(error: PipelineError) -> int:
    """Output that fails its checks is our failure; every other permanent error is the source's or the request's."""
    if isinstance(error, Cancelled):
        return INTERRUPTED
    return UNUSABLE if isinstance(error, PermanentError) and not isinstance(error, CheckFailed) else FAILED
