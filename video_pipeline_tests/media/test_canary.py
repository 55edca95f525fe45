"""What an upload names is not opened: no file beside it, no file of the machine, no socket.

The canary is a pipe: who opens it is seen by the writer that waits on the other side, whatever becomes of the bytes.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from video_pipeline.errors import CommandFailed, SourceError
from video_pipeline.media import audio, ffmpeg, listing, probe, process
from video_pipeline.media.plan import make_plan
from video_pipeline.media.tools import Tools
from video_pipeline.presets import load
from video_pipeline_tests.media import encoding


class Canary:
    """Files and a port that nobody may open."""

    def __init__(self, place: Path, clip: Path) -> None:
        self.pipe = place / "canary.ts"
        os.mkfifo(self.pipe)
        self.clip = clip
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.port = self._server.getsockname()[1]
        self.opened, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._wait)
        self._thread.start()

    def _wait(self) -> None:
        while not self._closing.wait(0.02):
            with self.pipe.open("wb"):  # returns when somebody opens it to read
                if not self._closing.is_set():
                    self.opened.set()

    def close(self) -> tuple[bool, bool]:
        """Whether the pipe was opened, and the port."""
        with self._server:
            opened = self.opened.is_set()
            self._closing.set()
            reader = os.open(self.pipe, os.O_RDONLY | os.O_NONBLOCK)
            self._thread.join(10)
            os.close(reader)
            try:
                self._server.accept()[0].close()
            except BlockingIOError:
                return opened, False
            return opened, True


@pytest.fixture
def canary(tmp_path: Path, clip: Path) -> Iterator[Canary]:
    found = Canary(tmp_path, clip)
    yield found
    assert found.close() == (False, False), "the canary was opened"


def hls(uri: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{uri}\n#EXT-X-ENDLIST\n".encode()


def mpd(uri: str) -> bytes:
    return f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles="full"
mediaPresentationDuration="PT4S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">
<BaseURL>{uri}</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>""".encode()


def sdp(port: int) -> bytes:
    text = f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 33\n"
    return text.encode()


