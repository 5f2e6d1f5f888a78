"""The report's tables: the paper's with our rows beside them, and those of the run itself."""

from collections.abc import Mapping, Sequence

from eval.intervals import Interval
from eval.little_world_review import QUESTIONS
from eval.report.chains import Chain, Run, System
from eval.report.measures import between_runs, count_scored, difference, mean_score, on_axis, review_share
from eval.report.verdicts import part_of
from eval.superni import SUPERNI
from eval.tables import Cell, Table
from selfinstruct.paper_numbers import published
from selfinstruct.statistics import PAPER

Columns = Mapping[str, Chain]  # a seed's chain by the head of its column


def columns_of(runs: Sequence[Run]) -> Columns:
    """A column a seed; the seed is named where a run has several."""
    found = {}
    for run in runs:
        for chain in run.chains:
            found[run.name if len(run.chains) == 1 else f"{run.name}, seed {chain.seed}"] = chain
    return found


def superni_table(runs: Sequence[Run]) -> Table:
    """The paper's rows, and below them every system here that was scored on SuperNI's default track."""
    paper = published("superni")
    rows: list[tuple[Cell, ...]] = [
        (f"{row['system']} (paper)", row["size"], row["training"], None, float(row["rougeL"]))
        for row in paper.values
    ]
    notes = [f"Rows of the paper: {paper.source}; 119 tasks."]
    for run in runs:
        for name, system in run.systems.items():
            if system.benchmark["name"] == SUPERNI and system.benchmark["track"] == "default":
                label = f"{system.label} ({run.name})"
                rows.append((label, None, None, count_scored(run, name), mean_score(run, name)))
                if system.benchmark["partial"]:
                    notes.append(
                        f"{label}: partial, {part_of(system.benchmark)}; not to be compared with the paper's."
                    )
    if len(rows) == len(paper.values):
        notes.append("No system here was scored on SuperNI: no row of ours belongs beside these.")
    columns = ("system", "size", "instruction tuning", "instances", "ROUGE-L")
    return Table("Zero-shot ROUGE-L on SuperNI", columns, tuple(rows), tuple(notes))


def systems_table(run: Run) -> Table:
    """The systems of a run: means over seeds with intervals, and each seed where there are several."""
    systems = run.systems
    first = next(iter(systems.values()))
    several = len(run.chains) > 1
    seeds = tuple(f"seed {seed}" for seed in run.seeds) if several else ()
    rows: list[tuple[Cell, ...]] = []
    for name, system in systems.items():
        cells: tuple[Cell, ...]
        if several:
            cells = tuple(float(each.scores["rougeL"]["value"]) for each in run.each_seed(name))
        else:
            cells = tuple(Interval.of(system.scores[metric]) for metric in ("rouge1", "exact_match"))
        rows.append((system.label, count_scored(run, name), mean_score(run, name), *cells))
    over = "tasks and seeds together" if several else "tasks"
    note = (
        f"{_asked(first)}; means x100 with 95 % intervals by bootstrap over {over}"
        f"{f', seed {run.seeds[0]}' if len(run.seeds) == 1 else ''}."
    )
    columns = ("system", "instances", "ROUGE-L", *(seeds or ("ROUGE-1", "exact match")))
    return Table(f"{run.name}: systems on {first.benchmark['label']}", columns, tuple(rows), (note,))


def _asked(system: System) -> str:
    setting = system.metrics["setting"]
    if "prompt_style" not in setting:
        return "Predictions scored as given"
    shots = "Zero-shot but where examples are named" if not setting.get("num_examples") else "With examples"
    return (
        f"{shots}, prompt {setting['prompt_style']}, greedy, at most {setting['max_tokens']} tokens an answer"
    )


def differences_table(run: Run) -> Table | None:
    """The paired differences of a run's systems."""
    rows: list[tuple[Cell, ...]] = []
    for first, second in _measured_pairs(run):
        paired = difference(run, first, second)
        label = f"{run.systems[second].label} minus {run.systems[first].label}"
        counts = (paired.tasks_won, paired.tasks_lost, paired.tasks_tied)
        rows.append((label, paired, *counts))
    if not rows:
        return None
    note = "ROUGE-L x100, instance by instance; 95 % intervals by bootstrap over tasks (and seeds)."
    columns = ("", "difference", "tasks won", "lost", "tied")
    return Table(f"{run.name}: differences on the same instances", columns, tuple(rows), (note,))


