"""Make the rungs of one family, chunk by chunk: what is finished is kept, and not made again.

    source ─┬─► chunk 0 ─► encoders of all rungs ─► kept ─┐
            ├─► chunk 1 ─► ...                            ├─► joined, rung by rung
            └─► chunk 2 ─► ...                            ┘

Every chunk reads the source from its middle, several at once. A source that does not give the same pictures from there
as from its start is read in one pass, see `one_pass`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from video_pipeline.errors import CommandFailed, TransientError
from video_pipeline.media import encode, ffmpeg, frame_map, hardware, one_pass, pass_through, process
from video_pipeline.media.bitrate import average_and_peak
from video_pipeline.media.chunk_work import Work, work_of
from video_pipeline.media.chunks import chunks
from video_pipeline.media.decoding import DecodeLog
from video_pipeline.media.files import blob_of
from video_pipeline.media.joining import join
from video_pipeline.media.kept import Kept, NothingKept
from video_pipeline.media.model import EncodingPlan
from video_pipeline.media.process import Job
from video_pipeline.media.products import Chunk, ChunkMap, FrameMap, Track
from video_pipeline.media.technical import FrameTiming
from video_pipeline.media.tools import Tools
from video_pipeline.media.video_plan import RungPlan


@dataclass(frozen=True)
class Made:
    tracks: tuple[Track, ...]
    shown: FrameMap
    chunks: int = 0
    """Of all rungs that are encoded."""
    encoded: int = 0
    """Of these, how many were not kept from before."""
    keys: tuple[str, ...] = ()
    """Of all chunks, for they need not be kept any longer once their rendition is."""


@dataclass(frozen=True)
class _Order:
    """What stays the same whichever way the source is read."""

    tools: Tools
    source: Path
    timing: FrameTiming
    kept: Kept
    at_once: int
    on_progress: Callable[[float], None]


class _Dishonest(Exception):
    """From its middle the source gives something else than from its start."""


def make(
    tools: Tools,
    source: Path,
    timing: FrameTiming,
    plan: EncodingPlan,
    rungs: Sequence[RungPlan],
    out_dir: Path,
    *,
    kept: Kept | None = None,
    at_once: int = 1,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Made:
    """Makes `rungs` (of one family) as `<out_dir>/<rung name>.mp4`, video only.

    Args:
        timing: the clock of the source's pictures.
        kept: finished chunks are taken from there and put there.
        at_once: encoders that may run side by side; it shapes no bit.

    Raises:
        SourceError: the source cannot be decoded.
    """
    coded = [rung for rung in rungs if not rung.copied]
    for rung in rungs:
        if rung.copied:
            pass_through.copy(tools, source, plan, rung, out_dir / f"{rung.name}.mp4")
    work = None
    if coded:
        order = _Order(tools, source, timing, kept or NothingKept(), at_once, on_progress)
        work, shown = _encoded(order, plan, coded, out_dir)
    else:
        shown = frame_map.read(tools, source, plan.model_copy(update={"seekable": False}), timing)
    tracks = _tracks(tools, plan, rungs, out_dir)
    return Made(tracks, shown, len(work.keys), work.encoded, tuple(work.keys.values())) if work else Made(tracks, shown)


def _encoded(order: _Order, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path) -> tuple[Work, FrameMap]:
    tools, kept = order.tools, order.kept
    if plan.seekable or len(chunks(plan)) == 1:
        with TemporaryDirectory(dir=out_dir) as name:
            work = work_of(tools, plan, rungs, kept, "seek", Path(name))
            try:
                _by_seeking(order, work)
                _join(tools, work, out_dir)
                return work, _whole_map(work, order.timing)
            except (CommandFailed, _Dishonest) as error:
                if isinstance(error, CommandFailed) and (error.status < 0 or not _seeks(plan)):
                    raise ffmpeg.undecodable("video", error) from None
    with TemporaryDirectory(dir=out_dir) as name:
        from_start = plan.model_copy(update={"seekable": False})
        work = work_of(tools, from_start, rungs, kept, "pass", Path(name))
        try:
            if len(work.pieces) == 1:
                _by_seeking(order, work)
                shown = _whole_map(work, order.timing)
            else:
                shown = _in_one_pass(order, work)
        except CommandFailed as error:
            raise ffmpeg.undecodable("video", error) from None
        _join(tools, work, out_dir)
        return work, shown


def _seeks(plan: EncodingPlan) -> bool:
    return plan.seekable and (plan.skip > 0 or len(chunks(plan)) > 1)


def _by_seeking(order: _Order, work: Work) -> None:
    def job(number: int) -> Job:
        piece, rungs, log = work.pieces[number], work.missing(number), DecodeLog()
        place = work.place / f"{number:05d}"
        place.mkdir()

        def progress(share: float) -> None:
            work.shares[number] = share
            order.on_progress(work.share)

        def done(_: process.Completed) -> None:
            shown = frame_map.chunk_map(log, piece, order.timing)
            _finish(work, number, place, order.kept, shown)
            _judge(work, number)
            progress(1.0)

        args = [*ffmpeg.TOLERANT, *encode.command(order.source, piece, rungs, place, vaapi=order.tools.vaapi)]
        return ffmpeg.prepared(
            order.tools,
            args,
            duration=piece.duration,
            on_progress=progress,
            on_output=log.take_output,
            on_log=log.take_log,
            done=done,
        )

    for number in range(len(work.pieces)):
        if not work.missing(number):
            _judge(work, number)
            work.shares[number] = 1.0
    memory = hardware.memory(work.plan.encoder(work.rungs[0].family).codec)
    ffmpeg.run_queue(order.tools, (job(n) for n in range(len(work.pieces)) if work.missing(n)), order.at_once, memory)


def _judge(work: Work, number: int) -> None:
    shown = work.map_of(number)
    if shown and not frame_map.read_honestly(work.pieces[number], shown.shown):
        raise _Dishonest


def _in_one_pass(order: _Order, work: Work) -> FrameMap:
    missing = {n: rungs for n in range(len(work.pieces)) if (rungs := work.missing(n))}
    if not missing:
        return frame_map.read(order.tools, order.source, work.plan, order.timing)

    def done(number: int, place: Path) -> None:
        _finish(work, number, place, order.kept, None)

    log = one_pass.run(
        order.tools, order.source, work.plan, work.pieces, missing, work.place, order.at_once, done, order.on_progress
    )
    return frame_map.frame_map(log, work.plan, order.timing)


def _finish(work: Work, number: int, place: Path, kept: Kept, shown: ChunkMap | None) -> None:
    """Keeps what a finished encoder has written to `place`."""
    if shown and shown.shown.frames != work.pieces[number].frames:
        raise TransientError(f"chunk {number} has {shown.shown.frames} of {work.pieces[number].frames} frames")
    for rung in work.missing(number):
        path = place / f"{rung.name}.mp4"
        chunk = Chunk(file=blob_of(path), map=shown)
        work.done[number, rung.name] = (chunk, kept.put(work.keys[number, rung.name], chunk, path))
        work.encoded += 1


def _whole_map(work: Work, timing: FrameTiming) -> FrameMap:
    maps = [one for n in range(len(work.pieces)) if (one := work.map_of(n))]
    return maps[0].shown if len(maps) == 1 else frame_map.joined(maps, work.pieces, work.plan, timing)


def _join(tools: Tools, work: Work, out_dir: Path) -> None:
    for rung in work.rungs:
        pieces = [work.done[n, rung.name][1] for n in range(len(work.pieces))]
        join(tools, pieces, [piece.frames for piece in work.pieces], work.plan.rate, out_dir / f"{rung.name}.mp4")


def _tracks(tools: Tools, plan: EncodingPlan, rungs: Sequence[RungPlan], out_dir: Path) -> tuple[Track, ...]:
    paths = [out_dir / f"{rung.name}.mp4" for rung in rungs]
    listed = process.run_all([encode.packet_list(tools, path) for path in paths], nice=tools.nice)
    tracks = []
    for rung, path, packets in zip(rungs, paths, listed, strict=True):
        average, peak = average_and_peak(packets.stdout, plan)
        tracks.append(Track(name=rung.name, file=blob_of(path), bit_rate=average, peak_bit_rate=peak))
    return tuple(tracks)
