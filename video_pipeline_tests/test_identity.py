from __future__ import annotations

import pytest

from video_pipeline.errors import RequestError
from video_pipeline.identity import check_video_id, new_video_id


@pytest.mark.parametrize("text", ["a", "0", "my-video-1", "a" * 63])
def test_good(text: str) -> None:
    assert check_video_id(text) == text


@pytest.mark.parametrize("text", ["", "-a", "A", "a_b", "a/b", "..", "a" * 64, "a\n", "ä"])
def test_bad(text: str) -> None:
    with pytest.raises(RequestError, match="videoId"):
        check_video_id(text)


def test_new_ids_obey_the_rule_and_differ() -> None:
    ids = {check_video_id(new_video_id()) for _ in range(100)}
    assert len(ids) == 100
