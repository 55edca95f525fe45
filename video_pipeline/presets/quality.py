"""What a preset wants of the quality of its rungs, as VMAF from 0 to 100 at the size of the largest rung."""

from __future__ import annotations

from pydantic import Field, model_validator

from video_pipeline.presets.families import Table

LEAST = 20
"""Below it nobody would publish; a target there is a mistake of the unit."""


class Quality(Table):
    target: float | None = Field(default=None, ge=LEAST, le=99)
    """Of the largest rung of each family: its crf is searched for this, the others follow it. Without it the crf of the
    table stands."""
    ceiling: float | None = Field(default=None, ge=LEAST, le=100)
    """No rung is made above one that has this already; by default the target."""
    range: float = Field(default=9, ge=1, le=20)
    """How far the crf may be from that of the table, either way."""
    floor: float | None = Field(default=None, ge=0, le=99)
    """Of the largest rung, measured before it is published; the others may lose as much against what is expected of
    them."""

    @model_validator(mode="after")
    def _ordered(self) -> Quality:
        if self.target is None and self.floor is None:
            raise ValueError("it needs a target, a floor, or both")
        if self.target is None and self.ceiling is not None:
            raise ValueError("ceiling needs a target")
        if self.target is not None and self.floor is not None and self.floor >= self.target:
            raise ValueError(f"floor {self.floor:g} must be below target {self.target:g}")
        if self.target is not None and self.ceiling is not None and self.ceiling < self.target:
            raise ValueError(f"ceiling {self.ceiling:g} must not be below target {self.target:g}")
        return self
