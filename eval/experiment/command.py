"""A whole experiment: each step by its own command, then the comparison of its systems.

Command: `python scripts/reproduce.py experiment=demo run_dir=runs/demo`.
"""

import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig
from eval.experiment.inputs import missing_inputs
from eval.experiment.plan import make_plan, summed
from eval.experiment.results import experiment_tables, show, summarise_experiment
from eval.experiment.seeds import draw_curve, summarise_seeds, tables_over_seeds
from eval.experiment.steps import check_folder, enter_steps, make_report, run_child, run_steps, step_settings
from eval.tables import write_tables
from selfinstruct import jsonl
from selfinstruct.entry import composed
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import RunFolder, open_run

# A word of the command line with a setting of a step that its time may depend on.
_CHANGED = re.compile(r"[+~]*steps\.(\w+)(?:=|\.settings(?!\.budget\b))")


def reproduce(config: ReproduceConfig) -> None:
    """Run the steps that are not complete, then write and print the tables and `summary.json`.

    With several seeds: all of it for each of them, in a folder of its own, then the means over the seeds.

    Raises:
        UserError, StoppedEarly: a step ended with exit code 2 or 3.
        RuntimeError: a step failed.
    """
    for each in map(config.of_seed, config.seeds) if config.seeds else [config]:
        check_folder(each.seed_dir.absolute(), config.experiment_name)
    if config.dry_run:
        _show_plans(config)
    elif config.seeds:
        _for_each_seed(config, config.seeds)
    else:
        _for_one_seed(config)


def _show_plans(config: ReproduceConfig) -> None:
    said: dict[str, str] = {}
    plans = []
    changed = {found[1] for word in sys.argv[1:] if (found := _CHANGED.match(word))}
    # Composed anew for each seed: what depends on it is in the steps' settings.
    several = [composed("reproduce", ReproduceConfig, _words_of(seed)) for seed in config.seeds or []]
    for one in several or [config]:
        plans.append(make_plan(one, said, changed))
        print("\n".join([*plans[-1].lines, ""]), flush=True)
    if len(plans) > 1:
        print(summed(f"All {len(plans)} seeds", plans))


def _words_of(seed: int) -> list[str]:
    ours = ("seed", "seeds", "report")
    words = [word for word in sys.argv[1:] if word.partition("=")[0] not in ours]
    return [*words, f"seed={seed}", "seeds=null", "report=false"]


def _refuse_missing(config: ReproduceConfig, run: RunFolder) -> None:
    left = [name for name in config.steps if run.steps.get(name, {}).get("status") != "complete"]
    if missing := missing_inputs(config, left):
        raise UserError("\n".join(["nothing was run, for what it needs is missing:", *missing]))


def _for_one_seed(config: ReproduceConfig) -> None:
    with open_run(config.seed_dir, "reproduce", _as_json(config)) as run:
        enter_steps(config, run)
        _refuse_missing(config, run)
        run.begin("experiment", {"steps": {name: step_settings(config, name) for name in config.steps}})
        seconds = run_steps(config, run)
        summary = summarise_experiment(config, seconds)
        jsonl.replace_json(config.seed_dir / "summary.json", summary)
        jsonl.replace_json(config.run_dir / "summary.json", summary)
        tables = experiment_tables(config)
        write_tables(config.seed_dir, tables)
        if config.curve:
            draw_curve([config], config.seed_dir / "curve")
        run.complete("experiment", seconds=summary["seconds"])
    show(config, tables, summary)
    if config.report:
        make_report(config)


def _for_each_seed(config: ReproduceConfig, seeds: Sequence[int]) -> None:
    for seed in seeds:
        # A process each: what depends on the seed is composed into the steps' settings.
        match code := run_child([sys.executable, str(Path(sys.argv[0]).absolute()), *_words_of(seed)], None):
            case 0:
                continue
            case 2:
                raise UserError(f"seed {seed}: stopped, see the message above")
            case 3 | -2 | -15:
                raise StoppedEarly(f"seed {seed}: stopped; start again with the same words to continue")
            case _:
                raise RuntimeError(f"seed {seed}: failed with exit code {code}")
    runs = [config.of_seed(seed) for seed in seeds]
    tables = tables_over_seeds(runs)
    write_tables(config.run_dir, tables)
    jsonl.replace_json(config.run_dir / "summary.json", summarise_seeds(runs))
    if config.curve:
        draw_curve(runs, config.run_dir / "curve")
    print(f"\n## Results over {len(seeds)} seeds\n")
    for table in tables:
        print(table.markdown())
    print(
        f"{config.run_dir}: table.md, table.tex, table.csv, summary.json{', curve.png' * bool(config.curve)}"
    )
    if config.report:
        make_report(config)


def _as_json(config: ReproduceConfig) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(config), default=str))
