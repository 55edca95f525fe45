"""Encryption of packaged tracks: the key of a video, the initialization vectors, and the packager's flags.

One key encrypts all tracks of a video. Keys reach the packager through a pipe, see `pipes`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from video_pipeline.media.model import ProtectionPlan
from video_pipeline.media.products import Track
from video_pipeline.media.tools import Tools, version

FLAGS = "--flagfile=/dev/stdin"


@dataclass(frozen=True)
class ContentKey:
    video_id: str
    key_id: str
    """32 hex digits; no secret, it stands in the files and the manifests."""
    key: bytes = field(repr=False)
    """16 bytes."""

    @property
    def uuid(self) -> str:
        """The key's id as DASH writes it."""
        return "-".join(self.key_id[a:b] for a, b in ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32)))

    def address(self, template: str) -> str:
        """A `key_uri` or `license_uri` of the plan for this key."""
        return template.format(video_id=self.video_id, key_id=self.key_id)

    @property
    def digest(self) -> str:
        """Tells two keys apart and gives neither away."""
        return hmac.new(self.key, f"digest\n{self.key_id}".encode(), hashlib.sha256).hexdigest()


def iv(key: ContentKey, *parts: str) -> bytes:
    """16 bytes that are the same for the same content and key, and differ for any other.

    In counter mode (cenc) two contents under one key and counter give away both, so that the vector is made of the
    content: HMAC-SHA256 under the key, of which nobody learns anything about either. The last 4 bytes are the counter
    of blocks and start at 0, as in NIST SP 800-38D, 8.2.1: up to 64 GB of a track no two counters meet.
    """
    text = "\n".join(("iv", key.key_id, *parts))
    return hmac.new(key.key, text.encode(), hashlib.sha256).digest()[:12] + bytes(4)


def arguments(plan: ProtectionPlan | None) -> list[str]:
    """The packager's, which are no secret. Nothing begins in the clear: it would encrypt only from 5 s on.

    Whole segments are not its business: asked for aes-128 of MP4, 3.8 writes playlists that say so and leaves the
    files in the clear.
    """
    if plan is None or plan.whole:
        return []
    return [FLAGS, f"--protection_scheme={plan.scheme}", "--clear_lead=0"]


def vectors(tools: Tools, plan: ProtectionPlan, key: ContentKey, tracks: Sequence[Track]) -> dict[str, Sequence[bytes]]:
    """Track name to its initialization vector, for a scheme of samples."""
    # Another scheme or packager may cut samples otherwise, and must not meet the same counters.
    about = (plan.scheme, version(tools.packager))
    return {track.name: (iv(key, *about, track.file.sha256),) for track in tracks}


def decrypting(key: ContentKey) -> str:
    """What the packager reads to decrypt every track."""
    return f"--enable_raw_key_decryption\n--keys=label=:key_id={key.key_id}:key={key.key.hex()}\n"


def encrypting(key: ContentKey, vectors: Mapping[str, Sequence[bytes]]) -> str:
    """What the packager reads from standard input. Tracks are told apart by their `drm_label`, their name: given one
    vector for all, it would use the same counters in each."""
    keys = [
        f"label={name}:key_id={key.key_id}:key={key.key.hex()}:iv={vector.hex()}" for name, (vector,) in vectors.items()
    ]
    return f"--enable_raw_key_encryption\n--keys={','.join(keys)}\n"
