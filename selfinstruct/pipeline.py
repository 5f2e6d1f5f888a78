"""Phase 1 as a whole: its stages one after the other in one run folder.

Command: `python scripts/generate.py run_dir=runs/mine`.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.classification import ClassificationStage, classification_file, read_classification
from selfinstruct.dataset_card import write_dataset_card
from selfinstruct.errors import RecordingUsedUp, StoppedEarly, UserError
from selfinstruct.exports import EXPORTS, REGENERATED_EXPORTS, push_to_hub, write_exports
from selfinstruct.figures import delete_figures, draw_figures
from selfinstruct.filters import FilterRules
from selfinstruct.finetuning_data import ALL_INSTANCES, build_finetuning_data
from selfinstruct.generation_config import ROUND, STAGES, GenerateConfig, name_of
from selfinstruct.instances import INSTANCES, InstanceStage
from selfinstruct.instruction_files import check_answers_belong
from selfinstruct.instructions import InstructionStage
from selfinstruct.leaks import read_evaluation_tasks
from selfinstruct.llm.base import LLM, LLMConfig, make_llm
from selfinstruct.llm.budget import Bill, Price
from selfinstruct.llm.response_log import LoggedLLM
from selfinstruct.markers import ENGLISH
from selfinstruct.progress import note
from selfinstruct.prompts import Prompts
from selfinstruct.regeneration import REGENERATED, RegenerationStage
from selfinstruct.released_prompts import load_prompts
from selfinstruct.run_forecast import cost_of_stages, forecast_of_run
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import digest, file_digest
from selfinstruct.statistics import Yardsticks, write_statistics
from selfinstruct.tasks import SeedTask, read_seed_tasks
from selfinstruct.verb_objects import open_reader

# What a folder of the released code holds: such a folder is continued.
RELEASED_FILES = (
    "machine_generated_*.jsonl",
    "is_clf_or_not*.jsonl",
    "all_instances_*.jsonl",
    "finetuning_data",
)
BATCH_SIZE = 16  # requests computed together where llm.batch_size does not say


def generate(config: GenerateConfig) -> None:
    """Run the stages asked for; each continues what the run folder already holds.

    Raises:
        UserError: bad input, or settings that differ from those the folder was made with.
        StoppedEarly: the loop stalls, or is interrupted.
    """
    if "regeneration" in config.stages:
        config.regeneration.check()
    seeds = read_seed_tasks(config.seed_tasks)
    prompts = load_prompts(config.prompts)
    filters = FilterRules.from_dict(config.filters)
    if config.dry_run:
        print(forecast_of_run(config, seeds, prompts))
        return
    yardsticks = Yardsticks(
        rules=config.rules,
        seeds=[seed.instruction for seed in seeds],
        tokenizer=config.tokenizer,
        evaluation=read_evaluation_tasks(config.statistics.evaluation_tasks),
        reader=open_reader(config.statistics.parser),
        price=config.price,
        other_prices={"regeneration": config.price_of_regeneration},
    )
    with open_run(config.run_dir, "generate", _as_json(config), adopts=RELEASED_FILES) as run:
        if config.llm.backend == "replay":
            _refuse_other_recording(config, prompts)
        bills: dict[str, Bill] = {}
        if asking := [stage for stage in STAGES[:3] if stage in config.stages]:
            answers = [classification_file(run.path), run.path / INSTANCES]
            check_answers_belong(run.path, [path for path in answers if path is not None])
            with _answering(config, config.llm, config.price, run, bills) as llm:
                for number, stage in enumerate(asking, start=1):
                    if llm.bill is not None:
                        llm.bill.later = cost_of_stages(asking[number:], config, seeds, prompts)
                    _ask(stage, run, config, seeds, prompts, filters, llm)
        if "finetuning_data" in config.stages:
            _finetuning_data(run, config, seeds)
        if "regeneration" in config.stages:
            price = config.price_of_regeneration
            with _answering(config, config.regeneration.model, price, run, bills) as llm:
                _regeneration(run, config, seeds, llm)
        _what_came_out(run, config, prompts, yardsticks, bills)


def _refuse_other_recording(config: GenerateConfig, prompts: Prompts) -> None:
    """Refuse to replay what was recorded with other seed tasks or prompts than this run's.

    Raises:
        UserError: the recording is a run folder of ours that says so.
    """
    assert config.llm.responses is not None
    try:
        manifest = json.loads((Path(config.llm.responses) / "manifest.json").read_text(encoding="utf-8"))
        recorded = manifest["steps"]["instructions"]["settings"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    ours = {"seed_tasks": file_digest(config.seed_tasks), "prompt": digest(repr(prompts.instructions))}
    keys = {"seed_tasks": "seed_tasks", "prompt": "prompts"}
    for name, value in ours.items():
        if recorded.get(name, value) != value:
            key = keys[name]
            reason = f"was recorded with other {key.replace('_', ' ')}; give {key}= as it was given there"
            raise UserError(f"llm.responses={config.llm.responses}: {reason}, or ask a model")


@contextmanager
def _answering(
    config: GenerateConfig, llm_config: LLMConfig, price: Price | None, run: RunFolder, bills: dict[str, Bill]
) -> Iterator[LLM]:
    """The model, with the run's response log and budget around it, for as long as it is needed.

    What it has used is put into `bills`, and said at once where the run stops.
    """
    # A chunk never waits for an answer that only a later chunk could give.
    llm = make_llm(replace(llm_config, batch_size=min(llm_config.batch_size or BATCH_SIZE, config.window)))
    prices = dict.fromkeys(STAGES[:3], config.price) | {"regeneration": config.price_of_regeneration}
    logged = LoggedLLM(llm, run.path / "response_log.jsonl", config.budget, price, prices)
    bills[name_of(llm_config)] = logged.bill
    try:
        yield logged
    except (StoppedEarly, KeyboardInterrupt):
        logged.close()  # answers on their way come in first: they are paid for
        if logged.bill.now.requests:
            note(f"{logged.bill}")
            run.log(f"{logged.bill}")
        raise
    finally:
        if run.is_written and logged.traffic:
            run.log(f"llm: {', '.join(f'{n} {what}' for what, n in logged.traffic.items())}")
        logged.close()


def _ask(
    stage: str,
    run: RunFolder,
    config: GenerateConfig,
    seeds: list[SeedTask],
    prompts: Prompts,
    filters: FilterRules,
    llm: LLM,
) -> None:
    match stage:
        case "instructions":
            _instructions(run, config, seeds, prompts, filters, llm)
        case "classification":
            settings = _query_settings(config, llm, "classification", prompts.classification)
            ClassificationStage(run, llm, prompts, config.queries.classification, config.released).run(
                settings
            )
        case "instances":
            settings = _query_settings(config, llm, "instances", [prompts.input_first, prompts.output_first])
            InstanceStage(
                run,
                llm,
                prompts,
                config.queries.instances,
                config.rules,
                config.released,
                config.instances.output_first,
            ).run(settings | _output_first_settings(config))


def _instructions(
    run: RunFolder,
    config: GenerateConfig,
    seeds: list[SeedTask],
    prompts: Prompts,
    filters: FilterRules,
    llm: LLM,
) -> None:
    places, lookahead = config.llm.max_concurrency, config.instructions.lookahead
    if config.llm.backend == "openai" and not config.released and lookahead < places:
        note(
            f"instructions.lookahead={lookahead} keeps stage 1 from having llm.max_concurrency={places} "
            f"requests in flight; in a new run_dir take twice as many: instructions.lookahead={2 * places}"
        )
    stage = InstructionStage(
        run=run,
        llm=llm,
        seeds=seeds,
        prompts=prompts,
        filters=filters,
        rules=config.rules,
        query=config.queries.instructions,
        config=config.instructions,
        threshold=config.novelty.threshold,
        tokenizer=config.tokenizer,
        reject_exact_duplicates=not config.released,
        released_ties=config.released,
        seed=config.seed,
        round_size=ROUND if config.released else None,
    )
    settings = _query_settings(config, llm, "instructions", prompts.instructions) | {
        "seed_tasks": file_digest(config.seed_tasks),
        "filters": config.filters,
        "instructions": asdict(config.instructions),
        "novelty": {"threshold": config.novelty.threshold, "tokenizer": config.tokenizer},
    }
    del settings["instructions"]["stall_rounds"]  # when to give up does not change what was written
    try:
        stage.run_until(config.num_instructions, settings)
    except RecordingUsedUp as stop:
        accepted = len(stage.machine)
        how = f"num_instructions={accepted} finishes the run with these" if accepted else "none was accepted"
        reason = f"{accepted} of {config.num_instructions} instructions are accepted"
        raise StoppedEarly(f"{stop}; {reason}: {how}") from stop


def _query_settings(config: GenerateConfig, llm: LLM, stage: str, words: object) -> dict[str, Any]:
    return {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "llm": dict(llm.description),
        "prompt": digest(repr(words)),
        "query": asdict(getattr(config.queries, stage)),
        **_marker_settings(config),
    }


def _marker_settings(config: GenerateConfig) -> dict[str, Any]:
    """What the fingerprints say of the markers: nothing where they are the English ones."""
    markers = config.rules.markers
    return {} if markers == ENGLISH else {"markers": asdict(markers)}


def _output_first_settings(config: GenerateConfig) -> dict[str, Any]:
    """What the fingerprints say of the prompts for classification tasks: of the paper's, nothing."""
    return {} if config.instances.output_first else {"output_first": False}


