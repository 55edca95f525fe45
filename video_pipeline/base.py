"""The base of every model: frozen, strict about unknown fields, and the same after a trip through JSON."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer


def _rational(value: object) -> Fraction:
    try:
        return value if isinstance(value, Fraction) else Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise ValueError("must be a number or a ratio such as 30000/1001") from None


Rational = Annotated[
    Fraction,
    BeforeValidator(_rational),
    PlainSerializer(lambda value: f"{value.numerator}/{value.denominator}", return_type=str),
]
"""A time or a rate without rounding; in JSON "num/den"."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
