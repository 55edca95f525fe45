"""The check of encryption: everything is encrypted, players are told so, and only the right key gives the packets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from lxml import etree

from video_pipeline.errors import CommandFailed
from video_pipeline.media import boxes, dash, encryption, process, whole
from video_pipeline.media.checks.verdict import Problem, verdict
from video_pipeline.media.keying import CENC, CLEAR_KEY, COMMON, CPS, METHODS
from video_pipeline.media.manifests import MPD
from video_pipeline.media.model import EncodingPlan, ProtectionPlan
from video_pipeline.media.package import decrypt
from video_pipeline.media.products import CheckResult, Streams
from video_pipeline.media.protection import ContentKey
from video_pipeline.media.tools import Tools

NAME = "protection"
ALWAYS = 256
"""Bytes from which on a packet must look another when encrypted: a scheme of samples leaves headers of slices and the
last block in the clear (ISO/IEC 23001-7, 9.5), and so the whole of a tiny packet."""
STALL_SECONDS = 120
Packet = tuple[int, str]
"""Size and hash."""


@dataclass(frozen=True)
class Unlocked:
    """Published files after decryption. A path at which there is no file is one that could not be decrypted."""

    clear: Mapping[str, Path]
    wrong: Mapping[str, Path]
    """Decrypted with another key, as far as that is possible."""


def unlock(
    tools: Tools, plan: EncodingPlan, streams: Streams, media: Mapping[str, Path], key: ContentKey, work: Path
) -> Unlocked:
    """Decrypts every file, with the key and with another one, into this directory."""
    other = replace(key, key=bytes(byte ^ 0xA5 for byte in key.key))
    made = []
    for name, used in (("clear", key), ("wrong", other)):
        (work / name).mkdir()
        made.append({track: work / name / f"{track}.mp4" for track in media})
        # What is not there then, or is another thing, is found below.
        if plan.whole:
            for track, path in media.items():
                with suppress(ValueError, LookupError, OSError):
                    whole.unseal(path, streams.texts.get(f"hls/{track}.m3u8", ""), used, made[-1][track])
        else:
            with suppress(CommandFailed):
                decrypt(tools, plan, used, media, work / name)
    return Unlocked(*made)


def protection(
    tools: Tools,
    plan: EncodingPlan,
    streams: Streams,
    media: Mapping[str, Path],
    encoded: Mapping[str, Path],
    key: ContentKey | None,
    unlocked: Unlocked | None,
) -> CheckResult:
    """See above; without protection in the plan, nothing is encrypted and nothing says so.

    Args:
        media: track name to its published file.
        encoded: track name to what the encoder wrote.
    """
    if plan.protection is None or key is None or unlocked is None:
        return verdict(NAME, _none_planned(streams, media), "0 tracks planned to be encrypted")
    wrong = [*_header_problems(plan.protection, key, media), *_hls_problems(plan.protection, key, streams)]
    wrong += _dash_problems(plan.protection, key, streams)
    packets = 0
    original = _packets(tools, encoded)
    stored = {} if plan.whole else _packets(tools, media)
    opened, refused = _packets(tools, unlocked.clear), _packets(tools, unlocked.wrong)
    for name in media:
        due = original.get(name, [])
        packets += len(due)
        if not due or opened[name] != due:
            wrong.append((name, _difference(opened[name], due)))
        for found, what in ((stored.get(name, []), "without a key"), (refused[name], "with a wrong key")):
            if count := sum(a == b and b[0] >= ALWAYS for a, b in zip(found, due, strict=False)):
                wrong.append((name, f"{count} of its packets can be read {what}"))
    fine = f"{packets} packets of {len(media)} tracks are the encoder's with the right key and none without it"
    return verdict(NAME, wrong, f"{plan.protection.scheme}: {fine}")


def _none_planned(streams: Streams, media: Mapping[str, Path]) -> Iterator[Problem]:
    for name, text in streams.texts.items():
        if "#EXT-X-KEY" in text or "ContentProtection" in text:
            yield name, "names a key, none is planned"
    for name, path in media.items():
        if path.is_file() and any(kind in encryption.PROTECTED for kind in encryption.sample_entries(path)):
            yield name, "is encrypted, which is not planned"


def _header_problems(plan: ProtectionPlan, key: ContentKey, media: Mapping[str, Path]) -> Iterator[Problem]:
    """Of the samples' description: kind, scheme and key (ISO/IEC 14496-12, 8.12; ISO/IEC 23001-7, 8.2)."""
    if plan.whole:
        return
    for name, path in media.items():
        kinds = encryption.sample_entries(path) if path.is_file() else []
        if not kinds or any(kind not in (b"encv", b"enca") for kind in kinds):
            told = b", ".join(kinds).decode("latin-1") or "nothing"
            yield name, f"its samples are described as {told}, not as encrypted"
            continue
        moov = next(box for box in boxes.top_level(path) if box.kind == "moov")
        with path.open("rb") as file:
            file.seek(moov.offset)
            header = file.read(moov.size)
        # Behind the kind: 4 bytes of version and flags; then the scheme, or 2 bytes, whether it is protected, the
        # size of a vector, and the key's id.
        schemes = {header[found.end() + 4 : found.end() + 8] for found in re.finditer(b"schm", header)}
        if schemes != {plan.scheme.encode()}:
            yield name, f"its scheme is {b', '.join(schemes).decode('latin-1')}, planned {plan.scheme}"
        for found in re.finditer(b"tenc", header):
            box = header[found.end() + 4 :][:20]
            if box[2] != 1 or box[4:].hex() != key.key_id:
                yield name, f"its key is {box[4:].hex()}, not {key.key_id}" if box[2] == 1 else "it starts in the clear"


