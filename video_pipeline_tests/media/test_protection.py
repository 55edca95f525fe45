"""What is encrypted, as ffmpeg sees it with the key and without, and where the key is not."""

from __future__ import annotations

import hashlib
import re
import stat
from dataclasses import replace
from pathlib import Path

import m3u8
import pytest
from lxml import etree

from video_pipeline.media import pipes, process
from video_pipeline.media.model import ProtectionPlan
from video_pipeline.media.protection import ContentKey, iv
from video_pipeline_tests import key_server
from video_pipeline_tests.key_server import KEY, KEY_ID
from video_pipeline_tests.media.range_server import serve
from video_pipeline_tests.media.release import Made, run_ffmpeg

SECRET = ContentKey("clip", KEY_ID, bytes.fromhex(KEY))


def protect(
    made: Made, scheme: str, directory: Path, key: ContentKey = SECRET, uri: str = "https://k.example/k"
) -> Made:
    directory.mkdir(exist_ok=True)
    return made.protected(ProtectionPlan.model_validate({"scheme": scheme, "key_uri": uri}), key, directory)


def frames(made: Made, out: Path, *args: str | Path) -> str:
    """MD5 of each packet's content and of each frame that ffmpeg makes of a file's packets."""
    run_ffmpeg(made.tools, *args, "-map", "0:0", "-f", "framemd5", out)
    return "\n".join(line.rpartition(",")[2] for line in out.read_text().splitlines() if line[0] != "#")


@pytest.mark.parametrize("scheme", ["cenc", "cbcs"])
def test_ffmpeg_decrypts_it_with_the_key_alone(made: Made, scheme: str, tmp_path: Path) -> None:
    sealed = protect(made, scheme, tmp_path / "sealed")
    for name, path in sealed.media.items():
        true = frames(made, tmp_path / "true", "-i", made.media[name])
        assert frames(made, tmp_path / "found", "-decryption_key", KEY, "-i", path) == true
        wrong: list[str | Path] = [made.tools.ffmpeg, "-v", "error", "-decryption_key", "00" * 16, "-i", path]
        done = process.run_all([[*wrong, "-f", "null", "-"]], check=False)[0]
        assert done.stderr, f"{name} decodes with a wrong key"


def test_ffmpeg_plays_whole_segments_with_the_key_alone(made: Made, tmp_path: Path) -> None:
    """Over HTTP: in a local file it would seek to a segment after decrypting, not before."""
    reading = ("-allowed_extensions", "ALL", "-protocol_whitelist", "file,crypto,data,http,tcp", "-i")
    with key_server.running() as server, serve(tmp_path / "site") as url:
        sealed = protect(made, "aes-128", tmp_path / "sealed", uri=server.key_uri)
        sealed.place(tmp_path / "site")
        clear = made.place(tmp_path / "clear")
        for name in sealed.media:
            address = f"{url}/releases/r1/hls/{name}.m3u8"
            decoded = frames(made, tmp_path / "true", *reading, clear / "hls" / f"{name}.m3u8")
            assert frames(made, tmp_path / "found", *reading, address) == decoded
            assert decoded.count("\n") > 140
            server.key = "00" * 16
            wrong: list[str | Path] = [made.tools.ffmpeg, "-v", "quiet", *reading, address, "-f", "framemd5", "-"]
            seen = process.run_all([wrong], check=False)[0].stdout.decode()
            assert not set(decoded.splitlines()) & set(seen.replace(",", "\n").splitlines())
            server.key = KEY


def test_whole_segments_are_hls_alone(made: Made, tmp_path: Path) -> None:
    """Nothing leads to what DASH would play in the clear."""
    sealed = protect(made, "aes-128", tmp_path / "sealed")
    assert not [path for path in sealed.streams.texts if "dash" in path or "iframes" in path]
    assert "I-FRAME" not in sealed.streams.texts["hls/master.m3u8"]
    vectors = []
    for name, path in sealed.media.items():
        data = path.read_bytes()
        assert b"moof" not in data
        assert b"mdat" not in data
        segments = m3u8.loads(sealed.streams.texts[f"hls/{name}.m3u8"]).segments
        assert {segment.key.method for segment in segments} == {"AES-128"}
        vectors += [segment.key.iv for segment in segments]
    assert len(set(vectors)) == len(vectors) == 6


