from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import m3u8
import pytest
from lxml import etree

from video_pipeline.errors import ConflictError, HomeError, ObjectMissing, RequestError
from video_pipeline.media.model import Blob
from video_pipeline.stores import releases
from video_pipeline.stores.objects import LocalStore
from video_pipeline.stores.pointer import flip, read_pointer
from video_pipeline_tests.stores.drafts import assert_whole, draft
from video_pipeline_tests.stores.processes import together


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


def published_files(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (root / "videos").rglob("*")
        if path.is_file()
    }


def stable(root: Path) -> tuple[str, str]:
    """What the stable addresses name: the release of the first variant, the media of the first representation."""
    place = root / "videos/film"
    variant = m3u8.loads((place / "master.m3u8").read_text()).playlists[0].uri
    base = etree.parse(place / "manifest.mpd").findtext(".//{*}BaseURL")
    assert base is not None
    assert (place / base).is_file()
    return variant.split("/")[1], base


def test_layout(store: LocalStore) -> None:
    first = draft(store, "one")
    pointer = releases.publish(store, first)
    media = first.media[0].sha256
    release = f"videos/film/releases/{pointer.release_id}"
    assert sorted(published_files(store.root)) == sorted(
        [
            "videos/film/current.json",
            "videos/film/master.m3u8",
            "videos/film/manifest.mpd",
            "videos/film/plain.m3u8",
            f"videos/film/media/{media}.mp4",
            f"{release}/release.json",
            f"{release}/hls/master.m3u8",
            f"{release}/dash/manifest.mpd",
            f"{release}/thumbnails/poster.jpg",
            f"{release}/metadata.json",
        ]
    )
    assert json.loads((store.root / "videos/film/current.json").read_text()) == {
        "schemaVersion": 1,
        "videoId": "film",
        "releaseId": pointer.release_id,
        "sequence": 1,
    }
    assert assert_whole(store.root) == pointer.release_id
    assert releases.verify(store, "film", pointer.release_id) == []
    assert stable(store.root) == (pointer.release_id, f"media/{media}.mp4")


def test_the_plain_master_has_the_first_family_alone(store: LocalStore) -> None:
    made = draft(store, "one")
    names = ("h264-480p", "av1-480p", "h264-240p")
    master = "#EXTM3U\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}.m3u8\n" for name in names)
    pointer = releases.publish(
        store, dataclasses.replace(made, files={**made.files, "hls/master.m3u8": master.encode()})
    )
    place = store.root / "videos/film"
    addresses = [f"releases/{pointer.release_id}/hls/{name}.m3u8" for name in names]
    listed = {
        name: [one.uri for one in m3u8.loads((place / name).read_text()).playlists]
        for name in ("master.m3u8", "plain.m3u8")
    }
    assert listed == {"master.m3u8": addresses, "plain.m3u8": [addresses[0], addresses[2]]}


