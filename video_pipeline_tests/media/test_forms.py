"""The files of a picture: which there are, what they are, and that they are as small as the floor lets them be."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import thash
from PIL import Image, features

from video_pipeline.media import forms, parallel
from video_pipeline.media.image_plan import ImagePlan, PictureFormat
from video_pipeline.media.image_products import PictureFile
from video_pipeline.media.placeholder import thumbhash
from video_pipeline_tests.media.test_bitrate import plan
from video_pipeline_tests.media.test_ssim import by_the_book, painted

ALL: tuple[PictureFormat, ...] = ("jpeg", "webp", "avif")
PILLOW = {"jpeg": "JPEG", "webp": "WEBP", "avif": "AVIF"}


def images(*formats: PictureFormat, widths: tuple[int, ...] = (), ssim: float = 0.97) -> ImagePlan:
    return plan(10).images.model_copy(update={"formats": formats, "widths": widths, "ssim": ssim})


def grainy(size: tuple[int, int] = (160, 90), much: float = 8) -> Image.Image:
    grain = np.random.default_rng(7).normal(0, much, (size[1], size[0], 3))
    return Image.fromarray((np.asarray(painted(size)) + grain).clip(0, 255).astype(np.uint8))


def saved(picture: Image.Image, wanted: ImagePlan, out: Path, stem: str = "p") -> dict[str, PictureFile]:
    out.mkdir(exist_ok=True)
    found = forms.save(picture, stem, wanted, out)
    assert sorted(path.name for path in out.iterdir()) == sorted(file.name for file in found)
    return {file.name: file for file in found}


def opened(path: Path) -> Image.Image:
    picture: Image.Image = Image.open(path)
    picture.load()  # closes the file
    return picture


def test_names_sizes_and_formats(tmp_path: Path) -> None:
    assert all(features.check(name) for name in ("webp", "avif"))
    found = saved(painted((300, 170)), images("webp", "avif", widths=(64, 300, 150, 64, 640)), tmp_path)
    stems = ("p", "p-150", "p-64")
    assert list(found) == [f"{stem}.{end}" for end in ("jpg", "webp", "avif") for stem in stems]
    for name, file in found.items():
        picture = opened(tmp_path / name)
        assert picture.format == PILLOW[file.format]
        assert picture.size == (file.width, file.height)
        assert picture.mode == "RGB"
        assert not picture.getexif()
        assert file.file.size == (tmp_path / name).stat().st_size
    assert {(f.width, f.height) for f in found.values()} == {(300, 170), (150, 85), (64, 36)}
    assert opened(tmp_path / "p.jpg").info["progressive"]


@pytest.mark.parametrize("format", ALL)
def test_a_lower_floor_makes_smaller_files(tmp_path: Path, format: PictureFormat) -> None:
    """None below its floor, and none much above it."""
    picture = grainy()
    sizes = []
    for floor in (0.9, 0.95, 0.98):
        found = saved(picture, images(format, ssim=floor), tmp_path / str(floor))
        [file] = [file for file in found.values() if file.format == format]
        seen = by_the_book(picture, opened(tmp_path / str(floor) / file.name))
        assert seen == pytest.approx(file.ssim, abs=2e-3)
        assert floor - 1e-4 <= seen
        assert file.quality == forms.ENCODERS[format].lowest or 1 - seen >= 0.7 * (1 - floor)
        sizes.append(file.file.size)
    assert sizes == sorted(sizes)
    assert sizes[0] < 0.9 * sizes[-1]


@pytest.mark.parametrize(
    ("picture", "smaller"),
    [
        pytest.param(painted((2, 2)), None, id="tiny"),
        pytest.param(painted((1, 1)), None, id="one pixel"),
        pytest.param(painted((101, 57)), (32, 18), id="odd"),
        pytest.param(painted((400, 2)), (32, 1), id="wide"),
        pytest.param(painted((3, 250)), (1, 32), id="tall"),
        pytest.param(painted((90, 60)).convert("L").convert("RGB"), (32, 21), id="gray"),
        pytest.param(Image.new("RGB", (64, 64), "teal"), (32, 32), id="plain"),
        pytest.param(grainy((90, 60), 120), (32, 21), id="noise"),
    ],
)
def test_odd_pictures(tmp_path: Path, picture: Image.Image, smaller: tuple[int, int] | None) -> None:
    found = saved(picture, images(*ALL, widths=(32,)), tmp_path)
    assert len(found) == (6 if smaller else 3)
    for name, file in found.items():
        assert opened(tmp_path / name).size == (file.width, file.height) == (smaller if "-" in name else picture.size)
        assert 0 < file.ssim <= 1


def test_the_same_picture_gives_the_same_bytes(tmp_path: Path) -> None:
    """Alone, or beside others."""
    wanted = images(*ALL, widths=(64,))
    pictures = [(f"{n}", painted(seed=n)) for n in range(6)]
    alone = [forms.save(picture, stem, wanted, tmp_path) for stem, picture in pictures]
    together = forms.save_all(iter(pictures), wanted, tmp_path)
    assert [together[stem][0] for stem, _ in pictures] == alone
    assert [together[stem][1] for stem, _ in pictures] == [thumbhash(picture) for _, picture in pictures]


@pytest.mark.parametrize("size", [(320, 180), (90, 160), (50, 50)])
def test_a_placeholder_has_the_colour_and_the_shape(size: tuple[int, int]) -> None:
    picture = painted(size)
    code = list(base64.b64decode(thumbhash(picture), validate=True))
    assert len(code) < 30
    average = thash.thumb_hash_to_average_rgba(code)
    assert average is not None
    mean = picture.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    assert isinstance(mean, tuple)
    assert [255 * part for part in average[:3]] == pytest.approx(mean, abs=8)
    assert thash.thumb_hash_to_approximate_aspect_ratio(code) == pytest.approx(size[0] / size[1], rel=0.1)


def test_no_picture_is_begun_after_an_interruption(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def slow(_: Image.Image, stem: str, *__: object) -> tuple[tuple[PictureFile, ...], str]:
        begun.append(stem)
        time.sleep(0.3)
        return (), ""

    def pictures() -> Iterator[tuple[str, Image.Image]]:
        yield from ((str(n), painted((32, 18))) for n in range(4))
        raise KeyboardInterrupt

    monkeypatch.setattr(forms, "_saved", slow)
    monkeypatch.setattr(parallel, "readers", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        forms.save_all(pictures(), images(), tmp_path)
    assert set(begun) <= {"0", "1"}
