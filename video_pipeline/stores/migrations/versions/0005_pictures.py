"""What is known of pictures and scenes, and thumbnails that people bring."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    for column in (
        sa.Column("poster_path", sa.Text(), nullable=True),
        sa.Column("thumbhash", sa.Text(), nullable=True),
        sa.Column("preview_path", sa.Text(), nullable=True),
        sa.Column("preview_bytes", sa.BigInteger(), nullable=True),
    ):
        op.add_column("videos", column)
    op.add_column("scenes", sa.Column("transition", sa.Text(), nullable=True))
    op.add_column("scenes", sa.Column("transition_frames", sa.Integer(), nullable=True))
    op.add_column("scenes", sa.Column("complexity", sa.Float(), nullable=True))
    with op.batch_alter_table("thumbnails") as thumbnails:
        thumbnails.alter_column("frame", existing_type=sa.Integer(), nullable=True)
        thumbnails.alter_column("time", existing_type=sa.Float(), nullable=True)
        thumbnails.alter_column("score", existing_type=sa.Float(), nullable=True)
        for name in ("kind", "why", "thumbhash"):
            thumbnails.add_column(sa.Column(name, sa.Text(), nullable=True))
        thumbnails.add_column(sa.Column("rank", sa.Integer(), nullable=True))
        for name in ("sharpness", "contrast", "exposure", "colourfulness", "stillness", "placement"):
            thumbnails.add_column(sa.Column(name, sa.Float(), nullable=True))
    op.create_table(
        "pictures",
        sa.Column("video_id", sa.String(63), sa.ForeignKey("videos.video_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("thumbnail", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("ssim", sa.Float(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
    )
    op.create_table(
        "custom_thumbnails",
        sa.Column("video_id", sa.String(63), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("uri", sa.Text(), nullable=True),
        sa.Column("request", sa.Integer(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
