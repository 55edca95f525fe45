"""AES-128 of HLS: every segment of a packaged file encrypted as a whole (RFC 8216, 5.2).

The header stays in the clear, and so does the file's own index, which is made true of the encrypted segments.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import m3u8
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from video_pipeline.media import boxes
from video_pipeline.media.protection import ContentKey, iv

BLOCK = 128
"""bit"""
Span = tuple[int, int]
"""Size and first byte."""


def seal(path: Path, key: ContentKey, digest: str) -> tuple[list[Span], list[bytes]]:
    """Encrypts a packaged file in its place, and returns the span and the vector of each segment.

    Args:
        digest: of the track that was packaged; with the segment's number it makes the vector.
    """
    index = boxes.segment_index(path, boxes.top_level(path))
    vectors = [iv(key, "aes-128", digest, str(n)) for n in range(len(index))]
    with path.open("rb") as file:
        head = file.read(index[0].offset)
        segments = (
            _encrypted(key, vector, file.read(entry.size)) for vector, entry in zip(vectors, index, strict=True)
        )
        return _write(path, path, head, segments), vectors


def unseal(path: Path, playlist: str, key: ContentKey, out: Path) -> None:
    """Writes `out` with the segments decrypted that a playlist names.

    Raises:
        ValueError, LookupError: a segment does not end as one that was encrypted with this key does, or the playlist is
            not one of such segments.
    """
    listed = m3u8.loads(playlist).segments
    spans: list[Span] = []
    for segment in listed:
        size, _, offset = (segment.byterange or "").partition("@")
        spans.append((int(size), int(offset) if offset else sum(spans[-1])))
    with path.open("rb") as file:
        head = file.read(spans[0][1])

        def segments() -> Iterator[bytes]:
            for segment, (size, start) in zip(listed, spans, strict=True):
                if segment.key is None or not segment.key.iv:
                    raise ValueError(f"bytes from {start} on have no key")
                file.seek(start)
                yield _decrypted(key, bytes.fromhex(segment.key.iv[2:]), file.read(size))

        _write(path, out, head, segments())


def _write(before: Path, out: Path, head: bytes, segments: Iterable[bytes]) -> list[Span]:
    """Head and segments, with their sizes in the head's index."""
    told, spans = bytearray(head), []
    made = out.with_suffix(".part")
    with made.open("wb") as file:
        file.write(head)
        for segment in segments:
            spans.append((len(segment), file.tell()))
            file.write(segment)
        # ISO/IEC 14496-12, 8.16.3: 12 bytes for each, the first 4 of them a bit and the size.
        sidx = next((box for box in boxes.top_level(before) if box.kind == "sidx"), None)
        if sidx is None or sidx.size < 12 * len(spans) or sidx.end > len(head):
            raise ValueError(f"{before.name} has no index of {len(spans)} segments")
        for n, (size, _) in enumerate(spans):
            struct.pack_into(">I", told, sidx.end - 12 * (len(spans) - n), size)
        file.seek(0)
        file.write(told)
    made.replace(out)
    return spans


def _encrypted(key: ContentKey, vector: bytes, data: bytes) -> bytes:
    padder = padding.PKCS7(BLOCK).padder()
    encryptor = Cipher(algorithms.AES128(key.key), modes.CBC(vector)).encryptor()
    return encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()


def _decrypted(key: ContentKey, vector: bytes, data: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES128(key.key), modes.CBC(vector)).decryptor()
    unpadder = padding.PKCS7(BLOCK).unpadder()
    return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