def test_release_json(store: LocalStore) -> None:
    pointer = releases.publish(store, draft(store, "one"))
    written = json.loads((store.root / f"videos/film/releases/{pointer.release_id}/release.json").read_text())
    assert sorted(written) == sorted(
        [
            "schemaVersion",
            "videoId",
            "releaseId",
            "request",
            "source",
            "preset",
            "encoders",
            "download",
            "pictures",
            "files",
        ]
    )
    assert written["request"]["metadata"] == {"a": ["one"], "b": 1}
    assert [file["path"] for file in written["files"]] == sorted(file["path"] for file in written["files"])
    # The id is the hash of the rest, as anybody can compute it.
    rest = {key: value for key, value in written.items() if key != "releaseId"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest()[:20] == pointer.release_id


def test_same_draft_same_bytes_in_two_stores(tmp_path: Path) -> None:
    found = []
    for name in ("a", "b"):
        store = LocalStore(tmp_path / name)
        made = draft(store, "one")
        if name == "b":  # the order of a mapping is no content
            made = dataclasses.replace(
                made,
                request=dict(reversed(list(made.request.items()))),
                files=dict(reversed(list(made.files.items()))),
                media=[*made.media, *made.media],
            )
        releases.publish(store, made)
        found.append(published_files(store.root))
    assert found[0] == found[1]


def test_publishing_the_current_release_again_changes_nothing(store: LocalStore) -> None:
    first = releases.publish(store, draft(store, "one"))
    before = published_files(store.root)
    stamp = (store.root / "videos/film/current.json").stat().st_mtime_ns
    assert releases.publish(store, draft(store, "one")) == first
    assert published_files(store.root) == before
    assert (store.root / "videos/film/current.json").stat().st_mtime_ns == stamp


def test_publishing_again_repairs(store: LocalStore) -> None:
    pointer = releases.publish(store, draft(store, "one"))
    before = published_files(store.root)
    place = store.root / "videos/film"
    (place / "master.m3u8").unlink()
    (place / "manifest.mpd").write_text("<old/>")
    (place / "plain.m3u8").write_text("#EXTM3U\n")
    (place / f"releases/{pointer.release_id}/metadata.json").unlink()
    (place / f"releases/{pointer.release_id}/hls/master.m3u8").write_text("torn")
    assert releases.publish(store, draft(store, "one")) == pointer
    assert published_files(store.root) == before


def test_a_new_release_leaves_the_old_one(store: LocalStore) -> None:
    one = releases.publish(store, draft(store, "one"))
    two = releases.publish(store, draft(store, "two"))
    assert (one.sequence, two.sequence) == (1, 2)
    assert releases.current(store, "film") == two
    assert releases.verify(store, "film", one.release_id) == []
    assert stable(store.root)[0] == two.release_id


def test_rollback(store: LocalStore) -> None:
    one = releases.publish(store, draft(store, "one"))
    releases.publish(store, draft(store, "two"))
    back = releases.point(store, "film", one.release_id)
    assert (back.release_id, back.sequence) == (one.release_id, 3)
    assert assert_whole(store.root) == one.release_id
    assert stable(store.root)[0] == one.release_id


def test_rollback_to_what_is_not_whole_is_refused(store: LocalStore) -> None:
    one = releases.publish(store, draft(store, "one"))
    two = releases.publish(store, draft(store, "two"))
    with pytest.raises(RequestError, match="has no release ffff"):
        releases.point(store, "film", "ffff")
    (store.root / f"videos/film/releases/{one.release_id}/metadata.json").unlink()
    with pytest.raises(RequestError, match=r"metadata\.json is missing"):
        releases.point(store, "film", one.release_id)
    assert releases.current(store, "film") == two


def test_verify_names_what_is_wrong(store: LocalStore) -> None:
    made = draft(store, "one")
    pointer = releases.publish(store, made)
    place = store.root / f"videos/film/releases/{pointer.release_id}"
    (place / "metadata.json").unlink()
    media = store.root / f"videos/film/media/{made.media[0].sha256}.mp4"
    data = media.read_bytes()
    media.unlink()
    media.write_bytes(b"x" + data[1:])
    problems = releases.verify(store, "film", pointer.release_id)
    assert len(problems) == 2
    assert problems[0].startswith(f"../../media/{made.media[0].sha256}.mp4: {len(data)} bytes")
    assert problems[1] == "metadata.json: missing"


def test_expected_sequence(store: LocalStore) -> None:
    releases.publish(store, draft(store, "one"), expected_sequence=0)
    with pytest.raises(ConflictError, match="sequence 1"):
        releases.publish(store, draft(store, "two"), expected_sequence=0)
    assert releases.publish(store, draft(store, "two"), expected_sequence=1).sequence == 2


def test_the_slower_of_two_publishers_conflicts(store: LocalStore) -> None:
    one = releases.publish(store, draft(store, "one"))
    before, etag = read_pointer(store, "film")
    two = releases.publish(store, draft(store, "two"))
    with pytest.raises(ConflictError):
        flip(store, "film", "f" * 20, before, etag)
    assert releases.current(store, "film") == two
    # Unless it wanted the same release.
    assert flip(store, "film", two.release_id, before, etag) == two
    assert one.sequence == 1


class Overtaken(LocalStore):
    """Its publisher is overtaken by another one just before it writes the stable address, and dies just after."""

    def put_bytes(self, key: str, data: bytes, *, if_none_match: bool = False, if_match: str | None = None) -> str:
        if not key.endswith("film/master.m3u8"):
            return super().put_bytes(key, data, if_none_match=if_none_match, if_match=if_match)
        other = LocalStore(self.root)
        releases.publish(other, draft(other, "three"))
        with suppress(ConflictError):
            super().put_bytes(key, data, if_none_match=if_none_match, if_match=if_match)
        raise KeyboardInterrupt


def test_stable_addresses_do_not_fall_behind(store: LocalStore) -> None:
    releases.publish(store, draft(store, "one"))
    with pytest.raises(KeyboardInterrupt):
        releases.publish(Overtaken(store.root), draft(store, "two"))
    pointer = releases.current(store, "film")
    assert pointer is not None
    assert pointer.sequence == 3
    assert stable(store.root)[0] == pointer.release_id


def test_a_blob_that_is_not_there(store: LocalStore) -> None:
    made = draft(store, "one")
    (store.root / made.media[0].key).unlink()
    with pytest.raises(ObjectMissing, match=made.media[0].sha256):
        releases.publish(store, made)
    assert releases.current(store, "film") is None


def test_a_blob_of_another_size(store: LocalStore) -> None:
    made = draft(store, "one")
    wrong = Blob(sha256=made.media[0].sha256, size=1)
    with pytest.raises(HomeError, match="instead of 1"):
        releases.publish(store, dataclasses.replace(made, media=[wrong]))
    assert releases.current(store, "film") is None


@pytest.mark.parametrize("path", ["release.json", "../x", "/x", "a//b"])
def test_bad_paths_are_refused(store: LocalStore, path: str) -> None:
    with pytest.raises(RequestError):
        releases.publish(store, dataclasses.replace(draft(store, "one"), files={path: b""}))
    assert releases.current(store, "film") is None


PUBLISH = """
import sys
from pathlib import Path
from video_pipeline.errors import ConflictError
from video_pipeline.stores import releases
from video_pipeline.stores.objects import LocalStore
from video_pipeline_tests.stores.drafts import draft
store = LocalStore(Path(sys.argv[1]))
drafts = [draft(store, mark) for mark in sys.argv[3:]]
rounds, number = int(sys.argv[2]), 0
won = set()
while rounds == 0 or number < rounds:
    try:
        won.add(releases.publish(store, drafts[number % len(drafts)]).sequence)
    except ConflictError:
        pass
    number += 1
print(*won)
"""


def test_publishers_at_the_same_time(store: LocalStore) -> None:
    printed = together(PUBLISH, [[str(store.root), "15", mark, mark * 2] for mark in ("a", "b", "c")])
    sequences = [int(number) for line in printed for number in line.split()]
    assert len(sequences) == len(set(sequences)), "two publishers took one turn"
    pointer = releases.current(store, "film")
    assert pointer is not None
    assert pointer.sequence == max(sequences)
    assert assert_whole(store.root) == pointer.release_id
    assert stable(store.root)[0] == pointer.release_id


def test_killed_at_any_moment(store: LocalStore) -> None:
    """Random moments on purpose: each run tries others, what must hold is the same."""
    releases.publish(store, draft(store, "start"))
    for turn in range(8):
        marks = [f"m{turn}-{number}" for number in range(400)]
        child = subprocess.Popen(
            [sys.executable, "-c", f"print('ready', flush=True)\n{PUBLISH}", str(store.root), "0", *marks]
        )
        try:
            before = releases.current(store, "film")
            deadline = time.monotonic() + 60
            while releases.current(store, "film") == before and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(random.uniform(0, 0.03))
        finally:
            child.kill()
            child.wait()
        assert releases.current(store, "film") != before
        assert_whole(store.root)
        stable(store.root)
    last = releases.publish(store, draft(store, "end"))
    assert assert_whole(store.root) == last.release_id
    assert stable(store.root)[0] == last.release_id
    assert list((store.root / ".tmp").iterdir()) == []
