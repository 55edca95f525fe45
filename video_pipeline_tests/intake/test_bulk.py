"""CSV files as spreadsheets write them, and with every slip people make; then the queue they go into."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from video_pipeline import presets
from video_pipeline.errors import RequestError
from video_pipeline.intake import once
from video_pipeline.intake.bulk import Bulk, load
from video_pipeline.intake.bull import Bull
from video_pipeline.settings import Settings
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline_tests.processes import run


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name in ("a.mp4", "b.mp4", "c d.mp4"):
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def sheet(directory: Path, text: str | bytes) -> Path:
    path = directory / "videos.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(bulk: Bulk) -> list[str]:
    return [str(problem) for problem in bulk.problems]


def test_every_field_and_custom_ones(clips: Path) -> None:
    path = sheet(
        clips,
        "source,videoId,preset,title,description,tags,metadata.year,metadata.customer,metadata.a.b,schemaVersion\n"
        'a.mp4,one,draft,"Bay, at ""dawn""","two\nlines",sea; boats ;,2026,acme,"{""x"": [1]}",1\n'
        f"{clips}/b.mp4,,,,,,,NaN,,\n",
    )
    bulk = load(path, None)
    assert said(bulk) == []
    assert [line.line for line in bulk.lines] == [2, 4]
    assert bulk.lines[0].job.data() == {
        "schemaVersion": 1,
        "source": str(clips / "a.mp4"),
        "videoId": "one",
        "preset": "draft",
        "title": 'Bay, at "dawn"',
        "description": "two\nlines",
        "tags": ["sea", "boats"],
        "metadata": {"year": 2026, "customer": "acme", "a.b": {"x": [1]}},
    }
    assert bulk.lines[1].job.data() == {
        "schemaVersion": 1,
        "source": str(clips / "b.mp4"),
        "metadata": {"customer": "NaN"},
    }


def test_options_as_people_write_them(clips: Path) -> None:
    for name in ("a.srt", "a.jpg"):
        (clips / name).write_text("1")
    path = sheet(
        clips,
        "source,trim,thumbnailsAt,poster,thumbnail,audio,subtitles\n"
        f"a.mp4,1.5:10,0; 2.5 ;50%,12%, a.jpg,none,en=a.srt;pt-BR = {clips}/a.srt\n"
        "b.mp4, :9,7,3,none,,\n",
    )
    bulk = load(path, None)
    assert said(bulk) == []
    assert [line.job.options.data() for line in bulk.lines] == [
        {
            "trim": {"start": 1.5, "end": 10},
            "thumbnailsAt": [0, 2.5, "50%"],
            "poster": "12%",
            "thumbnail": str(clips / "a.jpg"),
            "audio": "none",
            "subtitles": [{"source": str(clips / "a.srt"), "language": lang} for lang in ("en", "pt-BR")],
        },
        {"trim": {"end": 9}, "thumbnailsAt": [7], "poster": 3, "thumbnail": "none"},
    ]


def test_options_that_cannot_be_used_are_told_by_column(clips: Path) -> None:
    path = sheet(
        clips,
        "source,trim,thumbnailsAt,poster,thumbnail,audio,subtitles\n"
        "a.mp4,10,1;-2,start,http://a/b,loud,en\nb.mp4,2:1,,,gone.jpg,,en=gone.srt\n",
    )
    found = {(problem.line, problem.column): problem.message for problem in load(path, None).problems}
    assert found.keys() == {
        *((2, column) for column in ("trim", "thumbnailsAt", "poster", "thumbnail", "audio", "subtitles")),
        *((3, column) for column in ("trim", "thumbnail", "subtitles")),
    }
    assert found[2, "trim"].startswith("'10': write it as start:end")
    assert found[2, "thumbnailsAt"] == "thumbnailsAt.1: must be from 0 to 86400 seconds"
    assert found[3, "trim"] == "end (1 s) must be after start (2 s)"
    assert found[2, "thumbnail"] == "http:// cannot be read; give a path or file:// URL"
    assert found[3, "thumbnail"] == f"{clips}/gone.jpg: no such file"
    assert found[3, "subtitles"] == f"subtitles.0.source {clips}/gone.srt: no such file"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_as_any_spreadsheet_writes_it(clips: Path, encoding: str, delimiter: str, newline: str) -> None:
    rows = ["source,title,tags", "", "a.mp4,Grüße 你好,'x;y'", ",,", "b.mp4,,", ""]
    text = newline.join(rows).replace(",", delimiter).replace("'", '"')
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-bom" else text.encode(encoding)
    bulk = load(sheet(clips, data), None)
    assert said(bulk) == []
    assert [line.line for line in bulk.lines] == [3, 5]
    assert bulk.lines[0].job.title == "Grüße 你好"
    assert bulk.lines[0].job.tags == ("x", "y")


