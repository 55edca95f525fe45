"""Encrypted files as they are published: what was read of them decrypted, at the places where it lies in them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from video_pipeline.media import process
from video_pipeline.media.boxes import segment_index, top_level
from video_pipeline.media.checks.reading import STALL_SECONDS, Reading
from video_pipeline.media.tools import Tools


def as_published(tools: Tools, readings: Sequence[Reading], media: Mapping[str, Path], *, whole: bool) -> list[Reading]:
    """The same with the path, the size, the boxes, the index and the packets' positions of the published files.

    Args:
        readings: of the decrypted files.
        media: track name to its published file.
        whole: segments are encrypted as wholes, so that no program finds packets in them.
    """
    found = {} if whole else _positions(tools, media)
    made = []
    for r in readings:
        path = media[r.name]
        if not path.is_file():
            made.append(replace(r, path=path, size=0, boxes=(), index=()))
            continue
        boxes = top_level(path)
        moved = replace(r, path=path, size=path.stat().st_size, boxes=boxes, index=segment_index(path, boxes))
        packets = r.packets.copy()
        listed = found.get(r.name, np.empty(0, "i8"))
        packets["position"] = listed if len(listed) == len(packets) else _shifted(r, moved)
        made.append(replace(moved, packets=packets))
    return made


def _positions(tools: Tools, media: Mapping[str, Path]) -> dict[str, NDArray[np.int64]]:
    """Of every packet, in order of presentation."""
    asked = ["-v", "quiet", "-select_streams", "0", "-show_entries", "packet=pts,pos", "-of", "csv=p=0"]
    argvs: list[list[str | Path]] = [[tools.ffprobe, *asked, path] for path in media.values()]
    done = process.run_all(argvs, nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    found = {}
    for name, listed in zip(media, done, strict=True):
        packets = re.findall(rb"^(-?\d+),(\d+)", listed.stdout, re.MULTILINE)
        rows = sorted((int(time), int(position)) for time, position in packets)
        found[name] = np.array([position for _, position in rows], "i8")
    return found


def _shifted(before: Reading, now: Reading) -> NDArray[np.int64]:
    """Positions that are as far from the beginning of their segment as they were."""
    positions: NDArray[np.int64] = before.packets["position"]
    if not before.index or len(before.index) != len(now.index):
        return positions
    shift = np.array([there.offset - here.offset for here, there in zip(before.index, now.index, strict=True)])
    segment = np.searchsorted([entry.offset for entry in before.index], positions, side="right") - 1
    shifted: NDArray[np.int64] = positions + shift[segment]
    return shifted
