"""The check that every file still is the one that was made."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from video_pipeline.media.checks.verdict import verdict
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_products import Preview, Sprites, Thumbnails, sheet_name
from video_pipeline.media.model import Blob
from video_pipeline.media.products import CheckResult, Streams


def digests(
    streams: Streams,
    thumbnails: Thumbnails,
    sprites: Sprites,
    media: Mapping[str, Path],
    pictures: Mapping[str, Path],
    preview: Preview,
) -> CheckResult:
    """Every file has the digest it is listed with: a flipped bit that still decodes, or two files in each other's
    place, are seen here. What is missing is a matter of `not_empty`."""
    listed = {file.name: (media.get(file.name), file.file) for file in streams.media}
    listed |= {name: (pictures.get(name), file) for name, file in {**thumbnails.files, **preview.files}.items()}
    listed |= {sheet_name(n): (pictures.get(sheet_name(n)), sheet) for n, sheet in enumerate(sprites.sheets)}
    there = {name: (path, blob) for name, (path, blob) in listed.items() if path is not None and path.is_file()}
    # hashlib lets other threads run.
    with ThreadPoolExecutor() as pool:
        found = dict(zip(there, pool.map(lambda pair: blob_of(pair[0]), there.values()), strict=True))
    names: dict[str, str] = {blob.sha256: name for name, (_, blob) in listed.items()}
    wrong = [(name, _said(found[name], blob, names)) for name, (_, blob) in there.items() if found[name] != blob]
    size = sum(blob.size for blob in found.values())
    return verdict("digests", wrong, f"{len(there)} files of {size} bytes are as they were made")


def _said(found: Blob, listed: Blob, names: Mapping[str, str]) -> str:
    if found.sha256 in names:
        return f"is {names[found.sha256]}"
    return f"its SHA-256 is {found.sha256[:12]}…, {listed.sha256[:12]}… is listed: its bytes have changed"
