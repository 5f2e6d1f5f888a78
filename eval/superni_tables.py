"""The tables of systems on SuperNI or a benchmark like it: overall with variants, by category, compared.

python scripts/eval_superni.py run_dir=runs/eval   # writes table.md, table.tex and table.csv
"""

from collections.abc import Mapping, Sequence
from typing import Any

from eval.contamination_tables import contamination_tables
from eval.intervals import Interval
from eval.scoring import METRICS
from eval.superni import SUPERNI, predicted_part
from eval.tables import Cell, Table, comparison_table, systems_by_category_table
from selfinstruct.paper_numbers import published

# What metrics.json of one run holds.
Metrics = Mapping[str, Any]

_SCORES = ("ROUGE-L", "ROUGE-1", "exact match")
_COLUMNS = ("group", "tasks", "instances", *_SCORES)
# Categories that Tk-Instruct reads by exact match; the others by ROUGE-L.
_READ_BY_EXACT_MATCH = frozenset(
    "answerability_classification cause_effect_classification coreference_resolution "
    "dialogue_act_recognition textual_entailment word_analogy".split()
)
_LONGEST_EXAMPLE = 160  # characters of a text in a table


def superni_tables(metrics: Metrics) -> list[Table]:
    """The tables of one system: overall with variants and macro means, and per category."""
    label, overall = metrics["benchmark"]["label"], metrics["overall"]
    setting = setting_note(metrics)
    groups = [("overall (prediction unchanged)", overall)]
    groups += [(f"overall, {_words(name)}", group) for name, group in metrics["variants"].items()]
    for name, means in metrics["macro"].items():
        groups.append((f"mean over {name}", {**overall, **means, "n": overall["n"]}))
    categories = [(_category(metrics, key), group) for key, group in metrics["categories"].items()]
    notes = (setting, _STARS) if _is_superni(metrics) else (setting,)
    system = metrics["setting"]["system"]
    return [
        Table(f"{label}: overall", _COLUMNS, _score_rows(groups), (setting, counts_note(metrics))),
        *_beside_the_paper({system: metrics}, metrics["setting"], (setting,)),
        Table(f"{label}: by category", _COLUMNS, _score_rows(categories), notes),
        *_contamination(metrics, {system: metrics}),
    ]


def compared_tables(metrics: Metrics) -> list[Table]:
    """The tables of several systems: scores, the paper's, differences, categories, worst losses."""
    systems: Mapping[str, Metrics] = metrics["systems"]
    label, setting = metrics["benchmark"]["label"], setting_note(metrics)
    rows: list[tuple[Cell, ...]] = []
    for name, found in systems.items():
        groups = {
            name: found["overall"],
            f"{name}, first paragraph only": found["variants"]["first_paragraph"],
        }
        for row, group in groups.items():
            scores = (_cell(group[metric]) for metric in METRICS)
            rows.append((row, group["n"], found["counts"]["missing"], found["counts"]["stripped"], *scores))
    columns = ("system", "instances", "missing", "stripped", *_SCORES)
    return [
        Table(f"{label}: systems", columns, tuple(rows), (setting,)),
        *_beside_the_paper(systems, metrics["setting"], (setting,)),
        comparison_table(
            [_named_variant(each) for each in metrics["comparisons"]],
            f"{label}: differences on the same instances",
            "instances",
            (setting, "A missing prediction is scored as the empty text."),
        ),
        systems_by_category_table(systems, "ROUGE-L by category", notes=(setting,)),
        *(_worst_tasks_table(metrics, name) for name in metrics["worst_tasks"]),
        *_contamination(metrics, systems),
    ]


_STARS = "With * Tk-Instruct reads exact match, else ROUGE-L."


def _is_superni(metrics: Metrics) -> bool:
    return metrics["benchmark"]["name"] == SUPERNI and metrics["benchmark"]["track"] == "default"