def side_by_side_table(runs: Sequence[Run]) -> Table | None:
    """Systems of several runs in columns, of two with their difference; None without a common benchmark."""
    scored = [run for run in runs if run.systems]
    scored_on = {(s.benchmark["name"], s.benchmark["track"]) for run in scored for s in run.systems.values()}
    if len(scored) < 2 or len(scored_on) != 1:
        return None
    names = list(dict.fromkeys(name for run in scored for name in run.systems))
    rows: list[tuple[Cell, ...]] = []
    for name in names:
        label = next(run.systems[name].label for run in scored if name in run.systems)
        rows.append((label, *(mean_score(run, name) if name in run.systems else None for run in scored)))
    columns: tuple[str, ...] = ("system", *(run.name for run in scored))
    notes = ["ROUGE-L x100 with 95 % intervals; each run's other figures stand in the tables below."]
    labels = {run.name: next(iter(run.systems.values())).benchmark["label"] for run in scored}
    if len(set(labels.values())) > 1:
        notes.append(f"{'; '.join(f'{name}: {label}' for name, label in labels.items())}.")
    if len(scored) == 2:
        gaps = [between_runs(scored[0], scored[1], name) if _in_all(scored, name) else None for name in names]
        if any(gaps):
            columns += (f"{scored[1].name} minus {scored[0].name}",)
            rows = [(*row, gap) for row, gap in zip(rows, gaps, strict=True)]
        else:
            notes.append(_why_no_difference(*scored))
    ((benchmark, _),) = scored_on
    return Table(f"Runs side by side: ROUGE-L on {benchmark}", columns, tuple(rows), tuple(notes))


def _why_no_difference(first: Run, second: Run) -> str:
    if not first.systems.keys() & second.systems.keys():
        return "No system stands in both runs, so there is no difference to take."
    if len(first.chains) != len(second.chains):
        seeds = f"{len(first.chains)} and {len(second.chains)}"
        return f"The runs have different numbers of seeds ({seeds}), so no difference is taken."
    return "The runs were not scored on the same instances, so no difference is taken."


def _in_all(runs: Sequence[Run], name: str) -> bool:
    return all(name in run.systems for run in runs)


def differences_side_by_side_table(runs: Sequence[Run]) -> Table | None:
    """The paired differences of several runs in columns; None where no two runs share one."""
    pairs = list(dict.fromkeys(pair for run in runs for pair in _measured_pairs(run)))
    with_any = [run for run in runs if _measured_pairs(run)]
    if not any(sum(pair in _measured_pairs(run) for run in runs) > 1 for pair in pairs):
        return None
    rows: list[tuple[Cell, ...]] = []
    for first, second in pairs:
        having = [run for run in with_any if (first, second) in _measured_pairs(run)]
        found = [difference(run, first, second) if run in having else None for run in with_any]
        systems = having[0].systems
        rows.append((f"{systems[second].label} minus {systems[first].label}", *found))
    note = "ROUGE-L x100, instance by instance; 95 % intervals by bootstrap over tasks (and seeds)."
    columns = ("", *(run.name for run in with_any))
    return Table("Runs side by side: differences on the same instances", columns, tuple(rows), (note,))


def _measured_pairs(run: Run) -> list[tuple[str, str]]:
    return [pair for pair in run.differences if set(pair) <= run.systems.keys()]


def axis_table(run: Run) -> Table | None:
    """The systems on the experiment's axis, the smallest first, each with what the step before it gained."""
    names = on_axis(run)
    if len(names) < 2:
        return None
    several = len(run.chains) > 1
    rows: list[tuple[Cell, ...]] = []
    for before, name in zip([None, *names], names, strict=False):
        gained = difference(run, before, name) if before else None
        seeds = [float(each.scores["rougeL"]["value"]) for each in run.each_seed(name)] if several else []
        rows.append((f"{run.systems[name].x:,.0f}", mean_score(run, name), gained, *seeds))
    over = (
        "tasks and seeds, both drawn anew"
        if several
        else "tasks (one seed: what another would change is not in them)"
    )
    note = f"ROUGE-L x100; 95 % intervals by bootstrap over {over}."
    seed_columns = tuple(f"seed {seed}" for seed in run.seeds) if several else ()
    columns = (run.axis or "place", "ROUGE-L", "gained over the row above", *seed_columns)
    return Table(f"{run.name}: score by {run.axis or 'place'}", columns, tuple(rows), (note,))


def category_table(run: Run) -> Table | None:
    """ROUGE-L by category of the systems that the experiment shows (first seed)."""
    systems = [run.systems[name] for name in run.by_category if name in run.systems]
    if not systems:
        return None
    rows: list[tuple[Cell, ...]] = []
    for key in sorted({key for system in systems for key in system.metrics["categories"]}):
        groups = [system.metrics["categories"].get(key) for system in systems]
        found = next(group for group in groups if group)
        cells = [Interval.of(group["rougeL"]) if group else None for group in groups]
        rows.append((key.replace("_", " "), found["num_tasks"], *cells))
    columns = ("category", "tasks", *(system.label for system in systems))
    note = "95 % intervals over the few tasks of each category: wide, and to be read so."
    return Table(f"{run.name}: ROUGE-L by category{run.of_first_seed}", columns, tuple(rows), (note,))


_TABLE_1 = {
    "instructions": ("instructions", "count"),
    "of them classification": ("instructions", "classification"),
    "of them not": ("instructions", "other"),
    "instances": ("instances", "count"),
    "of them with empty input": ("instances", "empty_input"),
    "mean words of an instruction": ("instructions", "mean_words"),
    "mean words of a non-empty input": ("instances", "mean_words_input"),
    "mean words of an output": ("instances", "mean_words_output"),
    "with root verb and direct noun object": ("verb_objects", "with_pair"),
}


