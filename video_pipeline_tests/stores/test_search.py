from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from video_pipeline.errors import HomeError, RequestError
from video_pipeline.stores.index import Index
from video_pipeline.stores.search import search
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.records import AUDIO, record, rendition


@pytest.fixture
def library(index: Index) -> Index:
    replace_video(index, record("bunny", title="Big Buck Bunny", description="A rabbit", tags=("animation", "3d")))
    replace_video(
        index,
        record(
            "creme",
            title="Crème brûlée",
            description="Cooking with a bunny AND a torch",
            metadata={"chef": "Zoë", "course": {"kind": ["dessert", "sweet"]}, "minutes": 45, "code": "007"},
            renditions=(rendition("hevc", 3840, 2160), rendition("h264", 1280, 720), AUDIO),
        ),
    )
    replace_video(
        index,
        record(
            "phone",
            title="日本語 clip",
            metadata={"minutes": 45.0, "live": True, "code": 7},
            renditions=(rendition("h264", 1080, 1920), rendition("hevc", 360, 640)),
        ),
    )
    return index


def ids(index: Index, *arguments: Any, **options: Any) -> list[str]:
    return [hit.video_id for hit in search(index, *arguments, **options)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("bunny", ["bunny", "creme"]),  # the title weighs more
        ("BUNNY rabbit", ["bunny"]),
        ("creme brulee", ["creme"]),
        ("CRÈME", ["creme"]),
        ("anim", ["bunny"]),
        ("anim rabbit", []),  # only the last word may be a beginning
        ("zoe", ["creme"]),
        ("dessert", ["creme"]),
        ("日本", ["phone"]),
        ("AND", ["creme"]),
        ("bunny OR phone", []),
        ("nowhere", []),
    ],
)
def test_words(library: Index, words: str, found: list[str]) -> None:
    assert ids(library, words) == found


def test_without_words_the_newest_come_first(library: Index) -> None:
    assert ids(library) == ["phone", "creme", "bunny"]
    assert ids(library, limit=2) == ["phone", "creme"]


@pytest.mark.parametrize("words", ['"', "*", "(", ")", "^", "'", "-", "+", ":", "\0", "\udcff", "{}", ","])
def test_no_character_is_syntax(library: Index, words: str) -> None:
    assert ids(library, words) == ids(library)
    assert ids(library, f"{words} rabbit") == ids(library, f"rabbit {words}") == ["bunny"]


@pytest.mark.parametrize("words", ["NEAR(", "title:", "-x", "description : rabbit", "NOT cooking", "x OR rabbit"])
def test_no_word_is_syntax(library: Index, words: str) -> None:
    assert ids(library, words) == []


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.text(max_size=20), key=st.text(max_size=5), value=st.text(max_size=5))
def test_any_text_is_taken(library: Index, words: str, key: str, value: str) -> None:
    search(library, words, where={key: value})


def test_what_a_hit_tells(library: Index) -> None:
    [hit] = search(library, "torch")
    assert hit.model_dump(exclude={"rank"}) == {
        "video_id": "creme",
        "title": "Crème brûlée",
        "release_id": "r" * 20,
        "height": 2160,
        "codecs": ("aac", "h264", "hevc"),
        "duration": 4.0,
        "snippet": "Cooking with a bunny AND a [torch]",
    }
    assert hit.rank < 0


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"codec": "hevc"}, {"creme", "phone"}),
        ({"codec": "H.265"}, {"creme", "phone"}),
        ({"codec": "vp9"}, set()),
        ({"min_height": 1080}, {"creme", "phone"}),
        ({"min_height": 1081}, {"creme"}),
        ({"min_height": 10**30}, set()),
        ({"codec": "hevc", "min_height": 1080}, {"creme"}),  # the phone's HEVC is 360p
        ({"where": {"chef": "Zoë"}}, {"creme"}),
        ({"where": {"chef": "zoë"}}, set()),
        ({"where": {"course.kind": "sweet"}}, {"creme"}),
        ({"where": {"minutes": "45"}}, {"creme", "phone"}),
        ({"where": {"minutes": "45", "live": "true"}}, {"phone"}),
        ({"where": {"code": "007"}}, {"creme", "phone"}),
        ({"where": {"code": "x' OR 1=1 --"}}, set()),
    ],
)
def test_filters(library: Index, filters: dict[str, Any], found: set[str]) -> None:
    assert set(ids(library, **filters)) == found
    assert set(ids(library, "bunny", **filters)) == found & {"creme", "bunny"}


def test_what_was_replaced_is_not_found(library: Index) -> None:
    replace_video(library, record("bunny", title="Sintel"))
    assert ids(library, "buck") == []
    assert ids(library, "sintel") == ["bunny"]


def test_bad_limit_and_no_index(library: Index, tmp_path: Any) -> None:
    with pytest.raises(RequestError, match="limit 0"):
        search(library, limit=0)
    with pytest.raises(HomeError, match="no index"):
        search(Index(f"sqlite:///{tmp_path}/none.db"))
