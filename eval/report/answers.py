"""Answers side by side: of several systems to one prompt, and outputs before and after regeneration.

Read in full; the report holds a sample of them (`sampled_answers`), the page beside it (whole.py) all.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from eval.report.blocks import Answer, Answers, Browser
from eval.report.chains import GENERATE, USER_ORIENTED, Run, Step, System, slug_of
from eval.report.files import read_lines
from eval.report.samples import cut, spread
from eval.scoring import VARIANTS
from eval.user_oriented import PREDICTIONS
from selfinstruct import jsonl
from selfinstruct.regeneration import REGENERATED

_LONGEST_ANSWER = 240  # characters of an answer in the report; a longer one is cut


def answer_browsers(runs: Sequence[Run]) -> list[Browser]:
    """All lists in which answers stand side by side."""
    regenerated = [browser for run in runs if (browser := _regeneration(run, len(runs) > 1))]
    return [*_prediction_browsers(runs), *_user_oriented(runs), *regenerated]


def sampled_answers(browser: Browser, most: int, whole: str) -> Browser:
    """The same for the report: `most` of them, long texts cut."""
    # Of predictions the first are one of each task in turn.
    chosen = browser.samples[:most] if browser.is_scored else spread(browser.samples, most)
    samples = tuple(_shortened(each) for each in chosen if isinstance(each, Answers))
    return replace(browser, samples=samples, whole=whole)


def _shortened(sample: Answers) -> Answers:
    references = tuple(cut(text, _LONGEST_ANSWER) for text in sample.references)
    answers = tuple(each._replace(text=cut(each.text, _LONGEST_ANSWER)) for each in sample.answers)
    prompts = tuple(cut(text) for text in sample.prompts)
    return replace(sample, text=cut(sample.text), references=references, answers=answers, prompts=prompts)


def _prediction_browsers(runs: Sequence[Run]) -> list[Browser]:
    """A list for each benchmark: what the systems scored on it answered to the instances all of them have."""
    by_benchmark: dict[str, dict[str, System]] = {}
    scored = [run for run in runs if run.systems]
    for run in scored:
        for system in run.systems.values():
            if (system.step.path / "predictions.jsonl").exists():
                label = system.label if len(scored) == 1 else f"{run.name}: {system.label}"
                by_benchmark.setdefault(system.benchmark["label"], {})[label] = system
    return [_predictions(label, systems) for label, systems in by_benchmark.items()]


def _predictions(benchmark: str, systems: Mapping[str, System]) -> Browser:
    of_systems = list(systems.values())
    predictions = [_by_id(s.step, "predictions.jsonl", "prediction") for s in of_systems]
    scores = [_by_id(s.step, "scores.jsonl", f"{s.variant}.rougeL", "task") for s in of_systems]
    shared = [key for key in scores[0] if all(key in each for each in (*scores, *predictions))]
    places = {key: place for place, key in enumerate(shared)}
    samples = []
    for key in _in_turn({key: str(scores[0][key]["task"]) for key in shared}):
        placed, instance = scores[0][key], predictions[0][key].get("Instance") or {}
        given = [
            (_prompt(p[key]), _answer(of, str(p[key]["prediction"])), float(s[key][of.variant]["rougeL"]))
            for of, p, s in zip(of_systems, predictions, scores, strict=True)
        ]
        references = tuple(str(text) for text in instance.get("output", ()))
        facets = (str(placed.get("category", "")).replace("_", " "), str(placed["task"]))
        samples.append(_answers(key, places[key], facets, references, given))
    title, name = f"Answers side by side: {benchmark}", f"answers-{slug_of(benchmark)}"
    note = "The prompt, the right answer, and what two systems answered, each with its ROUGE-L (first seed)."
    facets = ("category", "task")
    of = slug_of(benchmark)
    return Browser(name, title, tuple(samples), len(shared), facets, tuple(systems), note, of=of)


def _prompt(prediction: jsonl.Record) -> str:
    """What was asked, as far as the file says it."""
    instance = prediction.get("Instance") or {}
    return str(prediction.get("prompt") or instance.get("input") or prediction["id"])


def _answers(
    name: str,
    place: int,
    facets: tuple[str, ...],
    references: tuple[str, ...],
    given: Sequence[tuple[str, str, float | None]],
) -> Answers:
    """The entry of an instance; `given` holds prompt, answer and score of each system."""
    prompts = list(dict.fromkeys(prompt for prompt, _, _ in given))
    answers = tuple(Answer(text, score, prompts.index(prompt)) for prompt, text, score in given)
    return Answers(prompts[0], name, place, facets, references, answers, tuple(prompts[1:]))


def _user_oriented(runs: Sequence[Run]) -> list[Browser]:
    """A list for each set of user-oriented tasks: what the systems answered, of the first seed."""
    by_set: dict[tuple[str, ...], dict[str, Step]] = {}
    asking = [run for run in runs if run.first.of(USER_ORIENTED)]
    for run in asking:
        for step in run.first.of(USER_ORIENTED):
            if (step.path / PREDICTIONS).exists():
                asked = tuple(sorted(_by_id(step, PREDICTIONS, "instruction", "response")))
                label = step.name if len(asking) == 1 else f"{run.name}: {step.name}"
                by_set.setdefault(asked, {})[label] = step
    return [_of_tasks(number, steps) for number, steps in enumerate(by_set.values(), start=1)]


def _of_tasks(number: int, steps: Mapping[str, Step]) -> Browser:
    predictions = [_by_id(step, PREDICTIONS, "instruction", "response") for step in steps.values()]
    scores = [_by_id(step, "scores.jsonl", "rougeL") for step in steps.values()]
    samples = []
    for place, (key, first) in enumerate(predictions[0].items()):
        given = [
            (_task_prompt(p[key]), str(p[key]["response"]).strip(), _score_of(s, key))
            for p, s in zip(predictions, scores, strict=True)
        ]
        facets = (str(first.get("motivation_app") or ""),)
        references = (str(first["target"]),) if first.get("target") else ()
        samples.append(_answers(key, place, facets, references, given))
    of = "user-oriented" if number == 1 else f"user-oriented-{number}"
    title = f"Answers side by side: user-oriented tasks{f' ({number})' if number > 1 else ''}"
    note = "The prompt, the answer its author wrote, and what two systems answered, each with its ROUGE-L."
    facets = ("application",)
    return Browser(f"answers-{of}", title, tuple(samples), len(samples), facets, tuple(steps), note, of=of)


def _score_of(scores: Mapping[str, jsonl.Record], key: str) -> float | None:
    return float(scores[key]["rougeL"]) if key in scores else None


def _task_prompt(line: jsonl.Record) -> str:
    """What was asked; of answers that were not asked for here, the task."""
    return str(line.get("prompt") or f"{line['instruction']}\n\n{line.get('input', '')}".strip())


def _answer(system: System, prediction: str) -> str:
    """The text that was scored: the prediction, or what the system's variant leaves of it."""
    shorten = VARIANTS.get(system.variant, str)
    return shorten(prediction).strip()


