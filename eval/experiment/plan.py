"""What an experiment would run, and what it would take: reproduce.py dry_run=true"""

import json
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from eval.experiment.config import ReproduceConfig, Step
from eval.experiment.inputs import missing_inputs
from eval.experiment.outputs import lost_outputs
from eval.experiment.steps import (
    enter_steps,
    read_manifest,
    shown_command,
    step_command,
    step_settings,
)
from eval.superni import counted
from selfinstruct.forecast import Expected, read_forecasts
from selfinstruct.llm.model_folder import looks_like_a_path
from selfinstruct.runs import RunFolder
from selfinstruct.settings import REPOSITORY, flatten

_ASKING = ("scripts/generate.py", "scripts/eval_superni.py", "scripts/eval_user_oriented.py")


@dataclass
class Plan:
    """The steps still to run, and their sums.

    Attributes:
        minutes: of the steps whose time is known, each from its beginning; `untimed` counts the others.
        changed: steps among the former whose time is known of other settings than these.
        begun: steps of which a part is done.
        unasked: steps of which it is not known yet what they ask.
        expected: a sum for each model that is asked.
        unpriced: a step that asks a server at no known price; a budget's key begins with it.
    """

    lines: list[str]
    minutes: float = 0.0
    untimed: int = 0
    changed: int = 0
    begun: int = 0
    unasked: int = 0
    expected: list[Expected] = field(default_factory=list)
    unpriced: str | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def make_plan(config: ReproduceConfig, said: dict[str, str], changed: Collection[str] = ()) -> Plan:
    """The commands of one seed still to run, with the time, requests and cost to come.

    Args:
        said: what dry runs have said; added to, so that equal ones (of other seeds, say) are made once.
        changed: steps with other settings than those of the experiment's file, whose minutes are not theirs.

    Raises:
        UserError: the folder holds steps made with other settings, as the run itself would refuse it.
    """
    run = RunFolder(config.seed_dir, "reproduce", {})
    enter_steps(config, run)
    plan = Plan([f"{config.title}, seed {config.seed}: {config.seed_dir}"])
    left: list[str] = []
    for position, (name, step) in enumerate(config.steps.items(), start=1):
        status = run.steps.get(name, {}).get("status", "to do")
        if lost := lost_outputs(step, config.seed_dir / name) if status == "complete" else []:
            status = f"to be made again, {lost[0]} is gone or empty"
        status = "to be continued" if status == "running" else status
        heading = f"[{position}/{len(config.steps)}] {name}: {status}"
        if status == "complete":
            is_looked_at = config.uses(step.settings, set(left))
            plan.lines.append(heading + ", looked at anew: it was made from one to be run" * is_looked_at)
            continue
        left.append(name)
        time = _time(config, name, plan, is_changed=name in changed)
        if status == "to be continued":
            time += ", of which a part is done"
            plan.begun += 1
        plan.lines += [heading + time, f"    {shown_command(config, name, step)}"]
        plan.lines += [f"    {line}" for line in _asks(config, name, step, said, plan)]
    plan.lines.append(summed(f"In all, seed {config.seed}", [plan]))
    if missing := missing_inputs(config, left):
        plan.lines += ["It cannot run yet. Missing:", *missing]
    elif config.model and left and not looks_like_a_path(config.model):
        plan.lines.append(
            f"model={config.model} is taken from the hub; whether it is there was not looked up."
        )
    return plan


def _time(config: ReproduceConfig, name: str, plan: Plan, is_changed: bool) -> str:
    """What the whole step takes, as far as that is known; its minutes go into the plan."""
    step = config.steps[name]
    if (measured := _minutes_of_other_seeds(config, name)) is not None:
        plan.minutes += measured
        return f", about {measured:.2g} min (as it took before)"
    if step.minutes is not None:
        plan.minutes += step.minutes
        plan.changed += is_changed
        of = "; that is with the experiment's settings, which are changed here" if is_changed else ""
        return f", about {step.minutes:g} min on two CPU cores{of}"
    plan.untimed += 1
    return ", time not known"


def _minutes_of_other_seeds(config: ReproduceConfig, name: str) -> float | None:
    """What the step took with other seeds in this run's folder; None where it was not run."""
    ours = _without_seed(step_settings(config, name))
    steps = [read_manifest(folder).get("steps", {}).get(name, {}) for folder in config.run_dir.glob("seed*")]
    seconds = [
        step.get("counts", {}).get("seconds")
        for step in steps
        if step.get("status") == "complete" and _without_seed(step["settings"]) == ours
    ]
    return fmean(seconds) / 60 if seconds and None not in seconds else None


