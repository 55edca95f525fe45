"""What is published about the messages says the same as what is done: JSON Schema by ajv, types by tsc --strict."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from video_pipeline.errors import RequestError
from video_pipeline.intake import messages, schema
from video_pipeline.intake.job import parse
from video_pipeline_tests.intake.test_job import GOOD
from video_pipeline_tests.node import install, types
from video_pipeline_tests.processes import run

FAILURE = {"class": "permanent", "code": "source", "message": "no.", "attempt": 1}
RESULT = {
    "videoId": "a",
    "releaseId": "0f",
    "release": "videos/a/releases/0f",
    "hls": "videos/a/master.m3u8",
    "dash": "videos/a/manifest.mpd",
    "durations": {"queuedSeconds": 0.5, "processingSeconds": 7, "videoSeconds": 4.04},
}
CHANGES: dict[str, list[Any]] = {
    "schemaVersion": [1, 2, 0, "1", True, None, 1.5],
    "source": [
        *("/", "/a b/ü.mp4", "/a:/b", "file:///a", "file://localhost/a", "", "a.mp4", "./a", "/a://b", "/a\n://b"),
        *("file://host/a", "file:a", "FILE:///a", "https://a/b", " /a", "\n/a", 7, None, ["/a"]),
    ],
    "videoId": ["a", "0-", "a" * 63, None, "", "a" * 64, "A", "-a", "a_b", "a b", "a\n", "\na", "ä", 7, True],
    "preset": ["web", "4k", None, "", "Web", "we b", "a" * 32, "../web", "web\n", 7],
    "title": ["", "A", None, 7, {}, []],
    "description": ["", "A\nB", None, 7, False],
    "tags": [[], ["a"], ["a", "a"], [""], None, "a", [7], [None], [["a"]], {}],
    "metadata": [{}, {"a": None}, {"": {"b": [1, "x", {}]}}, None, [], "a", 7],
    "trim": [
        *({}, None, {"start": 0}, {"end": 5}, {"start": 0.25, "end": 5e3}, {"start": 1, "end": None}),
        *(
            {"start": None},
            {"start": "1"},
            {"start": True},
            {"end": -1},
            {"end": 86_401},
            {"stop": 1},
            [1, 2],
            "1:2",
            1,
        ),
    ],
    "thumbnailsAt": [
        *([], [0], [0.5, "50%"], ["0%"], ["100%"], ["100.00%"], ["99.999%"], [1] * 50),
        *([1] * 51, ["100.1%"], ["5"], ["%"], ["5 %"], ["5%\n"], ["٥%"], [True], [None], [-1], [[1]], None, "5%", 5),
    ],
    "poster": [0, 1.5, "7%", 86_400, None, -0.5, "7", "1e1%", False, {}],
    "thumbnail": ["/a.jpg", "file:///a", "none", None, "", "None", "none ", "a.jpg", "http://a/b", "file://h/a", 7, {}],
    "audio": ["keep", "stereo", "none", "mono", "", None, True],
    "subtitles": [
        *([], [{"source": "/a", "language": "en"}], [{"source": "file:///a", "language": "zh-Hant-TW", "label": None}]),
        *([{"source": "/a", "language": tag}] for tag in ("sl-rozaj-biske", "de-CH-1901", "en-a-bbb-x-a", "es-419")),
        *([{"source": "/a", "language": tag}] for tag in ("", "e", "en_US", "en-", "en ", "en\n", "12", "en-a", 7)),
        *([{"source": "/a", "language": "en", "label": label}] for label in ("é" * 100, "🎬" * 100, 'a "b"')),
        *([{"source": "/a", "language": "en", "label": label}] for label in ("", "a" * 101, "a\nb", "a\u007f", 7)),
        *([{"source": source, "language": "en"}] for source in ("", "a.srt", "http://a/b", "file://host/a", None)),
        *(None, {}, [None], ["/a"], [{}], [{"source": "/a"}], [{"language": "en"}]),
        *([{"source": "/a", "language": "en", "kind": "x"}], [{"source": "/a", "language": "en"}] * 51),
    ],
    "watermark": [None, "x"],
    "video_id": ["a"],
    "__proto__": [{}],
}
TABLE = [{**GOOD, name: value} for name, values in CHANGES.items() for value in values]
TABLE += [{name: value for name, value in GOOD.items() if name != left} for left in GOOD]
Fits = Callable[[object], bool]


@contextmanager
def ajv(name: str) -> Iterator[Fits]:
    """Whether data fit the schema of this message, as a Node app would find out."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(install.command("validate.mjs"), **pipes) as node:
        asks, answers = node.stdin, node.stdout
        assert asks is not None
        assert answers is not None

        def send(value: object) -> None:
            asks.write(json.dumps(value) + "\n")
            asks.flush()

        def fits(value: object) -> bool:
            send(value)
            return bool(json.loads(answers.readline()))

        send(schema.schema(name))
        yield fits
        asks.close()
        assert node.wait(10) == 0


@pytest.fixture(scope="module")
def job_fits() -> Iterator[Fits]:
    with ajv("job") as fits:
        yield fits