def _finetuning_data(run: RunFolder, config: GenerateConfig, seeds: list[SeedTask]) -> None:
    settings = {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "seed_tasks": file_digest(config.seed_tasks),
        "instances": {"max_per_task": config.instances.max_per_task},
        "finetuning_data": asdict(config.finetuning_data),
        **_marker_settings(config),
        **_output_first_settings(config),
    }
    run.prepare("finetuning_data", settings)  # whole files from what is there: always made anew, in seconds
    counts = build_finetuning_data(
        run.path,
        seeds if config.finetuning_data.include_seeds else [],
        config.rules,
        config.instances.max_per_task,
        config.seed,
        config.instances.output_first,
    )
    run.complete("finetuning_data", **counts)


def _regeneration(run: RunFolder, config: GenerateConfig, seeds: list[SeedTask], llm: LLM) -> None:
    settings = {
        "seed": config.seed,
        "fidelity": config.fidelity,
        "seed_tasks": file_digest(config.seed_tasks),
        "finetuning_data": asdict(config.finetuning_data),
        "llm": dict(llm.description),
        "chat": llm.is_chat,
        "query": asdict(config.regeneration.query),
        "unusable": config.regeneration.unusable,
    }
    if config.regeneration.instances is not None:
        settings["instances"] = file_digest(config.regeneration.instances)
    shown = seeds if config.finetuning_data.include_seeds else []
    RegenerationStage(run, llm, shown, config.regeneration, config.seed, config.rules).go(settings)


