"""The steps of an experiment, each by its own command as a user would call it, and the plan of them."""

import fcntl
import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig, Step, accelerate_file
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import RunFolder
from selfinstruct.settings import REPOSITORY

# Words that Hydra reads as the text they are, and those it would read as something else.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_NOT_TEXT = ("true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf")
_MESSAGE_BY_EXIT_CODE = {2: "wrong settings or input, see its message above", 3: "stopped before its end"}


def run_steps(config: ReproduceConfig, run: RunFolder) -> float:
    """Run the steps that are not complete; returns the seconds all of them took, over restarts.

    Raises:
        UserError, StoppedEarly: a step ended with exit code 2 or 3.
        RuntimeError: a step failed.
    """
    total = 0.0
    for position, (name, step) in enumerate(config.steps.items(), start=1):
        spent = float(run.steps.get(name, {}).get("counts", {}).get("seconds", 0.0))
        settings = {"command": step.command, "settings": portable(step.settings, config)}
        heading = f"[{position}/{len(config.steps)}] {name}"
        if run.begin(name, settings):
            print(f"{heading}: complete", flush=True)
        else:
            _refuse_if_busy(name, config.seed_dir / name)
            print(f"\n{heading}: {shown_command(config, name, step)}", flush=True)
            start = time.perf_counter()
            code = subprocess.run(_command(config, name, step), cwd=REPOSITORY, check=False).returncode
            spent += time.perf_counter() - start
            if code:
                raise _failure(name, step.command, config.seed_dir / name, code)
            run.complete(name, seconds=round(spent, 1))
        total += spent
    return total


