"""Drives `app.mjs`, a web app that has nothing but BullMQ."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

from video_pipeline.settings import Settings
from video_pipeline_tests.node.install import command
from video_pipeline_tests.node.place import place
from video_pipeline_tests.processes import wait_for

CALL_SECONDS = 180
ENDED = ("completed", "failed")


class NodeError(AssertionError):
    """What Node threw."""


class NodeApp:
    """`events` holds every event of the intake queue since the app was ready, oldest first."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.events: list[dict[str, Any]] = []
        self._process = process
        self._answers: Queue[dict[str, Any]] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        wait_for(lambda: self.events or process.poll() is not None)
        assert self.events, "the app has ended, see its error above"

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "event" in said:
                self.events.append(said)
            else:
                self._answers.put(said)

    def __call__(self, code: str, **args: Any) -> Any:
        """Runs code in the app; `a` holds the arguments.

        Raises:
            NodeError: it threw.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"code": code, "args": args}) + "\n")
        self._process.stdin.flush()
        try:
            answer = self._answers.get(timeout=CALL_SECONDS)
        except Empty:
            raise AssertionError(f"no answer to {code}") from None
        if "error" in answer:
            raise NodeError(answer["error"])
        return answer["value"]

    def add(self, data: object, name: str = "video", **options: Any) -> str:
        """`queue.add`; returns the job's id."""
        added: str = self(
            "return (await queue.add(a.name, a.data, a.options)).id", name=name, data=data, options=options
        )
        return added

    def job(self, job_id: str) -> dict[str, Any]:
        """The job as BullMQ shows it, and its state."""
        code = (
            "const j = await queue.getJob(a.id); return j && {...j.asJSON(), ...j.toJSON(), state: await j.getState()}"
        )
        found: dict[str, Any] = self(code, id=job_id)
        return found

    def state(self, job_id: str) -> str:
        found: str = self("return await queue.getJobState(a.id)", id=job_id)
        return found

    def cancel(self, **what: Any) -> Any:
        """Asks for the end of a job on the control queue; returns the answer.

        Raises:
            NodeError: it was refused; the message is BullMQ's failedReason.
        """
        code = "const job = await control.add('cancel', a); return await job.waitUntilFinished(controlEvents, 60000)"
        return self(code, **what)

    def of(self, job_id: str, *names: str) -> list[dict[str, Any]]:
        """The events about a job."""
        return [one for one in self.events if one["jobId"] == job_id and (not names or one["event"] in names)]

    def ended(self, job_id: str, seconds: float = 120) -> dict[str, Any]:
        """The event that says how the job ended."""
        return wait_for(lambda: self.of(job_id, *ENDED), seconds)[-1]


@contextmanager
def app(settings: Settings) -> Iterator[NodeApp]:
    """An app at the queue of these settings."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    argv = command("app.mjs", place(settings), settings.queue)
    with subprocess.Popen(argv, **pipes) as process:
        try:
            found = NodeApp(process)
            yield found
            assert process.stdin is not None
            process.stdin.close()
            assert process.wait(30) == 0
        finally:
            process.kill()
