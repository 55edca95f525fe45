"""bull-board, started beside the stack as an operator does: a dashboard that nobody here wrote."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from video_pipeline_tests.chromium import CHROMIUM
from video_pipeline_tests.e2e.conftest import RunningStack
from video_pipeline_tests.node.app import NodeApp
from video_pipeline_tests.node.install import command
from video_pipeline_tests.node.place import place
from video_pipeline_tests.processes import encoders, processes, wait_for

pytestmark = pytest.mark.e2e
QUEUE = "video-intake"


class Board:
    def __init__(self, address: str) -> None:
        self.address = address

    def api(self, path: str, method: str = "GET") -> Any:
        asked = urllib.request.Request(f"{self.address}/api/{path}", method=method)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def queue(self, status: str) -> dict[str, Any]:
        """The queue and its jobs of one status, as the page lists them."""
        listed = self.api(f"queues?activeQueue={QUEUE}&status={status}&page=1&jobsPerPage=100")
        (found,) = [queue for queue in listed["queues"] if queue["name"] == QUEUE]
        shown: dict[str, Any] = found
        return shown

    def jobs(self, status: str) -> dict[str, dict[str, Any]]:
        return {job["id"]: job for job in self.queue(status)["jobs"]}


@pytest.fixture(scope="module")
def board(stack: RunningStack) -> Iterator[Board]:
    argv = command("board.mjs", place(stack.settings), QUEUE, f"{QUEUE}-control")
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(argv, **pipes) as process:
        try:
            assert process.stdout is not None
            yield Board(process.stdout.readline().strip())
        finally:
            process.kill()


def test_it_shows_jobs_in_their_states_and_workers_present(
    node: NodeApp, board: Board, stack: RunningStack, clip: Path, long_clip: Path, tmp_path: Path
) -> None:
    done = node.add({"source": str(clip), "preset": "draft", "videoId": "board-done"})
    failed = node.add({"source": str(tmp_path / "missing.mp4"), "videoId": "board-failed"})
    node.ended(done)
    node.ended(failed)
    active = node.add({"source": str(long_clip), "preset": "premium", "videoId": "board-active"})
    wait_for(lambda: encoders(processes(stack.home)), 60)
    waiting = node.add({"source": str(clip)})
    prioritized = node.add({"source": str(clip)}, priority=5)
    delayed = node.add({"source": str(clip)}, delay=3_600_000)
    try:
        wanted = {"completed": done, "failed": failed, "active": active, "waiting": waiting}
        for status, job_id in {**wanted, "prioritized": prioritized, "delayed": delayed}.items():
            assert job_id in board.jobs(status), status
        shown = board.jobs("completed")[done]
        assert shown["returnValue"]["videoId"] == "board-done"
        assert shown["progress"]["percent"] == 100
        assert not shown["isFailed"]
        shown = board.jobs("failed")[failed]
        assert shown["failedReason"].startswith("permanent: ")
        assert json.loads(shown["stacktrace"][0]) == shown["progress"]["error"]
        assert 0 < board.jobs("active")[active]["progress"]["percent"] < 100

        assert board.queue("active")["hasWorkers"] is True
        assert len(board.api(f"queues/{QUEUE}/workers")["workers"]) == 1
        assert node("return [(await queue.getWorkers()).length, await queue.getWorkersCount()]") == [1, 1]
        screenshot(board, f"queue/{QUEUE}?status=failed", tmp_path / "failed.png", "missing.mp4")
        screenshot(board, f"queue/{QUEUE}?status=active", tmp_path / "active.png", "board-active")
        screenshot(board, "", tmp_path / "overview.png", QUEUE)
    finally:
        for job_id in (waiting, prioritized, delayed, active):
            node.cancel(jobId=job_id)
        for job_id in (waiting, prioritized, delayed, active):
            node.ended(job_id)


def screenshot(board: Board, path: str, file: Path, wanted: str) -> None:
    """The page must show this text, too."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{board.address}/{path}")
        page.get_by_text(wanted).first.wait_for()
        page.get_by_text("Loading").wait_for(state="hidden")
        page.screenshot(path=file)
        browser.close()


def test_it_retries_a_failed_job_and_changes_waiting_ones(
    node: NodeApp, board: Board, clip: Path, tmp_path: Path
) -> None:
    source = tmp_path / "later.mp4"
    job_id = node.add({"source": str(source), "preset": "draft", "videoId": "board-retried"})
    node.ended(job_id)
    assert job_id in board.jobs("failed")
    shutil.copy(clip, source)
    board.api(f"queues/{QUEUE}/{job_id}/retry", "PUT")
    completed = wait_for(lambda: node.of(job_id, "completed"), 90)
    assert completed[0]["data"]["returnvalue"]["videoId"] == "board-retried"
    assert job_id in board.jobs("completed")

    board.api(f"queues/{QUEUE}/pause", "PUT")
    delayed = node.add({"source": str(tmp_path / "missing.mp4")}, delay=3_600_000)
    board.api(f"queues/{QUEUE}/{delayed}/promote", "PUT")
    removed = node.add({"source": str(clip)})
    board.api(f"queues/{QUEUE}/{removed}/clean", "PUT")
    assert board.queue("waiting")["isPaused"]
    board.api(f"queues/{QUEUE}/resume", "PUT")
    assert node.ended(delayed)["event"] == "failed"
    assert node.state(removed) == "unknown"
