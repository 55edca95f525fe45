"""What was measured of one clip, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Findings:
    measured: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def expect(self, good: bool, measured: str, wrong: str = "") -> None:
        """Takes down a measure, as a fault unless it is good."""
        if good:
            self.measured.append(measured)
        else:
            self.wrong.append(wrong or measured)