def _category(metrics: Metrics, key: str) -> str:
    return f"{_words(key)} *" if _is_superni(metrics) and key in _READ_BY_EXACT_MATCH else _words(key)


def _beside_the_paper(
    systems: Mapping[str, Metrics], setting: Mapping[str, Any], notes: Sequence[str]
) -> list[Table]:
    """The paper's table with its published rows and ours below.

    None for another benchmark, nor where predictions are missing: those count as empty texts.
    """
    first = next(iter(systems.values()))
    if not _is_superni(first) or any("predicted" in each["benchmark"] for each in systems.values()):
        return []
    paper, benchmark = published("superni"), first["benchmark"]
    rows: list[tuple[Cell, ...]] = []
    asked = setting.get("asked", {setting["system"]: setting})
    training = {name: "adapter" for name, found in asked.items() if found.get("llm", {}).get("adapter")}
    for row in paper.values:
        rows.append((f"{row['system']} (paper)", row["size"], row["training"], None, float(row["rougeL"])))
    for name, metrics in systems.items():
        group = metrics["overall"]
        size = _size(asked.get(name, {}).get("num_parameters"))
        rows.append((name, size, training.get(name), group["n"], _cell(group["rougeL"])))
    sources = [f"Rows of the paper: {paper.source}, all {benchmark['tasks_of']} tasks."]
    if benchmark["partial"]:
        found = benchmark.get("part") or f"first {benchmark['max_instances_per_task']} instances of each task"
        sources.append(f"Ours is partial ({found}): not to be compared with the paper's.")
    if few := [name for name, found in asked.items() if found.get("num_examples")]:
        sources.append(f"The paper's rows are zero-shot, {', '.join(few)} not: not to be compared with them.")
    columns = ("system", "size", "instruction tuning", "instances", "ROUGE-L")
    title = f"{benchmark['label']}: ROUGE-L beside the paper's zero-shot rows"
    return [Table(title, columns, tuple(rows), (*notes, *sources))]


def _size(num_parameters: int | None) -> str | None:
    """A number of parameters as tables give it: 175B, 6.7B, 770M, 1.4M."""
    if num_parameters is None:
        return None
    unit, letter = (1e9, "B") if num_parameters >= 1e9 else (1e6, "M")
    return f"{num_parameters / unit:.{0 if num_parameters >= 10 * unit else 1}f}{letter}"


def _named_variant(comparison: Mapping[str, Any]) -> dict[str, Any]:
    metric, variant = comparison["metric"], comparison["variant"]
    return {**comparison, "metric": metric if variant == "raw" else f"{metric} of the {_words(variant)}"}


def _worst_tasks_table(metrics: Metrics, second: str) -> Table:
    first = next(iter(metrics["systems"]))
    rows: list[tuple[Cell, ...]] = []
    for found in metrics["worst_tasks"][second]:
        example = found["example"]
        shown = (example["input"], " / ".join(example["references"]), example["first"], example["second"])
        scores = (float(found["first"]), float(found["second"]), float(found["difference"]))
        rows.append((found["task"], found["n"], *scores, *map(_shortened, shown)))
    texts = ("input", "reference", f"{first} says", f"{second} says")
    return Table(
        f"{metrics['benchmark']['label']}: tasks that {second} lost to {first} by most",
        ("task", "instances", first, second, "difference", *texts),
        tuple(rows),
        (
            "ROUGE-L x100; each with the instance that fell most of those that both answered "
            "(differences.jsonl has all).",
        ),
        texts,
    )


def _shortened(text: str | None) -> Cell:
    if text is None:
        return None
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST_EXAMPLE else f"{plain[: _LONGEST_EXAMPLE - 1]}…"


def _contamination(metrics: Metrics, systems: Mapping[str, Metrics]) -> list[Table]:
    if "contamination" not in metrics:
        return []
    overall = {name: found["overall"] for name, found in systems.items()}
    return contamination_tables(metrics["contamination"], overall, metrics["benchmark"]["label"])