def _hls_problems(plan: ProtectionPlan, key: ContentKey, streams: Streams) -> Iterator[Problem]:
    due = (METHODS[plan.scheme], key.address(plan.key_uri))
    for file in streams.media:
        for path in (f"hls/{file.name}.m3u8", f"hls/{file.name}-iframes.m3u8"):
            in_force: dict[str, tuple[str, str]] = {}
            for line in streams.texts.get(path, "").splitlines():
                if line.startswith("#EXT-X-KEY:"):
                    told = dict(re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', line.partition(":")[2]))
                    told = {name: value.strip('"') for name, value in told.items()}
                    in_force[told.get("KEYFORMAT", "identity")] = (told.get("METHOD", ""), told.get("URI", ""))
                elif line.startswith("#EXTINF:") and in_force.get("identity") != due:
                    found = " ".join(in_force.get("identity", ())) or "no key"
                    yield path, f"names {found} for a segment, planned {' '.join(due)}"
                    break


def _dash_problems(plan: ProtectionPlan, key: ContentKey, streams: Streams) -> Iterator[Problem]:
    if plan.whole:
        if MPD in streams.texts:
            yield MPD, "is there; DASH has no such encryption"
        return
    try:
        root = dash.parse(streams.texts.get(MPD, "").encode())
    except etree.LxmlError:
        return  # `references` says it
    for adaptation in root.iterfind(".//mpd:AdaptationSet", dash.NS):
        if adaptation.get("contentType") in ("text", "image"):
            continue
        told = {one.get("schemeIdUri"): one for one in adaptation.iterfind("mpd:ContentProtection", dash.NS)}
        common, clear_key = told.get(COMMON), told.get(CLEAR_KEY)
        found = common is not None and (common.get("value"), common.get(f"{{{CENC}}}default_KID"))
        if found != (plan.scheme, key.uuid):
            yield MPD, f"names {found or 'no key'} for set {adaptation.get('id')}, planned {plan.scheme}, {key.uuid}"
        address = plan.license_uri and key.address(plan.license_uri)
        if address != (None if clear_key is None else clear_key.findtext(f"{{{CPS}}}Laurl")):
            yield MPD, f"does not name {address or 'no'} licence for set {adaptation.get('id')}"


def _difference(found: Sequence[Packet], due: Sequence[Packet]) -> str:
    if len(found) != len(due):
        return f"{len(found)} packets with the right key, the encoder wrote {len(due)}"
    first = next((n for n, (a, b) in enumerate(zip(found, due, strict=True)) if a != b), 0)
    return f"with the right key, packet {first} is not the encoder's"


def _packets(tools: Tools, files: Mapping[str, Path]) -> dict[str, list[Packet]]:
    """In the files' order; none of a file that cannot be read."""
    listing = ["-show_data_hash", "md5", "-show_entries", "packet=size,data_hash", "-of", "csv=p=0"]
    argvs: Iterable[list[str | Path]] = (
        [tools.ffprobe, "-v", "quiet", "-select_streams", "0", *listing, path] for path in files.values()
    )
    done = process.run_all(list(argvs), nice=tools.nice, stall_seconds=STALL_SECONDS, check=False)
    found = {}
    for name, listed in zip(files, done, strict=True):
        rows = re.findall(rb"^(\d+),MD5:([0-9a-f]{32})", listed.stdout, re.MULTILINE)
        found[name] = [(int(size), digest.decode()) for size, digest in rows]
    return found
