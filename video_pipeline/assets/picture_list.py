"""The pictures of a release, as release.json lists them for web pages."""

from __future__ import annotations

from video_pipeline.media.image_plan import PictureFormat
from video_pipeline.media.image_products import CustomPicture, Thumbnail, Thumbnails
from video_pipeline.stores.release_model import ReleasePicture, ReleasePictureFile

MIME: dict[PictureFormat, str] = {"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}


def listed(thumbnails: Thumbnails) -> tuple[ReleasePicture, ...]:
    """The poster first, then by time as they are offered, then those that were asked for."""
    brought = (_picture(thumbnails.custom),) if thumbnails.custom else ()
    return (*brought, *(_picture(picture) for picture in thumbnails.all))


def _picture(picture: Thumbnail | CustomPicture) -> ReleasePicture:
    seen = picture if isinstance(picture, Thumbnail) else None
    files = tuple(
        ReleasePictureFile(path=f"thumbnails/{form.name}", type=MIME[form.format], width=form.width, height=form.height)
        for form in picture.forms
    )
    types = dict.fromkeys(file.type for file in files)
    return ReleasePicture(
        kind=seen.kind if seen else "custom",
        path=f"thumbnails/{picture.name}",
        width=picture.width,
        height=picture.height,
        time=seen.time if seen else None,
        thumbhash=picture.thumbhash or None,
        files=files,
        srcset={type: _srcset([file for file in files if file.type == type]) for type in types},
    )


def _srcset(files: list[ReleasePictureFile]) -> str:
    by_width = sorted(files, key=lambda file: file.width)
    return ", ".join(f"{file.path} {file.width}w" for file in by_width)
