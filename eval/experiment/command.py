"""A whole experiment: each step by its own command, then the comparison of its systems.

Command: `python scripts/reproduce.py experiment=demo run_dir=runs/demo`.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from eval.experiment.config import ReproduceConfig
from eval.experiment.results import experiment_tables, show, summarise_experiment
from eval.experiment.seeds import draw_curve, summarise_seeds, tables_over_seeds
from eval.experiment.steps import check_folder, make_report, plan, portable, run_steps
from eval.tables import write_tables
from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import open_run


def reproduce(config: ReproduceConfig) -> None:
    """Run the steps that are not complete, then write and print the tables and `summary.json`.

    With several seeds: all of it for each of them, in a folder of its own, then the means over the seeds.

    Raises:
        UserError, StoppedEarly: a step ended with exit code 2 or 3.
        RuntimeError: a step failed.
    """
    for each in map(config.of_seed, config.seeds) if config.seeds else [config]:
        check_folder(each.seed_dir.absolute())
    if config.seeds:
        _for_each_seed(config, config.seeds)
    elif config.dry_run:
        print(plan(config))
    else:
        _for_one_seed(config)


def _for_one_seed(config: ReproduceConfig) -> None:
    with open_run(config.seed_dir, "reproduce", _as_json(config)) as run:
        run.begin("experiment", {"steps": {n: portable(s.settings, config) for n, s in config.steps.items()}})
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
        ours = ("seed", "seeds", "report")
        words = [word for word in sys.argv[1:] if word.partition("=")[0] not in ours]
        code = subprocess.run(
            [sys.executable, sys.argv[0], *words, f"seed={seed}", "seeds=null", "report=false"]
        ).returncode
        match code:
            case 0:
                continue
            case 2:
                raise UserError(f"seed {seed}: stopped, see the message above")
            case 3 | -2 | -15:
                raise StoppedEarly(f"seed {seed}: stopped; start again with the same words to continue")
            case _:
                raise RuntimeError(f"seed {seed}: failed with exit code {code}")
    if config.dry_run:
        return
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
