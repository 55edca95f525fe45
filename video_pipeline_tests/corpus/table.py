"""The table of the corpus, as Markdown and as lines of JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Row:
    clip: str
    special: str
    became: str
    """What was published, or the words of the refusal."""
    published: bool
    measured: list[str]
    wrong: list[str]
    seconds: float
    megabytes: float

    def markdown(self) -> str:
        became = self.became if self.published else f"refused: {self.became}"
        verdict = "; ".join(self.wrong) or "OK"
        measured = ", ".join(part for part in self.measured if part)
        cells = (self.clip, self.special, became, measured, verdict, f"{self.seconds:.1f}", f"{self.megabytes:.0f}")
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    def save(self, path: Path) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(self)) + "\n")


HEAD = "| clip | special | published or refused | measured | verdict | s | MB |\n|---|---|---|---|---|---:|---:|"


def read(path: Path) -> list[Row]:
    return [Row(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def summary(rows: list[Row]) -> str:
    published = sum(row.published for row in rows)
    good = sum(not row.wrong for row in rows)
    worst = max(rows, key=lambda row: row.megabytes, default=None)
    most = f"; most memory {worst.megabytes:.0f} MB ({worst.clip})" if worst else ""
    bad, seconds = len(rows) - good, sum(row.seconds for row in rows)
    became = f"{published} published, {len(rows) - published} refused"
    return f"{len(rows)} clips: {became}; {good} OK, {bad} not; {seconds:.0f} s{most}"
