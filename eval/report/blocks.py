"""What a report is made of: sections of blocks, which page.py shows as HTML and as Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from eval.report.claims import Claim
from eval.report.outcomes import Outcome
from eval.tables import Table


@dataclass(frozen=True)
class Text:
    """A paragraph, without markup."""

    text: str
    kind: str = "text"


@dataclass(frozen=True)
class TableBlock:
    """A table; `stem` names its files under tables/; `is_folded` ones open on a click."""

    table: Table
    stem: str
    is_folded: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A figure that lies under figures/ as PNG and SVG; `caption` says what one sees in it."""

    stem: str
    caption: str
    kind: str = "figure"


@dataclass(frozen=True)
class Commands:
    """Command lines to be pasted into a shell in the repository's folder."""

    title: str
    lines: tuple[str, ...]
    is_folded: bool = False
    kind: str = "commands"


@dataclass(frozen=True)
class ClaimsBlock:
    """Each claim with what the runs show of it, as (whose, outcome); where none does, one row says so."""

    claims: tuple[tuple[Claim, tuple[tuple[str, Outcome], ...]], ...]
    has_several: bool  # runs
    kind: str = "claims"


@dataclass(frozen=True)
class Headline:
    """The box at the top: the main figures large, (heading, its sentences) three times, verdicts counted.

    Attributes:
        numbers: (whose, the figures, of what) of the paper and of each run.
    """

    numbers: tuple[tuple[str, str, str], ...]
    boxes: tuple[tuple[str, tuple[str, ...]], ...]
    counts: tuple[tuple[str, int], ...]
    kind: str = "headline"


@dataclass(frozen=True)
class Sample:
    """A generated text to look at.

    Attributes:
        flags: what the list can be narrowed to, each shown as a mark.
        instances: (input, output, mark) of each.
        nearest: the most similar text, and its ROUGE-L (0 to 1).
    """

    text: str
    flags: tuple[str, ...] = ()
    instances: tuple[tuple[str, str, str], ...] = ()
    nearest: tuple[str, float] | None = None


@dataclass(frozen=True)
class Browser:
    """A list of samples that can be searched; `total` is how many there are in the run."""

    name: str
    title: str
    samples: tuple[Sample, ...]
    total: int
    flags: tuple[str, ...] = ()
    kind: str = "browser"


Block = Text | TableBlock | Figure | Commands | ClaimsBlock | Headline | Browser


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    key: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Report:
    """All of it.

    Attributes:
        figures: the SVG text of each figure by its stem.
    """

    title: str
    subtitle: str
    sections: Sequence[Section]
    figures: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> list[TableBlock]:
        blocks = [block for section in self.sections for block in section.blocks]
        return [block for block in blocks if isinstance(block, TableBlock)]