def _what_came_out(
    run: RunFolder,
    config: GenerateConfig,
    prompts: Prompts,
    yardsticks: Yardsticks,
    bills: Mapping[str, Bill],
) -> None:
    """Statistics, figures, exports and card: made anew from what is on disk, whatever was there of them."""
    statistics = write_statistics(run.path, yardsticks)
    figures: list[str] = []
    if config.statistics.figures:
        figures = draw_figures(run.path, statistics)
    else:
        delete_figures(run.path)
    _export(run.path, config)
    licence = config.dataset_card.model_license
    write_dataset_card(run.path, _as_json(config), prompts, statistics, figures, licence)
    if config.exports.push_to_hub is not None:
        run.log(f"pushed to {push_to_hub(run.path, config.exports.push_to_hub)}")
    print(_in_one_line(statistics, run.path))
    used = statistics.get("usage", {}).get("total", {}).get("requests", 0)
    if len(bills) == 1 and any(bill.all.requests > used for bill in bills.values()):
        print(f"the card counts the {used:,} answers that the data were made from; with what came besides:")
    for model, bill in bills.items():
        line = f"{model}: {bill}" if len(bills) > 1 else f"{bill}"
        print(line)
        run.log(line)


def _export(folder: Path, config: GenerateConfig) -> None:
    kinds = {ALL_INSTANCES: EXPORTS, REGENERATED: REGENERATED_EXPORTS}
    there = [name for name in kinds if (folder / name).exists()]
    has_flags = there and classification_file(folder) is not None
    flags = read_classification(folder, config.rules) if has_flags else {}
    for name in there:
        write_exports(folder, jsonl.read(folder / name), flags, config.exports.formats, kinds[name])


def _in_one_line(statistics: dict[str, Any], folder: Path) -> str:
    made = [
        f"{statistics[part]['count']} {part}" for part in ("instructions", "instances") if part in statistics
    ]
    if "regeneration" in statistics:
        made.append(f"{statistics['regeneration']['count']} outputs regenerated")
    rejected = sum(sum(reasons.values()) for reasons in statistics.get("rejected", {}).values())
    listed = ", ".join([*made, f"{rejected} texts rejected"])
    return f"{folder}: {listed}; README.md there is the card, rejected.jsonl says why"


def _as_json(config: GenerateConfig) -> dict[str, Any]:
    values = asdict(config)
    values["statistics"]["evaluation_tasks"] = [str(path) for path in config.statistics.evaluation_tasks]
    values["run_dir"], values["seed_tasks"] = str(config.run_dir), str(config.seed_tasks)
    if config.regeneration.instances is not None:
        values["regeneration"]["instances"] = str(config.regeneration.instances)
    return values
