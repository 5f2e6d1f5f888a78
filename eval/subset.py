"""Which tasks of a benchmark are wanted: by name, glob or category.

python scripts/eval_superni.py superni_dir=natural-instructions 'tasks=[task1393*]'
"""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from selfinstruct.errors import UserError

if TYPE_CHECKING:
    from eval.superni_tasks import Sample

# Tk-Instruct's code and older clones still have the name from before; the split's wins.
RENAMED = {"task121_zest_question_rewriting": "task121_zest_text_modification"}


def official_name(name: str) -> str:
    """A task's name in the current split."""
    return RENAMED.get(name, name)


@dataclass(frozen=True)
class Subset:
    """Which tasks of a split are wanted: by name or glob, and by category; of what is empty, all."""

    tasks: Sequence[str] = ()
    categories: Sequence[str] = ()

    def of_names(self, names: list[str], where: str) -> list[str]:
        """The wanted ones of a split's tasks, in its order.

        Raises:
            UserError: a pattern that is no task's.
        """
        patterns = [RENAMED.get(pattern, pattern) for pattern in self.tasks]
        for pattern in patterns:
            if not any(fnmatchcase(official_name(name), pattern) for name in names):
                near = get_close_matches(pattern, names, n=1, cutoff=0.4)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise UserError(f"tasks: {pattern!r} is none of the {len(names)} tasks of {where}{hint}")
        wanted = [name for name in names if any(fnmatchcase(official_name(name), p) for p in patterns)]
        return wanted if patterns else names

    def of_samples(self, samples: list["Sample"]) -> list["Sample"]:
        """The samples of the wanted categories.

        Raises:
            UserError: a category that no task has.
        """
        there = sorted({sample.category_key for sample in samples})
        wanted = ["_".join(name.lower().replace("_", " ").split()) for name in self.categories]
        if unknown := [name for name in wanted if name not in there]:
            raise UserError(
                f"categories: {unknown[0]!r} is no category of these tasks; there are {', '.join(there)}"
            )
        return [sample for sample in samples if not wanted or sample.category_key in wanted]

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.tasks and not self.categories

    def as_json(self) -> dict[str, Any]:
        """The keys that chose it."""
        return {"tasks": list(self.tasks), "categories": list(self.categories)}


WHOLE = Subset()
