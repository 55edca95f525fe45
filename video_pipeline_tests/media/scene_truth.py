"""Where shots of the real clips begin, read off their frames one by one, and how what is found is judged by it.

Frames are counted on the plan's grid, which of these clips is that of the file. A gradual transition is from the first
frame that is not only the old shot to the first that is only the new one; black or a colour between them is part of it.
Shots are told apart by what is seen, not by what is said: another text on a white card is `DOUBTFUL`, and so is a
picture that begins after black or ends in it, as nothing lies on the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from video_pipeline.media import scenes

CUT, FADE, DISSOLVE, DOUBTFUL = "cut", "fade", "dissolve", "doubtful"


class Transition(NamedTuple):
    kind: str
    start: int
    """Of a cut the first frame of the new shot, as `end`."""
    end: int


def cuts(*frames: int) -> list[Transition]:
    return [Transition(CUT, frame, frame) for frame in frames]


def doubtful(start: int, end: int) -> list[Transition]:
    """A boundary found there is neither right nor wrong."""
    return [Transition(DOUBTFUL, start, end)]


def fade(start: int, end: int) -> list[Transition]:
    return [Transition(FADE, start, end)]


def dissolve(start: int, end: int) -> list[Transition]:
    return [Transition(DISSOLVE, start, end)]


SINTEL = [
    *doubtful(0, 50),  # from black
    *fade(117, 154),  # through fog as white as paper
    *fade(190, 224),  # to a title on black
    *fade(244, 304),
    *cuts(334),
    *fade(362, 396),
    *cuts(404),
    *doubtful(408, 410),  # the camera falls
    *fade(420, 475),
    *fade(490, 552),
    *cuts(571, 621, 658),
    *fade(672, 701),
    *fade(755, 792),
    *dissolve(834, 866),
    *fade(939, 1014),  # to the logo, which is there before the picture has gone
    *fade(1086, 1140),
    *doubtful(1163, 1163),  # from text to text
    *doubtful(1220, 1253),
]
BUNNY = [
    *doubtful(0, 20),
    *dissolve(87, 108),
    *dissolve(158, 179),
    *cuts(227, 280, 330, 347, 375, 400, 415),
    *fade(465, 480),
    *fade(490, 507),
    *fade(517, 531),
    *fade(541, 556),
    *fade(566, 581),
    *cuts(623, 650),
    *fade(666, 675),  # the picture is torn off a white card
    *cuts(749, 756),
    *doubtful(776, 776),
    *doubtful(800, 812),
]
SCENES = [
    *doubtful(30, 30),
    *fade(180, 241),
    *fade(331, 425),
    *dissolve(528, 560),
    *doubtful(663, 720),
]

TRUTH: dict[str, list[Transition]] = {
    "natural/sintel_trailer_720p24_52s.mp4": SINTEL,
    "natural/scenes_720p2997_24s.mp4": SCENES,
    "awkward/frag_180p_33s.mp4": BUNNY,
    "awkward/sar16-11_pal_704x576_25s.mp4": cuts(70, 170, 301, 421, 484),
    "natural/bikes_640x272_10s.mp4": cuts(30, 76, 137, 187, 242),
    # A test card of one frame comes first in these two.
    "natural/croatia_1080p25_5.5Mbps_8s.mp4": [*doubtful(1, 1), *cuts(109)],
    "natural/tos_1080p2997_4.7Mbps_8s.mp4": [*doubtful(1, 1), *cuts(177)],
    # An overlay over the same picture; then a loading screen between two places of a game.
    "natural/minecraft_1080p60_2audio_5s.mp4": [*doubtful(70, 70), *fade(130, 166)],
    "awkward/container_ogv_theora_10s.ogv": cuts(150),
    "awkward/vfr_ism_vc1_wmapro.ismv": cuts(67),
    "awkward/sar64-45_bbb_800x640_bpyramid.mp4": cuts(6),
    # To a red card of 15 s and back from it.
    "awkward/container_avi_35s_sar4-3.avi": [*doubtful(0, 62), *fade(201, 254), *fade(622, 685), *doubtful(815, 877)],
    # From here on one shot each: with pans, a bird that fills the picture, leaps, an old film, a counter in each frame.
    "natural/basketball_360p_11s.mp4": [],
    "natural/bbb_1080p24_hevc_5.1_5s.ts": doubtful(0, 60),
    "natural/bbb_720p25_5.1_5s.mp4": [],
    "natural/changi_4k_portrait_hevc_9s.mp4": [],
    "natural/cockatoo_720p20_14s_420.mp4": [],
    "natural/dog_720p2997_10s.mp4": [],
    "natural/flower_540p_5s.mp4": [],
    "natural/friday_480p_6s.mp4": [],
    "natural/svt_landscape_1080p25_10bit422_10s.mp4": [],
    "awkward/container_avi_mpeg4_natural_8s.avi": [],
    "awkward/icc_profile_hevc_1080p_10s.mp4": [],
    "awkward/init_nonkeyframe_720p_4s.mp4": [],
    "awkward/yuv422_720p_42s.mp4": [],
}


@dataclass(frozen=True)
class Score:
    right: int = 0
    missed: int = 0
    wrong: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(self.right + other.right, self.missed + other.missed, self.wrong + other.wrong)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.missed + self.wrong)

    @property
    def figures(self) -> tuple[str, str, str]:
        """Precision, recall and F1."""
        precision = self.right / max(1, self.right + self.wrong)
        recall = self.right / max(1, self.right + self.missed)
        return f"{precision:.3f}", f"{recall:.3f}", f"{self.f1:.3f}"


def judge(truth: Sequence[Transition], found: Sequence[int], rate: float) -> Score:
    """Right is a cut within 1 frame and a gradual transition inside or within 2 frames of it, each once.

    A shot below the shortest scene need not be found.
    """
    left, right, missed, before = list(found), 0, 0, 0
    for one in sorted(truth, key=lambda one: one.start):
        off = 1 if one.kind == CUT else 2
        inside = [frame for frame in left if one.start - off <= frame <= one.end + off]
        if one.kind == DOUBTFUL:
            left = [frame for frame in left if frame not in inside]
            continue
        if inside:
            left.remove(inside[0])
        if one.start - before >= scenes.MIN_SECONDS * rate:
            right += bool(inside)
            missed += not inside
        before = one.end
    return Score(right, missed, len(left))
