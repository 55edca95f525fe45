"""Faults of the preview clip and of the forms of pictures, planted in real files."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from video_pipeline.media import forms
from video_pipeline.media.files import blob_of
from video_pipeline.media.image_products import Preview, Thumbnail
from video_pipeline.media.tools import Tools
from video_pipeline_tests.media import release
from video_pipeline_tests.media.checks.faults import Fault, assert_only
from video_pipeline_tests.media.release import SMALL, Made

CLIP, ANIMATION = "preview.mp4", "preview.webp"
FRONT = ("-movflags", "+faststart")
Change = Callable[[Made, Path], Made]


@pytest.fixture(scope="module")
def moving(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """With a clip of 3 of its 6 s."""
    found = made.with_preview(tmp_path_factory.mktemp("moving"))
    assert found.failed() == {}
    return found


@pytest.fixture(scope="module")
def formed(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """With every picture as JPEG and WebP in two widths."""
    directory = tmp_path_factory.mktemp("formed")
    images = made.plan.images.model_copy(update={"formats": ("jpeg", "webp"), "widths": (320,)})

    def anew(one: Thumbnail) -> Thumbnail:
        with Image.open(made.images[one.name]) as picture:
            files = forms.save(picture.convert("RGB"), Path(one.name).stem, images, directory)
        return one.model_copy(update={"file": files[0].file, "forms": files})

    shown = made.thumbnails
    pictures = shown.model_copy(update={"poster": anew(shown.poster), "candidates": tuple(map(anew, shown.candidates))})
    files = {path.name: path for path in directory.iterdir()}
    found = replace(made, thumbnails=pictures, images={**made.images, **files})
    assert len(found.thumbnails.forms) == 4 * len(shown.all) >= 8
    assert found.failed() == {}
    return found


def made_anew(*options: str, source: str | None = None) -> Change:
    """The clip with other options, listed with its own digest."""

    def plant(made: Made, directory: Path) -> Made:
        out = directory / CLIP
        path = made.encoded[source] if source else made.images[CLIP]
        release.run_ffmpeg(made.tools, "-i", path, *options, *(() if "-movflags" in options else FRONT), out)
        return listed(made, CLIP, out)

    return plant


def listed(made: Made, name: str, path: Path) -> Made:
    field = {CLIP: "clip", ANIMATION: "animation"}[name]
    preview = made.preview.model_copy(update={field: blob_of(path)})
    return replace(made, preview=preview, images={**made.images, name: path})


def animated(*, stills: int | None = None, lasts: int = 120, turned: bool = False) -> Change:
    def plant(made: Made, directory: Path) -> Made:
        pictures = []
        with Image.open(made.images[ANIMATION]) as opened:
            for n in range(opened.n_frames):
                opened.seek(n)
                pictures.append(opened.convert("RGB").copy())
        first, *others = (pictures[::-1] if turned else pictures)[:stills]
        out = directory / ANIMATION
        first.save(out, "WEBP", save_all=True, append_images=others, duration=lasts)
        return listed(made, ANIMATION, out)

    return plant


def moved(made: Made, _: Path) -> Made:
    """It is said to show other frames than it does."""
    parts = tuple((start + 40, end + 40) if end < 100 else (start, end) for start, end in made.preview.parts)
    return replace(made, preview=made.preview.model_copy(update={"parts": parts}))


def cut_off(name: str) -> Change:
    return lambda made, directory: made.with_image(name, directory, lambda content: content[: len(content) // 2])


X264 = ("-c:v", "libx264", "-crf", "20")
SILENT = ("-f", "lavfi", "-i", "anullsrc", "-shortest")
PREVIEW_FAULTS = {
    "a sound": Fault(
        made_anew(*SILENT, "-c:v", "copy", "-c:a", "aac"), CLIP, "holds video,320,180; audio, due is video"
    ),
    "short": Fault(made_anew(*X264, "-t", "2"), CLIP, "50 frames decoded, 75 are listed"),
    "other pictures": Fault(made_anew(*X264, "-vf", "negate"), CLIP, r"does not show frame \d+, but what is"),
    "no index in front": Fault(made_anew("-c", "copy", "-movflags", "0"), CLIP, r"no index \(moov\) before"),
    "another size": Fault(made_anew(*X264, "-s", "160x90"), CLIP, "holds video,160,90, due is video,320,180 alone"),
    "cut off": Fault(cut_off(CLIP), CLIP, "decoded|moov|Invalid"),
    "cut off animation": Fault(cut_off(ANIMATION), ANIMATION, "is no picture", frozenset()),
    "short animation": Fault(animated(stills=9), ANIMATION, r"lasts 1\.080 s, the clip 3\.000 s"),
    "slow animation": Fault(animated(lasts=200), ANIMATION, r"lasts 5\.000 s"),
    "backwards": Fault(animated(turned=True), ANIMATION, "does not show frame"),
    "no animation": Fault(
        lambda made, _: replace(made, preview=made.preview.model_copy(update={"animation": None})),
        ANIMATION,
        "planned but not there",
    ),
    "not made": Fault(lambda made, _: replace(made, preview=Preview()), CLIP, "planned but not there"),
}


@pytest.mark.parametrize("fault", PREVIEW_FAULTS.values(), ids=PREVIEW_FAULTS)
def test_a_wrong_preview_is_found(moving: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("preview", fault, moving, tmp_path)


def test_one_that_was_not_planned(moving: Made, made: Made) -> None:
    failed = replace(made, preview=moving.preview, images=moving.images).failed()
    assert failed["preview"].measured == "preview.mp4: there but not planned; preview.webp: there but not planned"


def test_what_a_good_one_is(moving: Made) -> None:
    [said] = [check.measured for check in moving.inspect().checks if check.name == "preview"]
    assert re.fullmatch(r"75 frames in \d parts, 3\.000 s, without sound, \d+ and \d+ bytes", said)


def exchanged(one: str, other: str) -> Change:
    """Two files in each other's place from the beginning: every size and every digest is right."""

    def plant(made: Made, _: Path) -> Made:
        by_name = {form.name: form.file for form in made.thumbnails.forms}
        swap = {one: other, other: one}

        def anew(picture: Thumbnail) -> Thumbnail:
            files = tuple(f.model_copy(update={"file": by_name[swap.get(f.name, f.name)]}) for f in picture.forms)
            return picture.model_copy(update={"forms": files})

        shown = made.thumbnails
        pictures = {"poster": anew(shown.poster), "candidates": tuple(map(anew, shown.candidates))}
        images = {**made.images, one: made.images[other], other: made.images[one]}
        return replace(made, thumbnails=shown.model_copy(update=pictures), images=images)

    return plant