def accepted(data: object) -> bool:
    try:
        parse(data, None)
    except RequestError:
        return False
    return True


@pytest.mark.parametrize("data", [*TABLE, None, [], "text", 3, {}], ids=lambda data: json.dumps(data)[:90])
def test_schema_and_intake_agree_on_job_data(data: object, job_fits: Fits) -> None:
    assert job_fits(data) == accepted(data)


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), lambda inner: st.lists(inner))
ODD = st.text(max_size=9) | st.sampled_from(["/", "file:///", "://", "a-", "web"]) | JSON
LIKELY: Any = st.sampled_from([name for name in CHANGES if name != "preset"])


@given(st.dictionaries(LIKELY, ODD | st.sampled_from([value for values in CHANGES.values() for value in values])))
def test_they_agree_on_what_nobody_thought_of(job_fits: Fits, change: dict[str, Any]) -> None:
    data = {**GOOD, **change}
    assert job_fits(data) == accepted(data)


def test_an_unknown_preset_is_the_one_thing_the_schema_cannot_know(job_fits: Fits) -> None:
    data = {**GOOD, "preset": "huge"}
    assert (job_fits(data), accepted(data)) == (True, False)


def test_nor_that_a_trim_ends_before_it_starts(job_fits: Fits) -> None:
    data = {**GOOD, "trim": {"start": 5, "end": 5}}
    assert (job_fits(data), accepted(data)) == (True, False)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("result", RESULT, {"durations": {"queuedSeconds": -1, "processingSeconds": 0}}),
        ("result", RESULT, {"durations": {}}),
        ("result", RESULT, {"hls": ""}),
        ("failure", FAILURE, {"class": "odd"}),
        ("failure", {**FAILURE, "runId": "r"}, {"attempt": 0}),
        ("failure", FAILURE, {"reason": "x"}),
        ("progress", {"stage": "source", "fraction": 0.5, "percent": 0}, {"percent": 101}),
        ("progress", {"stage": "source", "fraction": 1, "percent": 2, "error": FAILURE}, {"error": {"code": "x"}}),
        ("progress", {"stage": "", "fraction": 0, "percent": 0, "error": FAILURE}, {"stage": None}),
        ("cancel", {"jobId": "7"}, {"videoId": "a"}),
        ("cancel", {"videoId": "a"}, {"videoId": None}),
        ("cancel", {"jobId": "7"}, {"jobId": 7}),
        ("cancel", {"jobId": "7"}, {"jobId": ""}),
        ("cancel-answer", {"cancelled": ["7"]}, {"cancelled": []}),
    ],
)
def test_the_other_messages(name: str, good: dict[str, Any], bad: dict[str, Any]) -> None:
    model = schema.MESSAGES[name]
    read = model.model_validate(good)
    assert isinstance(read, messages.Message)
    assert read.data() == good
    with pytest.raises(ValidationError):
        model.model_validate({**good, **bad})
    with ajv(name) as fits:
        assert [fits(good), fits({**good, **bad}), fits({}), fits(None)] == [True, False, False, False]


def test_every_example_is_good(job_fits: Fits) -> None:
    fields = schema.schema("job")["properties"]
    tried = [{**GOOD, name: example} for name, field in fields.items() for example in field.get("examples", [])]
    assert len(tried) > 5
    for data in tried:
        assert job_fits(data)
        assert accepted(data)


@pytest.mark.parametrize("name", schema.MESSAGES)
def test_every_field_is_described(name: str) -> None:
    found = schema.schema(name)
    for part in (found, *found.get("$defs", {}).values()):
        assert part["description"]
        assert part["additionalProperties"] is False
        for field, about in part["properties"].items():
            assert about.get("description") or "$ref" in about, field


def test_the_command_prints_schema_and_types(tmp_path: Path) -> None:
    printed = run(tmp_path, "schema", "job")
    assert (printed.returncode, printed.stderr) == (0, "")
    found = json.loads(printed.stdout)
    assert found == schema.schema("job")
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert run(tmp_path, "schema", "job", "--typescript").stdout == schema.TYPESCRIPT.read_text("utf-8")
    refused = run(tmp_path, "schema", "video")
    assert refused.returncode == 2
    assert "cancel-answer" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_the_types_are_those_of_the_models() -> None:
    assert schema.TYPESCRIPT.read_text("utf-8") == types.typescript(), "run `make types`"


def test_a_typed_app_compiles(tmp_path: Path) -> None:
    """And what it must not write does not: a line after @ts-expect-error without an error is one."""
    config = {
        "compilerOptions": {
            "strict": True,
            "noEmit": True,
            "module": "nodenext",
            "target": "es2022",
            "skipLibCheck": True,
            "types": [],
            "lib": ["es2022", "dom"],
            "paths": {"video-pipeline": [str(schema.TYPESCRIPT)], "*": [f"{install.install()}/*"]},
        },
        "files": [str(install.HERE / "example.ts")],
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(config))
    tsc = [*install.programs()[0], str(install.install() / "typescript" / "bin" / "tsc"), "-p", str(tmp_path)]
    done = subprocess.run(tsc, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")