def _without_seed(settings: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in flatten(settings).items() if key.rpartition(".")[2] != "seed"}


def _asks(config: ReproduceConfig, name: str, step: Step, said: dict[str, str], plan: Plan) -> list[str]:
    """What the step's own dry run says of its requests; the sums go into the plan."""
    if step.command not in _ASKING or step.settings.get("predictions"):
        return []
    key = _kind(config, name, step)
    if key not in said:
        command = [*step_command(config, name, step), "dry_run=true"]
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        # It may need what a step before it has still to make.
        reason = done.stderr.strip().removeprefix("error: ")
        said[key] = f"requests not known yet: {reason}" if done.returncode else done.stdout.strip()
    expected = read_forecasts(said[key])
    plan.expected += expected
    plan.unasked += not expected
    lines = [line for line in said[key].splitlines() if not line.startswith("cost: not known")]
    if len(expected) == 1 and step.command != "scripts/generate.py":  # a single stage: no need of a table
        is_of_table = [line.startswith(("dry run:", "stage ", "predict ", "all ")) for line in lines]
        lines = [line for line, is_part in zip(lines, is_of_table, strict=True) if not is_part]
        lines.append(_requests(expected))
    if any(each.cost is None for each in expected) and "openai" in map(str, step.settings.values()):
        plan.unpriced = plan.unpriced or name
    return lines


def _kind(config: ReproduceConfig, name: str, step: Step) -> str:
    """The same for steps whose dry runs say the same: those that have asked for nothing yet."""
    folder = config.seed_dir / name
    if folder.exists():
        return str(folder)
    settings = {key: value for key, value in step.settings.items() if key not in ("adapter", "seed")}
    return json.dumps([step.command, settings])


def summed(title: str, plans: Sequence[Plan]) -> str:
    """Time, requests and cost of one or more plans in a line or two."""
    minutes, untimed = sum(plan.minutes for plan in plans), sum(plan.untimed for plan in plans)
    known = _about(minutes) if minutes else "nothing left to do"
    why = "it depends on the model and the machine; once a seed is done, its times stand here"
    if untimed and minutes:
        known += f", without the time of {counted(untimed, 'step')}, which is not known ({why})"
    elif untimed:
        known = f"time not known ({why})"
    if changed := sum(plan.changed for plan in plans):
        known += f"; {counted(changed, 'step')} counted as with the experiment's settings, not with these"
    if begun := sum(plan.begun for plan in plans):
        known += f"; {counted(begun, 'step')} of which a part is done counted whole"
    lines = [f"{title}: {known}."]
    expected = [each for plan in plans for each in plan.expected]
    unasked = sum(plan.unasked for plan in plans)
    if expected or unasked:
        beside = f"; without those of {counted(unasked, 'step')} that cannot be known yet" if unasked else ""
        lines.append(f"    {_requests(expected)}{beside}.")
    if cost := _cost(expected, plans):
        lines.append(f"    {cost}")
    return "\n".join(lines)


def _about(minutes: float) -> str:
    return f"about {counted(round(minutes), 'minute')}" if minutes >= 0.5 else "less than a minute"


def _requests(expected: Sequence[Expected]) -> str:
    whole = Expected(0, 0, 0, 0, None, None)
    for each in expected:
        whole = replace(
            whole,
            requests=whole.requests + each.requests,
            prompt_tokens=whole.prompt_tokens + each.prompt_tokens,
            completion_tokens=whole.completion_tokens + each.completion_tokens,
            most_completion_tokens=whole.most_completion_tokens + each.most_completion_tokens,
        )
    return (
        f"{whole.requests:,} requests, about {whole.prompt_tokens:,} prompt tokens and "
        f"{whole.completion_tokens:,} answer tokens (at most {whole.most_completion_tokens:,})"
    )


def _cost(expected: Sequence[Expected], plans: Sequence[Plan]) -> str:
    """The sum of what is known, and how a price is given where one is lacking."""
    priced = [(each.cost, each.most_cost or 0.0) for each in expected if each.cost is not None]
    known = (
        f"Cost: about {sum(c for c, _ in priced):,.2f}, at most {sum(m for _, m in priced):,.2f}"
        if priced
        else ""
    )
    step = next((plan.unpriced for plan in plans if plan.unpriced), None)
    if step is None:
        free = "Cost: none, models on this machine are asked." if expected else ""
        return f"{known}." if known else free
    key = f"'+steps.{step}.settings.budget.prices={{NAME: {{input: 1, output: 2}}}}'"
    advice = f"a server's prices of a million tokens are given as {key}"
    return (
        f"{known}, without steps whose price is not known; {advice}"
        if known
        else f"Cost: not known; {advice}"
    )
