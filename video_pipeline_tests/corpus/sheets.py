"""Contact sheets: the source as a player shows it above what was published, at the same moments."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

from PIL import Image, ImageDraw

from video_pipeline.media.tools import Tools
from video_pipeline_tests.corpus import decode, published, source
from video_pipeline_tests.corpus.clips import Clip

KINDS = ("hdr", "hlg", "pq", "dolby", "interlaced", "rot", "alpha")
MOMENTS = (0.1, 0.35, 0.6, 0.85)
"""Shares of the length."""
WIDTH, MARGIN = 320, 16


def wanted(clip: Clip) -> bool:
    text = f"{clip.path.name} {clip.special}".lower()
    return any(kind in text for kind in KINDS)


def write(tools: Tools, clip: Clip, release: Path, pages: Path) -> Path:
    """Writes `<pages>/<clip>.png`: a row of the source, a row of the release."""
    pages.mkdir(parents=True, exist_ok=True)
    video = source.video_of(decode.probe(tools, clip.path))
    filters, before, _, _ = source.chain(video)
    top = published.read(release).renditions[0].file
    shown = decode.packets(tools, top)
    rate = (len(shown) - 1) / shown[-1][0] if len(shown) > 1 else 25.0
    numbers = [round(share * (len(shown) - 1)) for share in MOMENTS]
    rows = [
        [_picture(tools, clip.path, filters, before, rate, number) for number in numbers],
        [_picture(tools, top, "", (), rate, number) for number in numbers],
    ]
    high = max((picture.height for row in rows for picture in row if picture), default=90)
    sheet = Image.new("RGB", (len(MOMENTS) * (WIDTH + 4), 2 * (high + MARGIN)), "gray")
    draw = ImageDraw.Draw(sheet)
    for y, (name, row) in enumerate(zip((f"{clip.name} in ffmpeg", "published"), rows, strict=True)):
        draw.text((2, y * (high + MARGIN) + 2), name, fill="white")
        for x, picture in enumerate(row):
            if picture:
                sheet.paste(picture, (x * (WIDTH + 4), y * (high + MARGIN) + MARGIN))
    path = pages / f"{clip.path.stem}.png"
    sheet.save(path)
    return path


def _picture(
    tools: Tools, path: Path, filters: str, before: tuple[str, ...], rate: float, number: int
) -> Image.Image | None:
    """The picture that is shown at `number / rate` seconds from the first one, in square pixels."""
    fit = f"scale='if(gte(iw*sar,ih),{WIDTH},-2)':'if(gte(iw*sar,ih),-2,{WIDTH})'"
    square = f"scale=trunc(iw*sar/2)*2:ih,setsar=1,{fit},format=rgb24"
    grid = f"setpts=PTS-STARTPTS,fps={rate:.6f},select='eq(n,{number})'"
    chain = ",".join(part for part in (grid, filters, square) if part)
    argv = [str(tools.ffmpeg), "-v", "error", "-nostdin", *before, "-i", str(path), "-an", "-sn", "-vf", chain]
    argv += ["-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-"]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=decode.LIMIT)
    return Image.open(io.BytesIO(done.stdout)).convert("RGB") if done.stdout else None
