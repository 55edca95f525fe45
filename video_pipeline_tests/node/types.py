"""`make types`: writes the TypeScript of the queue's messages."""

from __future__ import annotations

import json
import subprocess

from video_pipeline.intake.schema import TYPESCRIPT, everything
from video_pipeline_tests.node.install import command


def typescript() -> str:
    """As the models are now."""
    asked = json.dumps(everything())
    return subprocess.run(
        command("types.mjs"), input=asked, capture_output=True, text=True, check=True, timeout=60
    ).stdout


if __name__ == "__main__":
    TYPESCRIPT.write_text(typescript(), "utf-8")
