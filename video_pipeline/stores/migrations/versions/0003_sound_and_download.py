"""Levels of the sound, its outline, and the MP4 for download."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    for column in (
        sa.Column("momentary_max", sa.Float(), nullable=True),
        sa.Column("short_term_max", sa.Float(), nullable=True),
        sa.Column("loudness_target", sa.Float(), nullable=True),
        sa.Column("waveform_path", sa.Text(), nullable=True),
        sa.Column("waveform_bytes", sa.BigInteger(), nullable=True),
        sa.Column("download_path", sa.Text(), nullable=True),
        sa.Column("download_bytes", sa.BigInteger(), nullable=True),
    ):
        op.add_column("videos", column)
