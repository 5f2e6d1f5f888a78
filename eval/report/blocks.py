"""What a report is made of: sections of blocks, which page.py shows as HTML and as Markdown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

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
    num_claims: int
    kind: str = "headline"


class Pair(NamedTuple):
    """An instance: input, output, "right" or "wrong" where that is known, and why it is wrong."""

    input: str
    output: str
    mark: str = ""
    why: str = ""


@dataclass(frozen=True)
class Sample:
    """A generated text to look at.

    Attributes:
        id: names it in the page of all of the run's.
        place: its place in the run.
        facets: its value of each of the list's facets ("" where it has none).
        flags: marks shown behind the text.
        why: what is wrong with it, in words.
        nearest: the most similar text, and its ROUGE-L (0 to 1).
        nearest_id: of that text, where it is an accepted one of the same run.
    """

    text: str
    id: str
    place: int
    facets: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    why: str = ""
    instances: tuple[Pair, ...] = ()
    nearest: tuple[str, float] | None = None
    nearest_id: str = ""


class Answer(NamedTuple):
    """A system's answer.

    Attributes:
        score: ROUGE-L, 0 to 100; None where nobody knows the right answer.
        asked: the prompt: 0 is the entry's text, 1 the first of its other `prompts`.
    """

    text: str
    score: float | None
    asked: int = 0


@dataclass(frozen=True)
class Answers:
    """What several systems answered to one instance.

    Attributes:
        text: the prompt that the first system was asked with.
        id, place, facets: as of a `Sample`.
        references: the right answers; empty where nobody knows them.
        answers: of each of the list's systems.
        prompts: those that other systems were asked with, where they differ.
    """

    text: str
    id: str
    place: int
    facets: tuple[str, ...]
    references: tuple[str, ...]
    answers: tuple[Answer, ...]
    prompts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Browser:
    """A list that can be searched, narrowed and sorted; `total` is how many there are in the run.

    Attributes:
        whole: the file with the page of all of them, and `of` its name there; "" where there is none.
        facets: what it can be narrowed by; each sample has a value of each.
        systems: whose answers stand side by side; empty for a list of texts.
        note: what one sees, in a sentence.
    """

    name: str
    title: str
    samples: tuple[Sample, ...] | tuple[Answers, ...]
    total: int
    facets: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    note: str = ""
    whole: str = ""
    of: str = ""
    kind: str = "browser"

    @property
    def choices(self) -> tuple[tuple[str, tuple[tuple[str, int], ...]], ...]:
        """(facet, its values with how many samples have each), of the facets that tell samples apart."""
        found = []
        for position, facet in enumerate(self.facets):
            counts = Counter(sample.facets[position] for sample in self.samples)
            counts.pop("", None)
            if counts and (len(counts) > 1 or counts.total() < len(self.samples)):
                found.append((facet, tuple(counts.items())))
        return tuple(found)

    @property
    def has_nearest(self) -> bool:
        return any(isinstance(sample, Sample) and sample.nearest for sample in self.samples)

    @property
    def shown_first_systems(self) -> tuple[int, int]:
        """Which two stand side by side at first: the untuned model and self-instruct where both are there."""
        found = [
            i for i, name in enumerate(self.systems) if name.split(": ")[-1] in ("vanilla", "self-instruct")
        ]
        return (found[0], found[1]) if len(found) > 1 else (0, min(1, len(self.systems) - 1))

    @property
    def is_scored(self) -> bool:
        samples = (sample for sample in self.samples if isinstance(sample, Answers))
        return any(answer.score is not None for sample in samples for answer in sample.answers)


Block = Text | TableBlock | Figure | Commands | ClaimsBlock | Headline | Browser


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it."""

    key: str
    title: str
    blocks: list[Block]


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