def test_every_error_of_every_row_is_told_by_line_and_column(clips: Path) -> None:
    path = sheet(
        clips,
        "source,videoId,preset,title\n"
        "a.mp4,No Good,huge,\n"
        "nowhere.mp4,ok-1,,\n"
        ",ok-2,,\n"
        "s3://bucket/a.mp4,,,\n"
        "a.mp4,same,,\n"
        "b.mp4,same,,\n"
        "a.mp4,same,,\n"
        "a.mp4,x\n"
        "a.mp4,x,,,more\n",
    )
    assert [text.replace(str(clips), "DIR") for text in said(load(path, None))] == [
        "line 2, column videoId: 'No Good': use 1 to 63 of a-z, 0-9 and '-', the first a letter or digit, such as "
        "'my-video-1'",
        f"line 2, column preset: 'huge' is unknown; there are {', '.join(presets.names())}",
        "line 3, column source: DIR/nowhere.mp4: no such file",
        "line 4, column source: is missing",
        "line 5, column source: s3:// cannot be read; give a path or file:// URL",
        "line 7, column videoId: same is on line 6 already",
        "line 8: is the same as line 6",
        "line 9: has 2 cells, but there are 4 columns",
        "line 10: has 5 cells, but there are 4 columns",
    ]


def test_custom_fields_that_no_other_program_could_read(clips: Path) -> None:
    path = sheet(
        clips,
        "source,metadata.good,metadata.bad\n"
        'a.mp4,1,"{""\\ud83d"":1}"\n'
        f"a.mp4,1,1e999\na.mp4,1,{'[' * 500 + ']' * 500}\na.mp4,1,{'[' * 100_000}\n",
    )
    problems = load(path, None).problems
    assert [(one.line, one.column) for one in problems] == [(line, "metadata.bad") for line in (2, 3, 4)]
    assert problems[0].message == "cannot be written as JSON: it has text that is not UTF-8"


def test_a_custom_field_of_any_depth(clips: Path) -> None:
    """JSON that can just be read cannot always be written."""
    for levels in (65, 500, *range(800, 1000)):
        told = said(load(sheet(clips, f"source,metadata.x\na.mp4,{'[' * levels + ']' * levels}\n"), None))
        assert told in ([], ["line 2, column metadata.x: is nested more than 64 levels deep"]), levels


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("source\n", "no row"),
        ("source,sauce\na.mp4,x\n", "column sauce is unknown; there are schemaVersion, source"),
        ("source,metadata.\na.mp4,x\n", "column metadata. is unknown"),
        ("source,,title\na.mp4,x,y\n", "column 2 has no name"),
        ("source,title,title\na.mp4,x,y\n", "column title is there twice"),
        ("title\nx\n", "no column source"),
        ('source,title\na.mp4,"open\nb.mp4,y\n', "line 2: unexpected end of data"),
        ('source,title\na.mp4,"x"y\n', "line 2: ',' expected after '\"'"),
        (b"source,title\na.mp4,x\nb.mp4,gr\xfc\xdfe\n", "line 3 is not UTF-8"),
        (b"source,title\na.mp4,\0\n", "zero byte in line 2"),
        (f"source,title\na.mp4,{'x' * (1 << 21)}\n", "field larger than field limit"),
    ],
)
def test_what_is_no_usable_file_is_refused(clips: Path, text: str | bytes, expected: str) -> None:
    path = sheet(clips, text)
    with pytest.raises(RequestError, match=r"videos\.csv: ") as caught:
        load(path, None)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"none\.csv: cannot be read: No such file"):
        load(tmp_path / "none.csv", None)


@pytest.fixture
def requests(queue_settings: Settings) -> Requests:
    index = Index(queue_settings.index_url)
    index.upgrade()
    return Requests(index)


def test_the_same_rows_again_are_the_same_jobs(clips: Path, queue: Bull, requests: Requests) -> None:
    text = "source,videoId,title\na.mp4,a,A\nb.mp4,b,B\n"
    jobs = {line.job_id: line.job.data() for line in load(sheet(clips, text), None).lines}
    assert once.enqueue(queue, requests, jobs, priority=7, attempts=4) == set(jobs)
    assert once.enqueue(queue, requests, jobs) == set()
    # The order of columns and rows is no content; another title is.
    other = load(sheet(clips, "title,source,videoId\nB2,b.mp4,b\nA,a.mp4,a\n"), None).lines
    new = once.enqueue(queue, requests, {line.job_id: line.job.data() for line in other})
    assert new == {other[0].job_id}
    assert queue.counts()["prioritized"] == 2
    assert queue.counts()["wait"] == 1
    job = queue.job(next(iter(jobs)))
    assert job is not None
    assert (job.opts["priority"], job.opts["attempts"], job.data["title"]) == (7, 4, "A")


