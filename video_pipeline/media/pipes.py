"""Hand a child what nobody may see: a command line stands in the list of processes, a file stays on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def holding(data: bytes) -> Iterator[int]:
    """A descriptor to read from, of a pipe with `data` and nothing behind it.

    Raises:
        ValueError: it is more than a pipe holds, 64 KiB unless the system says otherwise.
    """
    reading, writing = os.pipe()
    try:
        try:
            os.set_blocking(writing, False)
            if os.write(writing, data) < len(data):
                raise ValueError(f"{len(data)} bytes are more than a pipe holds")
        finally:
            os.close(writing)
        yield reading
    finally:
        os.close(reading)
