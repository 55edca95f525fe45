"""`make corpus`: every clip through the pipeline, judged, as a Markdown table."""

from __future__ import annotations

import shutil
import sys
import tempfile
import traceback
from pathlib import Path

import click

from video_pipeline import settings
from video_pipeline.media import tools as tools_module
from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus import judge, runner, sheets, source, table
from video_pipeline_tests.corpus.clips import Clip, clips
from video_pipeline_tests.corpus.table import Row


@click.command()
@click.argument("words", nargs=-1)
@click.option("--preset", default=runner.SMALL, show_default=True, help="corpus makes two small rungs of each.")
@click.option("--limit", default=900.0, show_default=True, help="Seconds for one clip.")
@click.option("--save", type=click.Path(path_type=Path), help="Append rows as JSON to this file; skip those in it.")
@click.option("--sheets", "pages", type=click.Path(path_type=Path), help="Write contact sheets to this directory.")
def main(words: tuple[str, ...], preset: str, limit: float, save: Path | None, pages: Path | None) -> None:
    """Only clips whose name contains one of WORDS, or all."""
    media = settings.load().media
    if not (media / "MANIFEST.tsv").is_file():
        sys.exit(f"there are no clips at {media}; set VIDEO_PIPELINE_MEDIA")
    rows = []
    print(table.HEAD)
    done = {row.clip for row in table.read(save)} if save and save.exists() else set()
    for clip in clips(media, " ".join(words)):
        if clip.name in done:
            continue
        rows.append(one(tools_module.find(), clip, preset=preset, limit=limit, pages=pages))
        print(rows[-1].markdown(), flush=True)
        if save:
            rows[-1].save(save)
    print(f"\n{table.summary(rows)}")
    sys.exit(any(row.wrong for row in rows))


def one(tools: Tools, clip: Clip, *, preset: str = runner.SMALL, limit: float = 900, pages: Path | None = None) -> Row:
    """Processes and judges a clip; whatever happens to it is its row."""
    place = Path(tempfile.mkdtemp(prefix="corpus-"))
    try:
        outcome = runner.process(clip, place, preset=preset, limit=limit)
        truth = source.look(tools, clip.path)
        if outcome.release:
            became, findings = judge.release(tools, outcome.release, clip, truth)
            if pages and sheets.wanted(clip):
                sheets.write(tools, clip, outcome.release, pages)
        else:
            became, findings = outcome.words, judge.refused(outcome, truth)
        wrong = [*findings.wrong, *(f"left behind: {left}" for left in outcome.left)]
        published, measured = outcome.release is not None, findings.measured
        seconds, megabytes = outcome.seconds, outcome.megabytes
    except Exception as error:
        # A file may surprise the judge, too; the table goes on.
        last = traceback.extract_tb(error.__traceback__)[-1]
        text = f"the checker: {type(error).__name__}: {error} ({Path(last.filename).name}:{last.lineno})"
        became, published, measured, wrong, seconds, megabytes = "?", False, [], [text], 0.0, 0.0
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Row(clip.name, clip.special, became, published, measured, wrong, seconds, megabytes)


if __name__ == "__main__":
    main()