def test_a_job_that_was_done_and_removed_does_not_come_again(clips: Path, queue: Bull, requests: Requests) -> None:
    (line,) = load(sheet(clips, "source\na.mp4\n"), None).lines
    # As the intake records it when it takes the job.
    requests.add(video_id="v", source="/a.mp4", preset="web", job_id=f"{line.job_id}:1790000000000:abc")
    requests.add(video_id="v", source="/a.mp4", preset="web", job_id=f"{line.job_id}0:1790000000000:abc")
    assert once.enqueue(queue, requests, {line.job_id: line.job.data()}) == set()
    assert not requests.had_job(line.job_id[:-1])
    assert requests.had_job(f"{line.job_id}0")


def test_ten_thousand_rows(clips: Path, queue_settings: Settings, queue: Bull) -> None:
    path = clips / "many.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "videoId", "preset", "metadata.n"])
        writer.writerows(["a.mp4", f"video-{n}", ("web", "draft")[n % 2], n] for n in range(10_000))
    env = {
        "VIDEO_PIPELINE_REDIS_URL": str(queue_settings.redis_url),
        "VIDEO_PIPELINE_QUEUE": queue_settings.queue,
        "VIDEO_PIPELINE_KEY_PREFIX": queue_settings.key_prefix,
    }
    done = run(queue_settings.home, "submit-csv", path, **env)
    assert (done.returncode, done.stdout) == (0, "10000 jobs were enqueued\n"), done.stderr
    assert queue.counts()["wait"] == 10_000
    # In the file's order.
    first, *_ = queue.redis.lrange(queue.key("wait"), -1, -1)
    assert json.loads(queue.redis.hget(queue.key(first), "data"))["videoId"] == "video-0"


def test_the_command_shows_and_enqueues_all_or_none(clips: Path, queue_settings: Settings, queue: Bull) -> None:
    env = {
        "VIDEO_PIPELINE_REDIS_URL": str(queue_settings.redis_url),
        "VIDEO_PIPELINE_QUEUE": queue_settings.queue,
        "VIDEO_PIPELINE_KEY_PREFIX": queue_settings.key_prefix,
    }
    home = queue_settings.home
    good = sheet(clips, "source,videoId,title\na.mp4,a,Ähren\nb.mp4,,B\n")
    dry = run(home, "submit-csv", good, "--dry-run")  # without any queue
    assert dry.returncode == 0
    assert dry.stdout.splitlines()[0].split() == ["line", "videoId", "title", "source"]
    assert dry.stdout.splitlines()[2].split() == ["2", "a", "Ähren", str(clips / "a.mp4")]
    assert dry.stdout.splitlines()[-1] == "2 rows can be enqueued; nothing was (--dry-run)"
    assert sum(queue.counts().values()) == 0
    first = json.loads(run(home, "submit-csv", good, "--json", **env).stdout)
    assert (first["enqueued"], [row["state"] for row in first["rows"]]) == (2, ["enqueued", "enqueued"])
    again = run(home, "submit-csv", good, **env)
    assert again.stdout.startswith("0 jobs were enqueued; 2 were known already and stay as they are:\n")
    assert again.stdout.count("waiting") == 2
    assert sum(queue.counts().values()) == 2
    bad = sheet(clips, "source,videoId\na.mp4,z\nb.mp4,NO\nc d.mp4,y\n")
    refused = run(home, "submit-csv", bad, **env)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert [line.partition(": ")[2] for line in refused.stderr.splitlines()] == [
        "line 3, column videoId: 'NO': use 1 to 63 of a-z, 0-9 and '-', the first a letter or digit, such as "
        "'my-video-1'",
        f"{bad}: 1 of its rows cannot be used, so nothing was enqueued",
    ]
    told = run(home, "submit-csv", bad, "--json", **env)
    assert (told.returncode, json.loads(told.stdout)["errors"][0]["column"]) == (2, "videoId")
    assert sum(queue.counts().values()) == 2


def test_without_a_queue_it_says_how_to_get_one(clips: Path, tmp_path: Path) -> None:
    done = run(tmp_path / "home", "submit-csv", sheet(clips, "source\na.mp4\n"))
    assert done.returncode == 1
    assert "video-pipeline up" in done.stderr