def _in_turn(tasks: Mapping[str, str]) -> list[str]:
    """The instances, one of each task in turn: the first of the list show what there is."""
    seen: Counter[str] = Counter()
    rounds = {}
    for key, task in tasks.items():
        rounds[key] = seen[task]
        seen[task] += 1
    return sorted(rounds, key=lambda key: rounds[key])


def _regeneration(run: Run, is_of_several: bool) -> Browser | None:
    """The outputs of the first seed's instances as they were and as a stronger model wrote them anew."""
    steps = [step for step in run.first.of(GENERATE) if (step.path / REGENERATED).exists()]
    if not steps:
        return None
    fields = ("instruction", "input", "output", "original_output")
    records = read_lines(steps[0].path / REGENERATED, *fields)
    of = f"regenerated-{run.slug}" if is_of_several else "regenerated"
    samples = tuple(
        _before_and_after(record, f"{of}-{place + 1}", place) for place, record in enumerate(records)
    )
    title = f"{run.name}: outputs before and after regeneration"
    systems = ("the original output", "the regenerated output")
    name = f"regenerated-{run.slug}"
    return Browser(name, title, samples, len(records), ("output",), systems, of=of)


def _before_and_after(record: jsonl.Record, name: str, place: int) -> Answers:
    before, after = record["original_output"], record["output"]
    text = f"{record['instruction']}\n\n{record['input']}".strip()
    is_changed = before.strip() != after.strip()
    answers = (Answer(before.strip(), None), Answer(after.strip(), None))
    return Answers(text, name, place, ("changed" if is_changed else "the same",), (), answers)


def _by_id(step: Step, name: str, *fields: str) -> dict[str, jsonl.Record]:
    return {str(record["id"]): record for record in read_lines(step.path / name, "id", *fields)}
