"""A benchmark in any folder of the natural-instructions format: which of its tasks are there, their samples.

python scripts/eval_superni.py superni_dir=natural-instructions predictions=predictions.jsonl
"""

import hashlib
from collections import Counter
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from eval.subset import RENAMED, WHOLE, Subset, official_name
from eval.superni_tasks import OFFICIAL_INSTANCES, Sample, read_split, read_task
from selfinstruct.errors import UserError
from selfinstruct.settings import digest

TRACKS = ("default", "xlingual")
SUPERNI = "SuperNI"
# A few official test tasks have fewer than 100 instances, and their sum is nowhere fixed; where they have
# fewer than so many on average, task files were cut short.
_LEAST_MEAN_INSTANCES = 95
UNNAMED = "unnamed benchmark in the natural-instructions format"

# First 16 hex digits of the sha256 of each official test task's name: enough to tell an official task from
# another, and no copy of the list.
OFFICIAL_TASKS = {
    "default": Path(__file__).parent / "data" / "superni" / "task_digests.txt",
    "xlingual": Path(__file__).parent / "data" / "superni" / "task_digests_xlingual.txt",
}


@dataclass
class BenchmarkConfig:
    """The `benchmark` group of the configs: the name that stands on results, and the folder it belongs to."""

    name: str
    dir: Path | None


@dataclass(frozen=True)
class Benchmark:
    """The samples of a benchmark, and how much of it was found.

    Attributes:
        tasks_of: tasks of the whole benchmark: 119 for SuperNI whatever the folder's split file says.
        tasks_found: how many of them are there.
        other_tasks: scored tasks of the split file that are no official tasks (old drafts of SuperNI).
        missing_tasks: tasks of the split file without a task file.
        instances_of: instances of the whole benchmark, where all its tasks are there; for SuperNI the most
            there may be, if so many are missing that files must have been cut short.
        left_out: ids of instances that lie behind `max_instances_per_task`, of the test set or not.
    """

    name: str
    track: str
    tasks_of: int
    tasks_found: int
    other_tasks: int
    missing_tasks: tuple[str, ...]
    max_instances_per_task: int
    samples: tuple[Sample, ...]
    instances_of: int
    left_out: frozenset[str] = frozenset()
    subset: Subset = WHOLE

    @property
    def part(self) -> str | None:
        """How much of the whole is there; None where all is."""
        if self.tasks_found < self.tasks_of:
            return f"{self.tasks_found} of {self.tasks_of} tasks"
        if len(self.samples) < self.instances_of:
            most = "up to " if self.name == SUPERNI else ""
            return f"{len(self.samples):,} of {most}{self.instances_of:,} instances"
        return None

    @property
    def num_short_tasks(self) -> int:
        """How many tasks have fewer instances than are asked for."""
        counts = Counter(sample.task for sample in self.samples)
        return sum(number < self.max_instances_per_task for number in counts.values())

    @property
    def partial(self) -> bool:
        """Whether tasks or instances are missing, or (SuperNI) more are taken than the official ones."""
        return self.part is not None or self._other_size

    @property
    def _other_size(self) -> bool:
        if self.name == SUPERNI:
            return self.max_instances_per_task != OFFICIAL_INSTANCES
        return len(self.samples) < self.instances_of

    @property
    def label(self) -> str:
        """The name as it stands on every table: a part of the benchmark is never shown as the whole."""
        return self.label_of(len(self.samples))

    def label_of(self, predicted: int) -> str:
        """The label of results where only so many instances have a prediction: a part as well."""
        notes = [f"{self.track} track"] if self.track != "default" else []
        if part := self._part_of(predicted):
            notes.append(f"partial, {part}")
        if self._other_size:
            notes.append(f"first {counted(self.max_instances_per_task, 'instance')} of each")
        if self.other_tasks:
            notes.append(f"and {counted(self.other_tasks, 'task')} not in the official test split")
        return f"{self.name} ({', '.join(notes)})" if notes else self.name

    def _part_of(self, predicted: int) -> str:
        parts = [self.part] if self.part else []
        if predicted < len(self.samples):
            parts.append(predicted_part(predicted, len(self.samples)))
        return ", ".join(parts)

    @property
    def found(self) -> str:
        """What was found, in a few lines for a terminal."""
        num_tasks = len({sample.task for sample in self.samples})
        lines = [f"{self.label}: {counted(num_tasks, 'task')}, {counted(len(self.samples), 'instance')}"]
        if not self.subset.is_whole:
            lines.append(f"chosen by {self.subset.words}")
        # Where the tasks are shorter by design (ours), nothing is wrong.
        if self.name == SUPERNI and (short := self.num_short_tasks):
            have = "has" if short == 1 else "have"
            limit = self.max_instances_per_task
            lines.append(f"{counted(short, 'task')} {have} fewer than {limit} instances")
        if self.missing_tasks:
            first = ", ".join(self.missing_tasks[:3])
            more = f" and {len(self.missing_tasks) - 3} more" if len(self.missing_tasks) > 3 else ""
            missing = counted(len(self.missing_tasks), "task")
            have = "has" if len(self.missing_tasks) == 1 else "have"
            lines.append(f"{missing} of the split {have} no task file: {first}{more}")
        if self.name == SUPERNI and self.other_tasks:
            lines.append(
                f"not official test tasks: {self.other_tasks} of the split; this clone is not "
                "the release that results are compared on (an old draft had 33 test tasks); get that"
            )
        return "\n".join(lines)

    @property
    def fingerprint(self) -> str:
        """sha256 of everything that prompts and scores are made of."""
        return digest([self.name, self.tasks_of, [astuple(sample) for sample in self.samples]])

    def as_json(self, predicted: int | None = None) -> dict[str, Any]:
        """What was found, as metrics.json holds it; `predicted`: how many instances have a prediction."""
        num_predicted = len(self.samples) if predicted is None else predicted
        has_all, part = num_predicted == len(self.samples), self._part_of(num_predicted)
        return {
            "name": self.name,
            "label": self.label_of(num_predicted),
            "partial": self.partial or not has_all,
            "tasks_found": self.tasks_found,
            "tasks_of": self.tasks_of,
            "other_tasks": self.other_tasks,
            "missing_tasks": list(self.missing_tasks),
            "track": self.track,
            "max_instances_per_task": self.max_instances_per_task,
            "instances": len(self.samples),
            **({"short_tasks": self.num_short_tasks} if self.name == SUPERNI else {}),
            **({"part": part} if part else {}),
            **({} if has_all else {"predicted": num_predicted}),
            **({} if self.subset.is_whole else {"subset": self.subset.as_json()}),
        }


