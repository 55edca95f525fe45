"""How an MP4 names the channels of AAC."""

from __future__ import annotations

from pathlib import Path

from video_pipeline.media.boxes import top_level

# ISO/IEC 14496-3, 1.6.2.1: 5 bits object type (2, LC), 4 sample rate (3, 48 kHz), 4 channel configuration, 3 more.
_AS_12, _AS_7 = b"\x11\xe0", b"\x11\xb8"


def state_as_7(path: Path) -> None:
    """Renames the channel configuration of 7.1 from 12, which is the standard's, to 7.

    Both have the same elements. By the letter, 7 has its second pair in front, but what encoders have always written
    for 7.1 is 7, and decoders know; the packager and browsers refuse 12.

    Raises:
        ValueError: the file is none of LC at 48 kHz with configuration 12.
    """
    moov = next(box for box in top_level(path) if box.kind == "moov")
    with path.open("r+b") as file:
        file.seek(moov.offset)
        header = file.read(moov.end - moov.offset)
        place = header.find(_AS_12, header.find(b"esds"))
        if b"esds" not in header or place < 0:
            raise ValueError(f"{path.name} is no 7.1 AAC")
        file.seek(moov.offset + place)
        file.write(_AS_7)
