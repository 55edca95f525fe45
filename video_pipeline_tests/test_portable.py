from __future__ import annotations

import pytest

from video_pipeline.errors import RequestError
from video_pipeline.portable import check_json, json_or_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026", 2026),
        ('{"a": [null, true, 0.5]}', {"a": [None, True, 0.5]}),
        *((text, text) for text in ("", "acme", "NaN", "-Infinity", "[Infinity]", "[1", "1" * 5000, "[" * 100_000)),
    ],
)
def test_what_is_no_json_is_a_text(text: str, value: object) -> None:
    assert json_or_text(text) == value


def test_what_every_program_can_read() -> None:
    check_json("x", {"a": ["ü", "\0", "🎬", 1e300, None, True, ("b",)]})


@pytest.mark.parametrize("value", [float("inf"), [float("nan")], "\udcff", {"\ud83d": 1}, {1, 2}, b"x"])
def test_what_some_cannot(value: object) -> None:
    with pytest.raises(RequestError, match=r"^x: cannot be written as JSON: "):
        check_json("x", value)