def _refuse_if_busy(name: str, folder: Path) -> None:
    """UserError where a process works in the step's folder: it may have outlived a killed experiment."""
    try:
        with open(folder / ".lock", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = (folder / ".lock").read_text(encoding="utf-8").strip() or "unknown"
        advice = "wait for it, or stop it, then start again with the same words"
        raise UserError(f"step {name}: another process (pid {holder}) works in {folder}; {advice}") from None
    except FileNotFoundError:
        return


def make_report(config: ReproduceConfig) -> None:
    """The report of all seeds in the experiment's folder, by its own command; anew each time.

    Raises:
        UserError, StoppedEarly, RuntimeError: it did not end; the experiment's own results are on disk.
    """
    folder = config.run_dir.absolute()
    runs, run_dir = override_value([str(folder)]), override_value(str(folder / "report"))
    command = [sys.executable, "scripts/make_report.py", f"runs={runs}", f"run_dir={run_dir}"]
    print(f"\nreport: python {shlex.join(command[1:])}", flush=True)
    code = subprocess.run(command, cwd=REPOSITORY, check=False).returncode
    if code:
        raise _failure("report", "scripts/make_report.py", folder / "report", code)


def check_folder(folder: Path) -> None:
    """UserError where a seed's folder would lie in a folder of another command, or is one."""
    for outer in folder.parents:
        if (outer / "manifest.json").exists():
            raise UserError(f"run_dir: {folder} lies inside the run folder {outer}; choose another run_dir")
    owner = _manifest(folder).get("command", "reproduce")
    if owner != "reproduce":
        raise UserError(f"{folder}: belongs to {owner!r}, not 'reproduce'; choose another run_dir")


def plan(config: ReproduceConfig) -> str:
    """The commands still to run, what each may take, and what the requests of phase 1 may cost."""
    lines, minutes, unknown = [f"{config.title}, seed {config.seed}: {config.seed_dir}"], 0.0, 0
    steps = _manifest(config.seed_dir).get("steps", {})
    for position, (name, step) in enumerate(config.steps.items(), start=1):
        status = steps.get(name, {}).get("status", "to do")
        heading = (
            f"[{position}/{len(config.steps)}] {name}: {'to be continued' if status == 'running' else status}"
        )
        if status == "complete":
            lines.append(heading)
            continue
        minutes += step.minutes or 0.0
        unknown += step.minutes is None
        about = "" if step.minutes is None else f", about {step.minutes:g} min on two CPU cores"
        lines += [f"{heading}{about}", f"    {shown_command(config, name, step)}"]
        if step.command == "scripts/generate.py":
            lines += [f"    {line}" for line in _forecast(config, name, step)]
    left = f"about {minutes:.0f} minutes on two CPU cores" if minutes else "time unknown"
    beside = f", without {unknown} steps whose time is not known" if unknown and minutes else ""
    return "\n".join([*lines, f"In all: {left}{beside}."])


def _forecast(config: ReproduceConfig, name: str, step: Step) -> list[str]:
    command = [*_command(config, name, step), "dry_run=true"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:  # it may need what a step before it has still to make
        return [f"not known yet: {done.stderr.strip().removeprefix('error: ')}"]
    return done.stdout.splitlines()


def shown_command(config: ReproduceConfig, name: str, step: Step) -> str:
    """The step's command line, to be pasted into a shell in the repository's folder."""
    python = sys.executable
    words = ["python" if word == python else word for word in _command(config, name, step)]
    return shlex.join(words).replace("python -m accelerate.commands.launch", "accelerate launch")


def _command(config: ReproduceConfig, name: str, step: Step) -> list[str]:
    words = [f"{key}={override_value(value)}" for key, value in step.settings.items()]
    folder = override_value(str(config.seed_dir / name))
    return [*_launcher(step.command, config.accelerate_config), f"run_dir={folder}", *words]


def _launcher(command: str, accelerate_config: str) -> list[str]:
    if command.startswith("finetune/"):
        settings = str(accelerate_file(accelerate_config).relative_to(REPOSITORY))
        # Quiet: of a step that fails, its own message alone, not the launcher's traceback below it.
        launcher = [sys.executable, "-m", "accelerate.commands.launch", "--quiet"]
        return [*launcher, "--config_file", settings, command]
    return [sys.executable, command]


def _failure(name: str, command: str, folder: Path, code: int) -> Exception:
    if code == 1:  # `accelerate launch` turns every failure into 1: the step's manifest tells which it was
        # Input is refused before anything is written: then there is none, or that of an earlier, good end.
        refused = {"none": 2, "stopped": 2, "complete": 2}
        code = (refused | {"interrupted": 3}).get(_status(folder), 1)
    message = f"step {name} ({command}): {_MESSAGE_BY_EXIT_CODE.get(code, f'failed with exit code {code}')}"
    match code:
        case 2:
            return UserError(message)
        case 3 | -2 | -15:
            return StoppedEarly(f"{message}; start again with the same words to continue")
        case _:
            return RuntimeError(f"{message}; see {folder / 'run.log'}")


def _status(folder: Path) -> str:
    return _manifest(folder).get("status", "none")


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / "manifest.json"
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        advice = "move the folder away or choose another run_dir"
        raise UserError(f"{path}: not readable ({error}); {advice}") from error


def portable(settings: dict[str, Any], config: ReproduceConfig) -> dict[str, Any]:
    """What decides a step's result: without the place of the folder (a moved or copied run is still the same
    run), and without a budget, which may be raised or dropped to go on."""
    deciding = {key: value for key, value in settings.items() if key.partition(".")[0] != "budget"}
    text = json.dumps(deciding).replace(json.dumps(str(config.seed_dir))[1:-1], "{folder}")
    return json.loads(text)


def override_value(value: Any) -> str:
    """A setting's value in Hydra's override grammar, whatever characters a text holds."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str() if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
            return value
        case str():
            # In quotes a backslash is special only before a quote.
            escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + found[2].replace("'", r"\'"), value)
            return "'{}'".format(escaped.replace("${", r"\${"))
        case list():
            return f"[{','.join(map(override_value, value))}]"
        case dict():
            return "{" + ",".join(f"{key}:{override_value(item)}" for key, item in value.items()) + "}"
        case _:
            return str(value)
