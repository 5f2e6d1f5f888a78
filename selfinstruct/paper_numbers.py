"""The paper's numbers, each with the place it stands in and how certain it is: `paper_numbers.yaml`.

python -c "from selfinstruct.paper_numbers import published; print(published('quality_review'))"
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PAPER_NUMBERS = Path(__file__).with_suffix(".yaml")
CERTAINTIES = ("certain", "high", "unknown")


@dataclass(frozen=True)
class Published:
    """A group of numbers that stand in one place of the paper.

    Attributes:
        where: table or section.
        version: of the paper that has them: "v1, v2", or "v2" alone.
        certainty: "certain", "high", or "unknown" (the values are null).
        values: a number by its name, or a list of records (SuperNI's rows).
    """

    where: str
    version: str
    certainty: str
    values: Any

    @property
    def source(self) -> str:
        """Place, version and certainty in a few words, for a table's note."""
        return f"{self.where} ({self.version}; certainty of the figures: {self.certainty})"


def published(group: str) -> Published:
    """The numbers of a group.

    Raises:
        KeyError: there is no such group.
    """
    return _groups()[group]


@cache
def _groups() -> dict[str, Published]:
    groups = yaml.safe_load(PAPER_NUMBERS.read_text(encoding="utf-8"))
    return {name: Published(**group) for name, group in groups.items()}
