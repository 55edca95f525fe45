"""Options of `process` and `submit` that say what to make of a video beyond its preset."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from video_pipeline.intake import spelled
from video_pipeline.media.options import AudioWish

Command = TypeVar("Command", bound=Callable[..., Any])


def _trim(_: click.Context, __: click.Parameter, text: str | None) -> dict[str, Any] | None:
    return None if text is None else spelled.trim(text)


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> Any:
    return None if text is None else spelled.moment(text)


def _moments(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[Any]:
    return [spelled.moment(text) for text in texts]


def _subtitles(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[dict[str, str]]:
    return [spelled.sidecar(text, Path()) for text in texts]


def _picture(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    return None if text is None else spelled.picture(text, Path())


OPTIONS = [
    click.option("--trim", callback=_trim, help="Only from START:END in seconds; either may be left out."),
    click.option(
        "--thumbnail-at",
        "thumbnails_at",
        multiple=True,
        callback=_moments,
        help="One more thumbnail, at so many seconds or per cent (50%); may be repeated.",
    ),
    click.option("--poster", callback=_moment, help="What the poster shows: seconds or per cent. Default: a good one."),
    click.option(
        "--thumbnail",
        callback=_picture,
        help="A picture to be the poster instead, kept until it is removed: `--thumbnail none`.",
    ),
    click.option("--audio", type=click.Choice(get_args(AudioWish)), help="Default: keep."),
    click.option(
        "--subtitles",
        multiple=True,
        callback=_subtitles,
        help="A subtitle file as LANGUAGE=FILE, such as en=video.srt; may be repeated.",
    ),
]


def job_options(command: Command) -> Command:
    """Adds them; the command gets them by the names of `media.options.Options`, None or empty if not given."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