def gab2(playlist: bytes) -> bytes:
    """An AVI with a text stream, whose one packet says that it holds subtitles: a playlist."""
    packet = b"GAB2\0" + struct.pack("<HIHHI", 2, 0, 4, 0, len(playlist)) + playlist
    main = struct.pack("<14I", 40000, 0, 0, 16, 1, 0, 1, 0, 64, 64, 0, 0, 0, 0)
    stream = b"txts" + struct.pack("<13I", 0, 0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    head = chunk(b"avih", main) + chunk(b"LIST", b"strl" + chunk(b"strh", stream) + chunk(b"strf", b"\0" * 4))
    return chunk(b"RIFF", b"AVI " + chunk(b"LIST", b"hdrl" + head) + chunk(b"LIST", b"movi" + chunk(b"00tx", packet)))


SCRIPTS: dict[str, Callable[[Canary], bytes]] = {
    "hls of a file": lambda c: hls(str(c.pipe)),
    "hls of a file uri": lambda c: hls(f"file://{c.pipe}"),
    "hls of a socket": lambda c: hls(f"http://127.0.0.1:{c.port}/a.ts"),
    "hls of tcp": lambda c: hls(f"tcp://127.0.0.1:{c.port}"),
    "hls of concat": lambda c: hls(f"concat:{c.pipe}|{c.pipe}"),
    "hls of subfile": lambda c: hls(f"subfile,,start,0,end,64,,:{c.pipe}"),
    "hls of crypto": lambda c: hls(f"crypto:{c.pipe}"),
    "hls key": lambda c: b'#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="%b"\n' % bytes(c.pipe) + hls("a.ts")[8:],
    "hls of a neighbour": lambda c: hls(c.pipe.name),
    "hls after a mark": lambda c: b"\xef\xbb\xbf\n" + hls(str(c.pipe)),
    "hls in capitals": lambda c: hls(str(c.pipe)).replace(b"#EXTM3U", b"#extm3u"),
    "ffconcat": lambda c: f"ffconcat version 1.0\nfile '{c.pipe}'\n".encode(),
    "ffconcat of a neighbour": lambda c: f"ffconcat version 1.0\nfile {c.pipe.name}\n".encode(),
    "ffconcat of a socket": lambda c: f"ffconcat version 1.0\nfile 'tcp://127.0.0.1:{c.port}'\n".encode(),
    "mpd of a file": lambda c: mpd(f"file://{c.pipe}"),
    "mpd of a socket": lambda c: mpd(f"http://127.0.0.1:{c.port}/a.mp4"),
    "sdp": lambda c: sdp(c.port),
    "smil": lambda c: f'<smil><body><video src="{c.pipe}"/></body></smil>'.encode(),
    "asx": lambda c: f'<ASX version="3"><ENTRY><REF HREF="file://{c.pipe}"/></ENTRY></ASX>'.encode(),
    "pls": lambda c: f"[playlist]\nFile1={c.pipe}\nNumberOfEntries=1\n".encode(),
    "asf reference": lambda c: f"[Reference]\nRef1=http://127.0.0.1:{c.port}/a.asf\n".encode(),
    "rtsp link": lambda c: f"rtsp://127.0.0.1:{c.port}/a\n".encode(),
    "ram": lambda c: f"http://127.0.0.1:{c.port}/a.rm\n".encode(),
    "imf": lambda c: f'<?xml version="1.0"?><CompositionPlaylist><Id>{c.pipe}</Id></CompositionPlaylist>'.encode(),
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_refused_as_what_it_is(tools: Tools, tmp_path: Path, canary: Canary, script: str) -> None:
    upload = tmp_path / "upload.mp4"
    upload.write_bytes(SCRIPTS[script](canary))
    words = r"^holiday.mp4: it is .*(playlist|list of files|live stream|link).*give the video file itself$"
    with pytest.raises(SourceError, match=words):
        probe.probe(tools, upload, name="holiday.mp4")


ENDINGS = {"hls": "m3u8", "mpd": "mpd", "sdp": "sdp", "imf": "xml"}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_not_followed_by_the_programs(tools: Tools, tmp_path: Path, canary: Canary, script: str) -> None:
    """Even if nobody had looked at it before, and if its name says openly what it is."""
    upload = tmp_path / f"upload.{ENDINGS.get(script.split()[0], 'ffconcat')}"
    upload.write_bytes(SCRIPTS[script](canary))
    done = process.run_all(
        [
            [tools.ffmpeg, "-nostdin", *ffmpeg.source(upload), "-f", "null", "-"],
            listing.command(tools, upload, "-show_streams"),
        ],
        check=False,
    )
    assert all(one.status for one in done)


@pytest.mark.parametrize("attack", ["hls", "ffconcat", "mov"])
def test_the_canary_sings(tools: Tools, clip: Path, tmp_path: Path, attack: str) -> None:
    """The attacks are real: the programs open the pipe if they may open anything."""
    canary = Canary(tmp_path, clip)
    upload = tmp_path / f"upload.{ENDINGS.get(attack, 'mov')}"
    script = {"hls": "hls of a file", "ffconcat": "ffconcat of a neighbour"}.get(attack, "")
    upload.write_bytes(SCRIPTS[script](canary) if script else referring(clip.read_bytes(), canary.pipe))
    options = ["-enable_drefs", "1", "-use_absolute_path", "1"] if attack == "mov" else []
    process.run_all([[tools.ffprobe, *options, "-show_packets", upload]], check=False)
    opened = canary.opened.wait(10)
    canary.close()
    assert opened


def test_subtitles_inside_avi_are_no_way_out(tools: Tools, tmp_path: Path, canary: Canary) -> None:
    upload = tmp_path / "upload.avi"
    upload.write_bytes(gab2(hls(str(canary.pipe))))
    with pytest.raises(SourceError, match="there is no video in it"):
        probe.probe(tools, upload)
    with suppress(CommandFailed):
        ffmpeg.ffmpeg(tools, [*ffmpeg.source(upload), "-map", "0", "-c", "copy", "-f", "null", "-"])


@pytest.mark.parametrize("absolute", [True, False])
def test_a_movie_that_refers_to_another_file(
    tools: Tools, clip: Path, tmp_path: Path, canary: Canary, absolute: bool
) -> None:
    """QuickTime's data reference (alis) to the file where the samples are."""
    upload = tmp_path / "upload.mov"
    upload.write_bytes(referring(clip.read_bytes(), canary.pipe if absolute else Path(canary.pipe.name)))
    with pytest.raises(SourceError, match="only refers to another file; give one file that holds everything"):
        probe.probe(tools, upload)


def referring(movie: bytes, to: Path) -> bytes:
    """That MP4 with every track's data reference changed to an alias of another file."""
    name = str(to).encode()
    path = struct.pack(">HH", 18, len(name)) + name + b"\0" * (len(name) % 2)
    path = struct.pack(">HH", 2, len(name)) + name + b"\0" * (len(name) % 2) + path
    volume = b"\4disk" + b"\0" * 23
    file = bytes([min(63, len(to.name))]) + to.name.encode()[:63].ljust(63, b"\0")
    record = b"\0" * 4 + struct.pack(">HHH", 0, 2, 0) + volume + b"\0" * 12 + file + b"\0" * 16
    record += struct.pack(">HH", 1, 1) + b"\0" * 16 + path + b"\xff\xff\0\0"
    alias = struct.pack(">I", 12 + len(record)) + b"alis" + b"\0" * 4 + record
    return _replaced(movie, b"url ", alias)


def _replaced(movie: bytes, kind: bytes, box: bytes) -> bytes:
    """Every box of this kind below moov by another one; moov must be the last box of the file."""
    containers = {b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"}

    def walk(data: bytes) -> bytes:
        out, at = b"", 0
        while at < len(data):
            size, name = struct.unpack_from(">I4s", data, at)
            body = data[at + 8 : at + size]
            if name == kind:
                out += box
            elif name in containers:
                head, rest = (body[:8], body[8:]) if name == b"dref" else (b"", body)
                body = head + walk(rest)
                out += struct.pack(">I4s", 8 + len(body), name) + body
            else:
                out += data[at : at + size]
            at += size
        return out

    start = movie.rindex(b"moov") - 4
    return movie[:start] + walk(movie[start:])


@pytest.mark.parametrize(
    "name", ["concat:{0}|{0}", "subfile,,start,0,end,0,,:{0}", "file:{0}", "tcp:127.0.0.1:{1}", "pipe:0", "-", "%d.mp4"]
)
def test_a_file_is_named_by_nothing_but_its_name(
    tools: Tools, clip: Path, tmp_path: Path, canary: Canary, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A name that ffmpeg would take for a protocol, a pattern or standard input is opened as the file it is."""
    monkeypatch.chdir(tmp_path)
    upload = Path(name.format(canary.pipe, canary.port))
    upload.parent.mkdir(parents=True, exist_ok=True)
    upload.write_bytes(clip.read_bytes())
    technical = probe.probe(tools, upload)
    assert technical.timing.frames == 100
    plan = make_plan(technical, "0" * 64, load("draft"))
    out = tmp_path / "out"
    out.mkdir()
    assert encoding.encode(tools, upload, plan, plan.rungs[-1:], out)
    assert plan.audio
    assert audio.encode(tools, upload, plan, plan.audio, out)


def test_neighbours_of_the_same_name_stay_closed(tools: Tools, clip: Path, tmp_path: Path, canary: Canary) -> None:
    """An .idx opens its .sub, an .mkv could name a linked segment: neither does here."""
    upload = tmp_path / "canary.idx"
    upload.write_text("# VobSub index file, v7 (do not modify this line!)\nsize: 720x576\nid: en, index: 0\n")
    (tmp_path / "canary.sub").symlink_to(canary.pipe)
    with pytest.raises(SourceError, match="it is a text, not a video"):
        probe.probe(tools, upload)
    linked = tmp_path / "linked.mkv"
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", "-i", str(clip), "-c", "copy", str(linked)]
    subprocess.run(argv, check=True, timeout=60)
    data = linked.read_bytes()
    at = data.index(b"\x15\x49\xa9\x66")  # Info: SegmentFilename (7384) and NextFilename (3e83bb) instead of the writer
    writer = data.index(b"\x57\x41", at)
    length = data[writer + 2] & 0x7F
    named = b"\x3e\x83\xbb" + bytes([0x80 | (length - 1)]) + b"canary.ts".ljust(length - 1, b"\0")
    linked.write_bytes(data[:writer] + named + data[writer + len(named) :])
    assert probe.probe(tools, linked).timing.frames == 100
