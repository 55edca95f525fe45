"""What an operator does in the Dagster UI, through the requests its buttons send."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from video_pipeline.media.quality import CHECKS
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.e2e.ui import Ui
from video_pipeline_tests.processes import files_below

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
VIDEOS = ("bay", "cliff", "dune")


@pytest.fixture(scope="module")
def ui(operated: RunningStack) -> Ui:
    return Ui(operated.addresses["web"])


def write_preset(operated: RunningStack, small_crf: int) -> None:
    rungs = [{"height": 90, "crf": 30, "maxrate": 200}, {"height": 46, "crf": small_crf, "maxrate": 100}]
    preset = {"extends": "draft", "description": "Two small rungs.", "h264": {"rungs": rungs}}
    (operated.home.parent / "presets" / "tiny.yaml").write_text(yaml.safe_dump(preset))


@pytest.fixture(scope="module")
def made(operated: RunningStack, ui: Ui, make_clip: Callable[..., Path]) -> dict[str, str]:
    """Videos created in the UI, by their first run."""
    write_preset(operated, small_crf=30)
    runs = {}
    for number, video in enumerate(VIDEOS):
        clip = make_clip(f"{video}.mp4", seconds=1 + 0.4 * number, size="160x90", cuts=False)
        ui.add_partition(video)
        config = {"source": str(clip), "preset": "tiny", "title": f"The {video}", "metadata": {"n": number}}
        runs[video] = ui.launch(video, config=config)
    for run_id in runs.values():
        assert ui.ended(run_id).status == "SUCCESS"
    return runs


def pointer(stack: RunningStack, video: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((stack.settings.store / "videos" / video / "current.json").read_text())
    return found


def media(stack: RunningStack, video: str) -> dict[str, tuple[str, int]]:
    """Name to digest of the content and time of the last change, of every media file of a video."""
    directory = stack.settings.store / "videos" / video / "media"
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in directory.iterdir()
    }


def tracks(stack: RunningStack, video: str) -> dict[str, str]:
    """Rung to digest, as its newest materialization has it."""
    made = json.loads((stack.settings.store / "artifacts" / "renditions" / "h264" / f"{video}.json").read_text())
    return {track["name"]: track["file"]["sha256"] for track in made["tracks"]}


def test_a_video_is_created(operated: RunningStack, ui: Ui, made: dict[str, str]) -> None:
    for number, video in enumerate(VIDEOS):
        run = ui.run(made[video])
        assert run.video == video, "the list of runs says which video it is"
        assert len(run.assets) == 18
        status = json.loads(operated.command("status", video, "--json").stdout)
        assert (status["title"], status["preset"], status["requestVersion"]) == (f"The {video}", "tiny", 1)
        assert status["releaseId"] == pointer(operated, video)["releaseId"]
        found = operated.command("search", video, "--where", f"n={number}", "--json").stdout.splitlines()
        assert [json.loads(line)["video_id"] for line in found] == [video]


def test_a_release_links_to_where_it_plays(operated: RunningStack, ui: Ui, made: dict[str, str]) -> None:
    link = ui.metadata("release", "bay")["watch"]
    assert link.startswith(operated.addresses["delivery"])
    with urllib.request.urlopen(link, timeout=30) as page:
        assert (
            f"/videos/bay/releases/{pointer(operated, 'bay')['releaseId']}/thumbnails/poster.jpg"
            in page.read().decode()
        )


@pytest.mark.parametrize(
    ("video", "config", "sentence"),
    [
        ("lost", {"source": "/nowhere/x.mp4"}, "source /nowhere/x.mp4: no such file"),
        ("near", {"source": "x.mp4"}, "source: give an absolute path: workers run in another directory"),
        ("huge", {"source": "/a.mp4", "preset": "huge"}, "preset 'huge' is unknown; there are "),
        ("empty", None, "video empty has no request yet: submit it, or launch it with `source` in the config of asset"),
        ("Bad Name", {"source": "/a.mp4"}, "videoId 'Bad Name': use 1 to 63 of a-z, 0-9 and '-'"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(
    ui: Ui, video: str, config: dict[str, Any] | None, sentence: str
) -> None:
    ui.add_partition(video)
    run = ui.ended(ui.launch(video, config=config))
    assert run.status == "FAILURE"
    (failure,) = ui.failures(run.id)
    assert failure["stepKey"] == "source"
    assert failure["failureMetadata"]["description"].startswith(sentence)
    # What is shown first, above any traceback.
    assert failure["error"]["message"].splitlines()[0].endswith(failure["failureMetadata"]["description"])


def test_a_field_that_is_not_known_is_refused_at_once(ui: Ui) -> None:
    ui.add_partition("typo")
    answer = ui.try_launch("typo", config={"sauce": "/a.mp4"})
    assert answer["__typename"] == "RunConfigValidationInvalid"
    assert '"sauce"' in answer["errors"][0]["message"]


def test_one_partition_again_is_the_same_release(operated: RunningStack, ui: Ui, made: dict[str, str]) -> None:
    before, files = pointer(operated, "bay"), media(operated, "bay")
    run = ui.ended(ui.launch("bay"))
    assert run.status == "SUCCESS"
    assert pointer(operated, "bay")["releaseId"] == before["releaseId"]
    assert media(operated, "bay") == files
    assert ui.metadata("renditions/h264", "bay")["rungs_from_checkpoints"] == 2
    assert ui.metadata("source", "bay")["request_version"] == 1


def test_one_field_alone_can_be_changed(operated: RunningStack, ui: Ui, made: dict[str, str]) -> None:
    run = ui.ended(ui.launch("dune", config={"title": "A new title"}))
    assert run.status == "SUCCESS"
    status = json.loads(operated.command("status", "dune", "--json").stdout)
    assert (status["title"], status["preset"], status["requestVersion"]) == ("A new title", "tiny", 2)


def test_thumbnails_and_what_follows_leave_the_media_alone(
    operated: RunningStack, ui: Ui, made: dict[str, str]
) -> None:
    store = operated.settings.store
    release = store / "videos" / "bay" / "releases" / pointer(operated, "bay")["releaseId"]
    files = media(operated, "bay")
    encoded = {path: path.stat().st_ino for path in files_below(store / "checkpoints" / "rendition")}
    # So that there is something to be made.
    for checkpoint in files_below(store / "checkpoints" / "thumbnails"):
        checkpoint.unlink()
    (release / "release.json").unlink()
    run = ui.ended(ui.launch("bay", "thumbnails+"))
    assert run.status == "SUCCESS"
    assert run.assets == {"thumbnails", "preview", "quality_report", "release", "metadata_index"}
    assert (release / "release.json").is_file()
    assert len(files_below(store / "checkpoints" / "thumbnails")) == 1
    assert media(operated, "bay") == files
    assert {path: path.stat().st_ino for path in files_below(store / "checkpoints" / "rendition")} == encoded


def test_each_video_has_its_own_verdict(operated: RunningStack, ui: Ui, made: dict[str, str]) -> None:
    store = operated.settings.store
    streams = json.loads((store / "artifacts" / "streams" / "cliff.json").read_text())
    blob = max(streams["media"], key=lambda file: file["file"]["size"])["file"]["sha256"]
    (path,) = (store / "blobs").rglob(blob)
    whole = path.read_bytes()
    for checkpoint in files_below(store / "checkpoints" / "quality"):
        checkpoint.unlink()
    # Another file under the same name: what is published shares the old one's bytes.
    replace(path, whole[:-2000] + bytes(2000))
    try:
        run = ui.ended(ui.launch("cliff", "quality_report+"))
    finally:
        replace(path, whole)
    assert run.status == "FAILURE"
    assert "check decodes failed" in ui.failures(run.id)[0]["failureMetadata"]["description"]
    verdicts = ui.verdicts(VIDEOS)
    assert verdicts.keys() == CHECKS.keys()
    assert verdicts["decodes"] == ({"bay", "dune"}, {"cliff"})
    assert verdicts["sprite_tiles"] == (set(VIDEOS), set())
    assert ui.ended(ui.launch("cliff", "quality_report+")).status == "SUCCESS"
    assert all(verdict == (set(VIDEOS), set()) for verdict in ui.verdicts(VIDEOS).values())


def replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f"{path.name}.new")
    beside.write_bytes(content)
    beside.replace(path)


def test_after_a_rung_was_changed_a_backfill_encodes_that_rung_only(
    operated: RunningStack, ui: Ui, made: dict[str, str]
) -> None:
    before = {video: (pointer(operated, video), tracks(operated, video)) for video in VIDEOS}
    write_preset(operated, small_crf=40)
    runs = ui.backfilled(ui.backfill(VIDEOS))
    assert sorted((run.video, run.status) for run in runs) == [(video, "SUCCESS") for video in VIDEOS]
    for video in VIDEOS:
        numbers = ui.metadata("renditions/h264", video)
        assert (numbers["rungs"], numbers["rungs_from_checkpoints"]) == (2, 1)
        old, rungs = before[video]
        assert tracks(operated, video)["h264-90p"] == rungs["h264-90p"]
        assert tracks(operated, video)["h264-46p"] != rungs["h264-46p"]
        new = pointer(operated, video)
        assert new["releaseId"] != old["releaseId"]
        assert new["sequence"] > old["sequence"]
        releases = operated.settings.store / "videos" / video / "releases"
        assert (releases / old["releaseId"] / "release.json").is_file()
        assert (releases / new["releaseId"] / "release.json").is_file()
        master = (operated.settings.store / "videos" / video / "master.m3u8").read_text()
        assert new["releaseId"] in master
