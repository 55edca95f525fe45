"""`search` and `sql`: ask the index."""

from __future__ import annotations

import json
from collections.abc import Iterable

import click

from video_pipeline import settings
from video_pipeline.cli_table import table
from video_pipeline.stores import query
from video_pipeline.stores import search as searching
from video_pipeline.stores.index import Index


def _fields(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    for key, separator, text in pairs:
        if not key or not separator:
            raise click.BadParameter(f"{key + separator + text!r} is not key=value", param=parameter)
    return {key: text for key, _, text in pairs}


@click.command()
@click.argument("words", nargs=-1)
@click.option("--codec", help="Has a rendition in this codec: h264, hevc, vp9, av1, aac.")
@click.option("--min-height", type=int, help="Has a rendition of at least this shorter side, such as 1080.")
@click.option(
    "--where", metavar="KEY=VALUE", multiple=True, callback=_fields, help="Has this custom field; may be given again."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def search(
    words: tuple[str, ...],
    codec: str | None,
    min_height: int | None,
    where: dict[str, str],
    limit: int,
    as_json: bool,
) -> None:
    """Find published videos by the words of title, description, tags and custom fields.

    Lists the newest without WORDS. The last word may be the beginning of one.
    """
    hits = searching.search(_index(), " ".join(words), codec=codec, min_height=min_height, where=where, limit=limit)
    if as_json:
        _lines(hit.model_dump(mode="json") for hit in hits)
    elif hits:
        names = ("video", "title", "height", "codecs", "seconds", "found")
        rows = [
            (hit.video_id, hit.title, hit.height, " ".join(hit.codecs), round(hit.duration, 2), hit.snippet)
            for hit in hits
        ]
        click.echo(table(names, rows))
    else:
        click.echo("nothing found", err=True)


@click.command()
@click.argument("statement")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def sql(statement: str, as_json: bool) -> None:
    """Run a SELECT on the index; the database refuses to change anything.

    The tables are videos, renditions, scenes, thumbnails, pictures, checks, custom_fields, requests and
    custom_thumbnails.
    """
    result = query.run(_index(), statement)
    if as_json:
        _lines(dict(zip(result.columns, row, strict=True)) for row in result.rows)
    else:
        click.echo(table(result.columns, result.rows))


def _lines(objects: Iterable[dict[str, object]]) -> None:
    for one in objects:
        click.echo(json.dumps(one, ensure_ascii=False, default=bytes.hex))


def _index() -> Index:
    index = Index(settings.load().index_url)
    index.require()
    index.upgrade()
    return index
