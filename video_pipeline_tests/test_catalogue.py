from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from video_pipeline import catalogue
from video_pipeline.errors import HomeError, RequestError
from video_pipeline.stores.index import Index
from video_pipeline.stores.requests import Requests
from video_pipeline.stores.videos import replace_video
from video_pipeline_tests.stores.records import AUDIO, record, rendition


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """Two videos in the home of the settings."""
    monkeypatch.setenv("VIDEO_PIPELINE_HOME", str(tmp_path))
    index = Index(f"sqlite:///{tmp_path / 'index.db'}")
    index.upgrade()
    Requests(index).add(video_id="one", source="s", preset="web", job_id=None)
    replace_video(
        index,
        record("one", tags=("a",), metadata={"customer": "acme", "year": 2026, "deep": {"x": 1.5}}, encode_seconds=2.0),
    )
    replace_video(
        index, record("two", loudness=None, renditions=(rendition("hevc", 3840, 2160), AUDIO), metadata={"year": 2025})
    )
    return index


def test_types(library: Index) -> None:
    videos = catalogue.frame("videos")
    assert list(videos["video_id"]) == ["one", "two"]
    assert isinstance(videos["published"].dtype, pd.DatetimeTZDtype)
    assert str(videos["published"].dt.tz) == "UTC"
    types = videos.dtypes.astype(str)
    assert types["width"] == types["bytes"] == "Int64"
    assert types["duration"] == types["encode_seconds"] == types["loudness"] == "Float64"
    assert types["title"].startswith("str")
    assert videos["tags"].tolist() == [["a"], []]
    assert videos["metadata"].tolist()[1] == {"year": 2025}
    assert videos["loudness"].isna().tolist() == [False, True]
    assert videos["bytes"].sum() == 2 * 5_000_064_000


def test_requests_have_missing_times(library: Index) -> None:
    [row] = catalogue.frame("requests").to_dict("records")
    assert row["created"].tzinfo is not None
    assert row["published"].tzinfo is not None  # by replace_video
    assert pd.isna(row["title"])
    library_two = Requests(library).add(video_id="three", source="s", preset="web")
    last = catalogue.frame("requests").iloc[-1]
    assert last["created"] == library_two.created
    assert pd.isna(last["published"])


def test_truth_values(library: Index) -> None:
    checks = catalogue.frame("checks")
    assert str(checks["passed"].dtype) == "boolean"
    assert checks["passed"].all()


def test_custom_fields_as_columns(library: Index) -> None:
    videos = catalogue.frame(custom_fields=True).set_index("video_id")
    assert videos["metadata.year"].to_dict() == {"one": 2026, "two": 2025}
    assert videos.loc["one", "metadata.customer"] == "acme"
    assert videos.loc["one", "metadata.deep.x"] == 1.5
    assert pd.isna(videos.loc["two", "metadata.customer"])
    with pytest.raises(RequestError, match="no column metadata"):
        catalogue.frame("scenes", custom_fields=True)


def test_where(library: Index) -> None:
    assert set(catalogue.frame("renditions", where={"year": "2025"})["codec"]) == {"hevc", "aac"}
    assert list(catalogue.frame(where={"year": "2026", "customer": "acme"})["video_id"]) == ["one"]
    assert catalogue.frame(where={"customer": "x' OR 1=1"}).empty


def test_sql(library: Index) -> None:
    found = catalogue.frame("SELECT codec, sum(bytes) AS bytes, avg(bit_rate) AS mean FROM renditions GROUP BY codec")
    assert found["codec"].tolist() == ["aac", "h264", "hevc"]
    assert found["bytes"].tolist() == [128_000, 5_000_000_000, 5_000_000_000]
    assert found["mean"].tolist() == [128_000.0, 900_000.0, 900_000.0]
    # A name that means something else here keeps the values it has.
    assert catalogue.frame("SELECT 'soon' AS published, 'x' AS width")["published"].tolist() == ["soon"]


def test_empty_tables_keep_their_types(tmp_path: Path) -> None:
    index = Index(f"sqlite:///{tmp_path / 'index.db'}")
    index.upgrade()
    videos = catalogue.frame("videos", custom_fields=True, index=index)
    assert videos.empty
    assert isinstance(videos["published"].dtype, pd.DatetimeTZDtype)
    assert str(videos["width"].dtype) == "Int64"


def test_refusals(library: Index, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="table 'vidoes': use one of"):
        catalogue.frame("vidoes")
    with pytest.raises(RequestError, match="only reading"):
        catalogue.frame("DELETE FROM videos")
    with pytest.raises(RequestError, match="put the condition into the SELECT"):
        catalogue.frame("SELECT 1", where={"a": "b"})
    with pytest.raises(HomeError, match="no index"):
        catalogue.frame(index=Index(f"sqlite:///{tmp_path}/none.db"))