def predicted_part(predicted: int, instances: int) -> str:
    """What stands on results that lack predictions."""
    return f"{predicted:,} of {instances:,} instances predicted"


def counted(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def check_track(track: str) -> None:
    """UserError unless it is one of SuperNI's tracks."""
    if track not in TRACKS:
        raise UserError(f"track: {track!r} cannot be scored; choose from {', '.join(TRACKS)}")


def load_benchmark(
    config: BenchmarkConfig,
    superni_dir: Path | None,
    track: str,
    max_instances_per_task: int,
    num_examples: int = 0,
    subset: Subset = WHOLE,
) -> Benchmark:
    """Read the first `max_instances_per_task` instances of every test task that is there and in the `subset`.

    `superni_dir` wins over the configured folder. Tasks come in the order of the split file. Samples carry
    the task's first `num_examples` positive examples.

    Raises:
        UserError: no folder, no split file or no task; a broken file as `file: field: reason`.
    """
    check_track(track)
    if max_instances_per_task < 1:
        raise UserError(f"max_instances_per_task: {max_instances_per_task} must be at least 1")
    folder = superni_dir or config.dir
    if folder is None:
        raise UserError("superni_dir is missing; give a clone of natural-instructions (superni_dir=FOLDER)")
    split = read_split(folder, track)
    names = subset.of_names(split, f"{folder / 'splits' / track / 'test_tasks.txt'}")
    found = [name for name in names if task_file(folder, name).is_file()]
    if not found:
        first = folder / "tasks" / f"{names[0]}.json"
        raise UserError(f"{folder}: none of the {len(names)} tasks of its split is there (no {first})")
    files = [
        read_task(task_file(folder, name), name, track, max_instances_per_task, num_examples)
        for name in found
    ]
    samples = subset.of_samples([sample for file in files for sample in file.samples])
    left_out = [key for file in files for key in file.left_out]
    found = list(dict.fromkeys(sample.task for sample in samples))
    _refuse_repeated_ids(samples, folder)
    name, official = _identity(config, folder, split, track)
    return Benchmark(
        name=name,
        track=track,
        tasks_of=len(official_digests(track)) if name == SUPERNI else len(split),
        tasks_found=sum(task in official for task in found),
        other_tasks=sum(task not in official for task in found),
        missing_tasks=tuple(task for task in names if not task_file(folder, task).is_file()),
        max_instances_per_task=max_instances_per_task,
        samples=tuple(samples),
        instances_of=_instances_of(
            name, len(found), len(samples), max_instances_per_task, sum(f.num_left_out_of_test for f in files)
        ),
        left_out=frozenset(left_out),
        subset=subset,
    )


def _instances_of(name: str, tasks: int, instances: int, max_instances: int, left_out_of_test: int) -> int:
    if name != SUPERNI:
        return instances + left_out_of_test
    asked = tasks * min(max_instances, OFFICIAL_INSTANCES)
    were_cut = instances < asked * _LEAST_MEAN_INSTANCES / OFFICIAL_INSTANCES
    return asked if were_cut else instances


def task_file(folder: Path, name: str) -> Path:
    """Where a task is: under its name, or where only that is there, under the one it had before."""
    path = folder / "tasks" / f"{name}.json"
    before = next((old for old, new in RENAMED.items() if new == name), None)
    if before is not None and not path.is_file():
        renamed = folder / "tasks" / f"{before}.json"
        return renamed if renamed.is_file() else path
    return path


def _identity(config: BenchmarkConfig, folder: Path, names: list[str], track: str) -> tuple[str, set[str]]:
    # The name follows the tasks, not the key the folder was given by: only official tasks are SuperNI.
    official = {name for name in names if _name_digest(official_name(name)) in official_digests(track)}
    if official:
        return SUPERNI, official
    is_configured = config.dir is not None and config.dir.resolve() == folder.resolve()
    return (config.name if is_configured and config.name != SUPERNI else UNNAMED), set(names)


def official_digests(track: str = "default") -> frozenset[str]:
    """The digests of the official test tasks' names (119 of the default track, 35 of xlingual)."""
    return frozenset(OFFICIAL_TASKS[track].read_text(encoding="ascii").split())


def _name_digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _refuse_repeated_ids(samples: list[Sample], folder: Path) -> None:
    counts = Counter(sample.id for sample in samples)
    for sample in samples:
        if counts[sample.id] > 1:
            place = f"{folder / 'tasks' / sample.task}.json: Instances"
            tasks = sorted({other.task for other in samples if other.id == sample.id})
            reason = f"the id {sample.id!r} is used {counts[sample.id]} times (in {', '.join(tasks)})"
            raise UserError(f"{place}: {reason}; predictions are matched by it")