@pytest.mark.parametrize("scheme", ["cenc", "aes-128"])
def test_the_same_key_gives_the_same_bytes(made: Made, scheme: str, tmp_path: Path) -> None:
    def digests(name: str, key: ContentKey) -> dict[str, str]:
        sealed = protect(made, scheme, tmp_path / name, key)
        return {track: hashlib.sha256(path.read_bytes()).hexdigest() for track, path in sealed.media.items()}

    first = digests("one", SECRET)
    assert digests("two", SECRET) == first
    other = digests("three", replace(SECRET, key=bytes(16)))
    assert all(other[track] != first[track] for track in first)


def test_no_counter_is_used_twice(made: Made, tmp_path: Path) -> None:
    """In counter mode that would give away the XOR of two contents. Each sample's vector is in its track's senc box
    (ISO/IEC 23001-7, 7.2): 16 bytes, then how its bytes are divided."""
    sealed = protect(made, "cenc", tmp_path / "sealed")
    used = []
    for path in sealed.media.values():
        data = path.read_bytes()
        for found in re.finditer(b"senc", data):
            flags, count = (int.from_bytes(data[found.end() + n :][:4], "big") for n in (0, 4))
            at = found.end() + 8
            for _ in range(count):
                used.append(data[at : at + 16])
                parts = int.from_bytes(data[at + 16 : at + 18], "big") if flags & 2 else 0
                at += 16 + (2 + 6 * parts if flags & 2 else 0)
    assert len(used) > 2 * 150
    assert len(set(used)) == len(used)
    # The first 12 bytes are the track's, the rest counts its blocks.
    assert len({vector[:12] for vector in used}) == len(sealed.media)


def test_vectors_follow_the_content_and_the_key() -> None:
    keys = (SECRET, replace(SECRET, key=bytes(16)), replace(SECRET, key_id="0" * 32))
    made = [iv(key, *parts) for key in keys for parts in (("a",), ("b",), ("a", "b"), ("ab",))]
    assert len(set(made)) == len(made)
    assert {vector[12:] for vector in made} == {bytes(4)}
    assert iv(SECRET, "a") == iv(ContentKey("another video", KEY_ID, SECRET.key), "a")


@pytest.mark.parametrize("scheme", ["cenc", "aes-128"])
def test_the_key_is_in_no_argument_and_no_file(made: Made, scheme: str, tmp_path: Path) -> None:
    """A program in the packager's place notes what anybody can see of it."""
    spy, seen = tmp_path / "packager", tmp_path / "seen"
    spy.write_text(
        f'#!/bin/sh\ntr "\\0" " " </proc/$$/cmdline >>{seen}\ntr "\\0" " " </proc/$$/environ >>{seen}\n'
        f'exec {made.tools.packager} "$@"\n'
    )
    spy.chmod(stat.S_IRWXU)
    sealed = protect(replace(made, tools=replace(made.tools, packager=spy)), scheme, tmp_path / "sealed")
    assert "protection" not in sealed.failed()
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        data = path.read_bytes()
        assert KEY.encode() not in data
        assert SECRET.key not in data
    assert "--hls_playlist_type" in seen.read_text()


def test_the_mpd_names_key_and_licence(made: Made, tmp_path: Path) -> None:
    plan = ProtectionPlan(
        scheme="cenc", key_uri="https://k.example/{key_id}", license_uri="https://k.example/l/{video_id}"
    )
    sealed = made.protected(plan, SECRET, tmp_path)
    root = etree.fromstring(sealed.streams.texts["dash/manifest.mpd"].encode())
    *sets, images = root.findall(".//{*}AdaptationSet")
    assert len(sets) == 2
    assert (images.get("contentType"), images.find("{*}ContentProtection")) == ("image", None)
    for adaptation in sets:
        common, clear_key = adaptation.findall("{*}ContentProtection")
        assert common.get("value") == "cenc"
        told = common.get("{urn:mpeg:cenc:2013}default_KID")
        assert told == "5eed0000-1122-3344-5566-778899aabbcc"
        assert clear_key.get("schemeIdUri") == "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
        assert clear_key.findtext("{https://dashif.org/CPS}Laurl") == "https://k.example/l/clip"
        # The schema has them before what is said of roles.
        kinds = [etree.QName(child).localname for child in adaptation]
        assert kinds[:2] == ["ContentProtection", "ContentProtection"]
    assert f'URI="https://k.example/{KEY_ID}"' in sealed.streams.texts["hls/audio-1.m3u8"]


def test_a_pipe_holds_what_it_is_given() -> None:
    with pipes.holding(b"secret") as stdin:
        assert process.run(["cat"], stdin=stdin).stdout == b"secret"
    with pipes.holding(b"") as stdin:
        assert process.run(["cat"], stdin=stdin).stdout == b""
    with pytest.raises(ValueError, match="more than a pipe holds"), pipes.holding(bytes(2**21)):
        pass