def statistics_table(runs: Sequence[Run]) -> Table | None:
    """The paper's Table 1, a column a seed."""
    columns = {name: chain for name, chain in columns_of(runs).items() if chain.statistics}
    if not columns:
        return None
    rows: list[tuple[Cell, ...]] = []
    for label, (part, key) in _TABLE_1.items():
        paper = PAPER[part][key]
        ours = [chain.statistics.get(part, {}).get(key) for chain in columns.values()]
        rows.append((label, int(paper) if paper > 100 else paper, *ours))
    nearest = [chain.statistics.get("nearest_seed", {}).get("mean") for chain in columns.values()]
    rows.append(
        ("mean highest ROUGE-L with a seed", None, *(f"{n:.2f}" if n is not None else None for n in nearest))
    )
    return Table(
        "Generated data",
        ("", "paper", *columns),
        tuple(rows),
        (f"The paper's: {published('statistics').source}; verbs: {published('verb_objects').source}.",),
    )


def quality_table(runs: Sequence[Run]) -> Table | None:
    """The paper's Table 2 beside the reviews of the runs, by the world's rules or by people."""
    reviewed = [run for run in runs if review_share(run, "valid_task")]
    rated = [run for run in runs if (run.first.ratings or {}).get("questions")]
    if not reviewed and not rated:
        return None
    rows: list[tuple[Cell, ...]] = []
    for key, (label, paper) in QUESTIONS.items():
        shares = [review_share(run, key) for run in reviewed]
        asked = [_rated(run, key) for run in rated]
        rows.append((label, float(paper), *(share[0] if share else None for share in shares), *asked))
    counts = ", ".join(f"{run.name} {share[1]:,}" for run in reviewed if (share := review_share(run, key)))
    notes = [f"Per cent; the paper's: {published('quality_review').source}, 200 instructions, by an expert."]
    if counts:
        notes.append(f"Judged by the rules of the embedded model's world: {counts} instructions.")
    names = (*(run.name for run in reviewed), *(f"{run.name}, by people" for run in rated))
    return Table("Quality of the generated data", ("", "paper", *names), tuple(rows), tuple(notes))


def _rated(run: Run, key: str) -> Interval | None:
    questions = (run.first.ratings or {})["questions"]
    found = questions.get("all_three" if key == "all_fields_valid" else key)
    return Interval.of(found) if found else None


def overlap_table(runs: Sequence[Run]) -> Table | None:
    """How near the evaluation tasks are to the generated instructions and to the seeds."""
    paper = published("evaluation_overlap")
    rows: list[tuple[Cell, ...]] = [
        ("SuperNI (paper)", None, None, None, f"{paper.values['seeds_mean_nearest_superni']}"),
        ("user-oriented (paper)", None, None, None, f"{paper.values['seeds_mean_nearest_user_oriented']}"),
    ]
    for name, chain in columns_of(runs).items():
        for found in chain.statistics.get("leaks") or ():
            nearest = (f"{found[key]:.2f}" for key in ("mean_nearest", "seeds_mean_nearest"))
            rows.append((f"{found['evaluation']} ({name})", found["tasks"], found["leaks"], *nearest))
    if len(rows) == 2:
        return None
    notes = (
        "Leaks: generated instructions with ROUGE-L of 0.7 or more with an evaluation task. Nearest: mean "
        f"highest ROUGE-L with one. The paper's: {paper.source}.",
    )
    columns = ("evaluation", "tasks", "leaks", "nearest, generated", "nearest, seeds")
    return Table("Nearness to evaluation tasks", columns, tuple(rows), notes)


_FUNNEL = {
    "candidates": "candidates the model wrote",
    "passed_filters": "passed the filters of form",
    "novel": "novel enough: accepted",
    "asked_for_instances": "asked for instances",
    "with_instances": "with at least one instance",
}


def funnel_table(runs: Sequence[Run]) -> Table | None:
    """From candidates to tasks, then the rejected texts by reason."""
    columns = {name: chain for name, chain in columns_of(runs).items() if chain.statistics.get("funnel")}
    if not columns:
        return None
    parts = [chain.statistics for chain in columns.values()]
    rows: list[tuple[Cell, ...]] = [
        (label, *(part["funnel"].get(key) for part in parts)) for key, label in _FUNNEL.items()
    ]
    reasons = dict.fromkeys(
        (stage, reason)
        for part in parts
        for stage, found in part.get("rejected", {}).items()
        for reason in found
    )
    for stage, reason in reasons:
        label = f"rejected ({stage.replace('_', ' ')}): {reason.replace('_', ' ')}"
        rows.append((label, *(part.get("rejected", {}).get(stage, {}).get(reason, 0) for part in parts)))
    return Table("From candidates to tasks", ("", *columns), tuple(rows))