FORM_FAULTS = {
    "two forms exchanged": Fault(
        exchanged("poster-320.webp", "01-320.webp"),
        "poster-320.webp",
        r"does not show what poster\.jpg does, but what is \d+ of 255 away",
    ),
    "two formats exchanged": Fault(
        exchanged("poster-320.webp", "poster-320.jpg"), "poster-320.jpg", "is WEBP, JPEG is listed"
    ),
    "two widths exchanged": Fault(
        exchanged("poster.webp", "poster-320.webp"), "poster.webp", "320x180 pixels, 640x360 are listed"
    ),
    "half a form": Fault(cut_off("01.webp"), "01.webp", "is no picture"),
}


@pytest.mark.parametrize("fault", FORM_FAULTS.values(), ids=FORM_FAULTS)
def test_a_wrong_form_is_found(formed: Made, tmp_path: Path, fault: Fault) -> None:
    assert_only("not_empty", fault, formed, tmp_path)


@pytest.mark.parametrize(("picture", "count"), [("testsrc2", 1), ("color=teal", 30), ("testsrc2", 99)])
def test_short_and_still_videos(tools: Tools, tmp_path: Path, picture: str, count: int) -> None:
    """They are shown as a whole, in a portrait of an odd rate."""
    clip = tmp_path / "clip.mp4"
    source = f"{picture}{':' if '=' in picture else '='}size=180x320:rate=30000/1001"
    release.run_ffmpeg(tools, "-f", "lavfi", "-i", source, "-frames:v", str(count), "-preset", "ultrafast", clip)
    made = release.make(tools, clip, tmp_path)
    (tmp_path / "preview").mkdir()
    shown = made.with_preview(tmp_path / "preview", seconds=4, width=128)
    assert shown.failed() == {}
    assert (shown.preview.parts, shown.preview.width, shown.preview.height) == (((0, count),), 72, 128)


def test_a_clip_of_another_rung_is_good_too(moving: Made, tmp_path: Path) -> None:
    """What is shown counts, not where it is from."""
    assert moving.with_preview(tmp_path, width=200).failed() == {}
    assert SMALL in moving.encoded
