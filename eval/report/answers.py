"""Answers side by side: of several systems to one prompt, and outputs before and after regeneration."""

from collections import Counter
from collections.abc import Mapping, Sequence

from eval.report.blocks import Answers, Browser
from eval.report.chains import GENERATE, Run, Step, System, slug_of
from eval.report.files import read_lines
from eval.report.samples import cut, spread
from eval.scoring import VARIANTS
from selfinstruct import jsonl
from selfinstruct.regeneration import REGENERATED

_LONGEST_ANSWER = 240  # characters; a longer one is cut


def prediction_browsers(runs: Sequence[Run], most: int) -> list[Browser]:
    """A list for each benchmark: what the systems scored on it answered to the instances all of them have."""
    by_benchmark: dict[str, dict[str, System]] = {}
    scored = [run for run in runs if run.systems]
    for run in scored:
        for system in run.systems.values():
            if (system.step.path / "predictions.jsonl").exists():
                label = system.label if len(scored) == 1 else f"{run.name}: {system.label}"
                by_benchmark.setdefault(system.benchmark["label"], {})[label] = system
    return [_predictions(label, systems, most) for label, systems in by_benchmark.items()]


def _predictions(benchmark: str, systems: Mapping[str, System], most: int) -> Browser:
    of_systems = list(systems.values())
    predictions = [_by_id(s.step, "predictions.jsonl", "prediction") for s in of_systems]
    scores = [_by_id(s.step, "scores.jsonl", f"{s.variant}.rougeL", "task") for s in of_systems]
    shared = [key for key in scores[0] if all(key in each for each in (*scores, *predictions))]
    samples = []
    for key in _in_turn({key: str(scores[0][key]["task"]) for key in shared})[:most]:
        asked, placed = predictions[0][key], scores[0][key]
        instance = asked.get("Instance") or {}
        answers = tuple(
            (_answer(of, str(p[key]["prediction"])), float(s[key][of.variant]["rougeL"]))
            for of, p, s in zip(of_systems, predictions, scores, strict=True)
        )
        references = tuple(cut(str(text), _LONGEST_ANSWER) for text in instance.get("output", ()))
        text = cut(str(asked.get("prompt") or instance.get("input") or key))
        facets = (str(placed.get("category", "")).replace("_", " "), str(placed["task"]))
        samples.append(Answers(text, facets, references, answers))
    title, name = f"Answers side by side: {benchmark}", f"answers-{slug_of(benchmark)}"
    note = "The prompt, the right answer, and what two systems answered, each with its ROUGE-L (first seed)."
    facets = ("category", "task")
    return Browser(name, title, tuple(samples), len(shared), facets, tuple(systems), note)


def _answer(system: System, prediction: str) -> str:
    """The text that was scored: the prediction, or what the system's variant leaves of it."""
    shorten = VARIANTS.get(system.variant, str)
    return cut(shorten(prediction).strip(), _LONGEST_ANSWER)


def _in_turn(tasks: Mapping[str, str]) -> list[str]:
    """The instances, one of each task in turn: the first of the list show what there is."""
    seen: Counter[str] = Counter()
    rounds = {}
    for key, task in tasks.items():
        rounds[key] = seen[task]
        seen[task] += 1
    return sorted(rounds, key=lambda key: rounds[key])


def regeneration_browser(run: Run, most: int) -> Browser | None:
    """The outputs of the first seed's instances as they were and as a stronger model wrote them anew."""
    steps = [step for step in run.first.of(GENERATE) if (step.path / REGENERATED).exists()]
    if not steps:
        return None
    fields = ("instruction", "input", "output", "original_output")
    records = read_lines(steps[0].path / REGENERATED, *fields)
    samples = tuple(_before_and_after(record) for record in spread(records, most))
    title = f"{run.name}: outputs before and after regeneration"
    systems = ("the original output", "the regenerated output")
    return Browser(f"regenerated-{run.slug}", title, samples, len(records), ("output",), systems)


def _before_and_after(record: jsonl.Record) -> Answers:
    before, after = record["original_output"], record["output"]
    text = f"{record['instruction']}\n\n{record['input']}".strip()
    is_changed = before.strip() != after.strip()
    answers = tuple((cut(each.strip(), _LONGEST_ANSWER), None) for each in (before, after))
    return Answers(cut(text), ("changed" if is_changed else "the same",), (), answers)


def _by_id(step: Step, name: str, *fields: str) -> dict[str, jsonl.Record]:
    return {str(record["id"]): record for record in read_lines(step.path / name, "id", *fields)}
