"""New code for a running stack, workers with other code, and workers that are told to go."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from video_pipeline.services import health
from video_pipeline_tests.e2e.checkout import Checkout, Deployed, encoders_of, name_of
from video_pipeline_tests.processes import run, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
REPLACED = ("worker", "code-server", "delivery", "webserver", "daemon")
ASSET = '{ assetNodeOrError(assetKey: {path: ["source"]}) { ... on AssetNode { description } } }'


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.make(tmp_path_factory.mktemp("deploy") / "checkout")


@pytest.fixture(scope="module")
def stack(checkout: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with checkout.up(tmp_path_factory.mktemp("deployed") / "home", VIDEO_PIPELINE_WORKER_SLOTS="1") as found:
        yield found


@pytest.fixture
def long_clip(make_clip: Callable[..., Path], request: pytest.FixtureRequest) -> Path:
    """One for each test: what was encoded for one would be taken from its checkpoints for the next."""
    seconds = 90 + request.session.items.index(request.node) / 25
    return make_clip(f"{request.node.name[:30]}.mp4", seconds=seconds, size="1280x720", cuts=False)


def restart(stack: Deployed) -> subprocess.CompletedProcess[str]:
    return stack.command("restart")


def test_new_code_takes_over_while_an_encode_goes_on(
    stack: Deployed, checkout: Checkout, clip: Path, long_clip: Path
) -> None:
    before = stack.now
    old = before["children"]["worker"]
    stack.submit(long_clip, "long", "web")
    wait_for(lambda: encoders_of(old), 60)
    checkout.change("assets/ingest.py", '    """The original', '    """NEW: the original')
    with stack.following("restart") as process:
        # Whenever it happens: here, while the old parts are still there, and below, while they go.
        stack.submit(clip, "during-1")
        wait_for(lambda: not os.path.exists(f"/proc/{before['children']['daemon']}"), 60)
        stack.submit(clip, "during-2")
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    after = stack.now
    assert f"worker {name_of(stack, old)} takes no new runs; it finishes 1 with the old code" in out
    # The encode has not noticed anything.
    assert encoders_of(old)
    assert after["leaving"] == [old]
    for part in REPLACED:
        assert after["children"][part] != before["children"][part], part
    for same in ("web", "delivery", "redisUrl", "pid"):
        assert after[same] == before[same]
    assert after["children"]["queue"] == before["children"]["queue"]
    assert after["version"] != before["version"]
    assert after["version"] in out
    assert health._graphql(after["web"], ASSET)["assetNodeOrError"]["description"].startswith("NEW: ")
    # Both are seen, and new jobs do not wait for the old encode.
    there = stack.workers()
    shown = {name: (one["busy"], one["code"], one["sameCode"], one["draining"]) for name, one in there.items()}
    assert shown[str(name_of(stack, old))] == (1, before["version"], False, True)
    assert shown[str(name_of(stack, after["children"]["worker"]))][1:] == (after["version"], True, False)
    wait_for(lambda: stack.done("during-1") and stack.done("during-2"), 120)
    assert encoders_of(old), "this was to be tried during the encode"
    wait_for(lambda: stack.done("long"), 300)
    wait_for(lambda: stack.now["leaving"] == [], 30)
    assert name_of(stack, old) is None
    assert {video: stack.runs(video) for video in ("long", "during-1", "during-2")} == {
        "long": ["SUCCESS"],
        "during-1": ["SUCCESS"],
        "during-2": ["SUCCESS"],
    }
    assert stack.queues("long") == [f"runs-{before['version']}"]
    assert stack.queues("during-2") == [f"runs-{after['version']}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "error"),
    [("definitions.py", "SyntaxError"), ("cli_stack.py", "SyntaxError"), ("checks.py", "RuntimeError: no good")],
)
def test_code_that_does_not_start_changes_nothing(
    name: str, error: str, stack: Deployed, checkout: Checkout, clip: Path
) -> None:
    before = stack.now
    words = "raise RuntimeError('no good')\n" if error.startswith("Runtime") else "def (:\n"
    with checkout.changed(name, "from ", f"{words}from "):
        # Asked by a command line that is not broken itself.
        done = run(stack.home, "restart")
    assert done.returncode == 1
    assert "the new code does not start, so the old goes on" in done.stderr
    assert error in done.stderr
    assert stack.now == before
    assert all(os.path.exists(f"/proc/{pid}") for pid in before["children"].values())
    video = f"after-{name.partition('.')[0].replace('_', '-')}"
    stack.submit(clip, video)
    wait_for(lambda: stack.done(video), 60)


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_while_code_changes(
    stack: Deployed, checkout: Checkout, make_clip: Callable[..., Path]
) -> None:
    clip = make_clip("second.mp4", seconds=1, size="160x90")
    videos = [f"small-{number}" for number in range(10)]
    for number in (1, 2):
        checkout.change("jobs.py", '"""', f'"""Version {number}. ')
        with stack.following("restart") as process:
            for video in videos[5 * (number - 1) : 5 * number]:
                stack.submit(clip, video)
            process.communicate(timeout=180)
        assert process.returncode == 0
    wait_for(lambda: all(stack.done(video) for video in videos), 180)
    assert {video: stack.runs(video) for video in videos} == {video: ["SUCCESS"] for video in videos}


def test_a_worker_with_other_code_gets_nothing(stack: Deployed, checkout: Checkout, clip: Path, tmp_path: Path) -> None:
    other = Checkout.make(tmp_path / "other")
    other.change("jobs.py", '"""', '"""Older. ')
    with other.worker(stack) as process:
        name = str(name_of(stack, process.pid))
        one = stack.workers()[name]
        assert (one["sameCode"], one["draining"], one["busy"]) == (False, False, 0)
        assert "other" in next(line for line in stack.command("status").stdout.splitlines() if name in line)
        for number in range(3):
            stack.submit(clip, f"not-yours-{number}")
        wait_for(lambda: all(stack.done(f"not-yours-{number}") for number in range(3)), 120)
        # A child that has executed something has used more than half a second of it.
        assert all(sum(child.cpu_times()[:2]) < 0.5 for child in psutil.Process(process.pid).children())


@pytest.mark.slow
def test_a_drained_worker_is_no_failure_and_restart_brings_a_new_one(
    stack: Deployed, clip: Path, long_clip: Path
) -> None:
    nobody = stack.command("drain", "nobody:1")
    assert nobody.returncode == 2
    name = str(name_of(stack, stack.now["children"]["worker"]))
    assert name in nobody.stderr
    stack.submit(long_clip, "last-one", "draft")
    wait_for(lambda: encoders_of(stack.now["children"]["worker"]), 60)
    with stack.following("drain", name, "--wait") as process:
        wait_for(lambda: stack.workers()[name]["draining"])
        stack.submit(clip, "has-to-wait")
        assert "every worker is finishing its last runs" in stack.command("status").stdout
        out, _ = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "finishes 1" in out
    wait_for(lambda: "worker" not in stack.now["children"], 20)
    assert stack.runs("last-one") == ["SUCCESS"]
    assert not stack.published("has-to-wait")
    assert stack.process.poll() is None
    assert restart(stack).returncode == 0
    wait_for(lambda: stack.done("has-to-wait"), 60)
    assert stack.runs("has-to-wait") == ["SUCCESS"]


@pytest.mark.slow
def test_a_worker_that_is_terminated_finishes_and_another_takes_over(
    stack: Deployed, checkout: Checkout, clip: Path, long_clip: Path
) -> None:
    """As a fleet under systemd is given new code, one host after the other."""
    stack.command("drain", str(name_of(stack, stack.now["children"]["worker"])), "--wait")
    try:
        with checkout.worker(stack) as first:
            stack.submit(long_clip, "fleet-1", "web")
            wait_for(lambda: encoders_of(first.pid), 60)
            first.send_signal(signal.SIGTERM)
            wait_for(lambda: stack.workers()[str(name_of(stack, first.pid))]["draining"])
            with checkout.worker(stack) as second:
                stack.submit(clip, "fleet-2")
                wait_for(lambda: stack.done("fleet-2"), 120)
                assert encoders_of(first.pid), "this was to be tried during the encode"
                assert first.wait(300) == 0
                wait_for(lambda: stack.done("fleet-1"), 30)
                assert second.poll() is None
        assert stack.runs("fleet-1") == stack.runs("fleet-2") == ["SUCCESS"]
    finally:
        assert restart(stack).returncode == 0


def test_restart_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "home", "restart")
    assert done.returncode == 1
    assert "video-pipeline up" in done.stderr