def _score_rows(groups: Sequence[tuple[str, Mapping[str, Any]]]) -> tuple[tuple[Cell, ...], ...]:
    rows: list[tuple[Cell, ...]] = []
    for name, group in groups:
        rows.append((name, group["num_tasks"], group["n"], *(_cell(group[metric]) for metric in METRICS)))
    return tuple(rows)


def setting_note(metrics: Metrics) -> str:
    """The setting in one line, for a table's head."""
    setting, benchmark = metrics["setting"], metrics["benchmark"]
    if "asked" in setting:  # by runs of ours, each in its own way
        systems = metrics.get("systems", {setting["system"]: metrics})
        each = [f"{name}: {_asked(found, systems[name])}" for name, found in setting["asked"].items()]
        asked = "; ".join(["predictions scored as given", *each])
    else:
        asked = _asked(setting, metrics)
    tasks = f"{benchmark['tasks_found']} of {benchmark['tasks_of']} tasks, {benchmark['track']} track"
    each_task = f"first {benchmark['max_instances_per_task']} instances of each"
    if short := benchmark.get("short_tasks"):
        each_task += f" ({short} {'has' if short == 1 else 'have'} fewer)"
    if "predicted" in benchmark:
        part = predicted_part(benchmark["predicted"], benchmark["instances"])
        by_all = " by every system" if "systems" in metrics else ""
        each_task += f", partial: {part}{by_all} (a missing prediction is scored as the empty text)"
    intervals = "95 % intervals by bootstrap over tasks (over instances where there is one task)"
    return f"System {setting['system']}; {asked}; {tasks}, {each_task}; {intervals}."


def _asked(setting: Mapping[str, Any], metrics: Metrics) -> str:
    if setting["mode"] == "score only":
        return "predictions scored as given"
    else:
        limit = f"at most {setting['max_tokens']} tokens an answer"
        shown = f"{setting['num_examples']} examples" if setting["num_examples"] else "zero-shot"
        by_number = metrics["counts"].get("examples_shown", {})
        fewer = {number: n for number, n in by_number.items() if int(number) < setting["num_examples"]}
        if fewer:
            places = " and ".join(f"{number} in {n}" for number, n in fewer.items())
            shown += f" (for want of room {places} of {sum(by_number.values())} prompts)"
        stops = [*setting["stop"], *(["the first blank line"] if setting.get("stop_at_paragraph") else [])]
        stopped = f", stopped at {' or '.join(map(repr, stops))}" if stops else ""
        chat = setting["prompt_style"] != "chat" and setting.get("llm", {}).get("chat")
        form = f"prompt {setting['prompt_style']}{' as a turn of a chat' if chat else ''}"
        return f"{shown}, {form}, greedy, {limit}{stopped}"


def counts_note(metrics: Metrics) -> str:
    """What a reader must know of the predictions, in one line."""
    counts = metrics["counts"]
    listed = ", ".join(f"{counts[name]} {name}" for name in ("missing", "empty", "truncated", "stripped"))
    reasons = ", ".join(f"{number} {reason}" for reason, number in counts["finish_reasons"].items())
    benchmark = metrics["benchmark"]
    others = "not among the chosen tasks" if "subset" in benchmark else "not in the benchmark"
    if counts["not_in_benchmark"]:
        listed += f", and {counts['not_in_benchmark']} ids that are {others} (left out)"
    if "behind_the_first" in counts:
        behind = f"behind the first {benchmark['max_instances_per_task']} of each task"
        listed += f", and {counts['behind_the_first']} of instances {behind} (left out)"
    if "definition_cut" in counts:
        listed += f", and {counts['definition_cut']} whose prompt held no input and not all of the definition"
    return f"Of {counts['instances']} predictions: {listed}; ended by: {reasons}."


def _cell(values: Mapping[str, float]) -> Cell:
    return Interval.of(values) if "low" in values else values["value"]


def _words(key: str) -> str:
    return key.replace("_", " ")
