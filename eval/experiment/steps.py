"""The steps of an experiment, each by its own command as a user would call it."""

import fcntl
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from eval.experiment.config import ReproduceConfig, Step, accelerate_file
from eval.experiment.outputs import lost_outputs
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.processes import PARENT
from selfinstruct.runs import RunFolder
from selfinstruct.settings import REPOSITORY

# Words that Hydra reads as the text they are, and those it would read as something else.
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_NOT_TEXT = ("true", "false", "yes", "no", "on", "off", "null", "none", "nan", "inf")
# A budget may be raised (see `portable`). A number of instructions may not, though generate.py itself goes on
# with a higher one: what later steps have made of the fewer would stand beside it as if it were made of all.
_ADVICE = (
    "Or delete {folder}, and this step is made anew. Of an experiment's settings a budget alone may grow."
)
_MESSAGE_BY_EXIT_CODE = {2: "wrong settings or input, see its message above", 3: "stopped before its end"}


SECONDS_TO_END = 10


def enter_steps(config: ReproduceConfig, run: RunFolder) -> None:
    """Look at what the folder holds of the steps, without writing; one whose folder is gone is made anew.

    Raises:
        UserError: a step was made with other settings; names each that differs.
    """
    for name in config.steps:
        folder = config.seed_dir / name
        if name in run.steps and not folder.exists():
            del run.steps[name]
        elif name in run.steps:
            try:
                run.prepare(name, step_settings(config, name))
            except UserError as error:
                raise UserError(f"{error} {_ADVICE.format(folder=folder)}") from error
    run.steps.pop("experiment", None)  # of other steps, perhaps: what was left out before may be added


def step_settings(config: ReproduceConfig, name: str) -> dict[str, Any]:
    """What decides a step's result, as the manifest keeps it."""
    step = config.steps[name]
    return {"command": step.command, "settings": portable(step.settings, config)}


def run_steps(config: ReproduceConfig, run: RunFolder) -> float:
    """Run the steps that are not complete; returns the seconds all of them took, over restarts.

    A complete step is entered again where files of it are lost, or where one it was made from has just been
    run: its command knows what is left to do, and refuses what does not belong together.

    Raises:
        UserError, StoppedEarly: a step ended with exit code 2 or 3.
        RuntimeError: a step failed.
    """
    total, again = 0.0, set[str]()
    for position, (name, step) in enumerate(config.steps.items(), start=1):
        spent = float(run.steps.get(name, {}).get("counts", {}).get("seconds", 0.0))
        heading = f"[{position}/{len(config.steps)}] {name}"
        is_complete = run.begin(name, step_settings(config, name))
        lost = lost_outputs(step, config.seed_dir / name) if is_complete else []
        if is_complete and not lost and not config.uses(step.settings, again):
            print(f"{heading}: complete", flush=True)
        else:
            if is_complete:
                print(f"\n{heading}: was complete, but {_why_again(lost)}", flush=True)
            again.add(name)
            spent += _run_step(config, name, heading, bool(is_complete))
            run.complete(name, seconds=round(spent, 1))
        total += spent
    return total


def _why_again(lost: Sequence[Path]) -> str:
    more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
    return (
        f"{lost[0]}{more} is gone or empty"
        if lost
        else "what it was made from was made again: looked at anew"
    )


def _run_step(config: ReproduceConfig, name: str, heading: str, was_complete: bool) -> float:
    """Seconds that the step took."""
    step, folder = config.steps[name], config.seed_dir / name
    _refuse_if_busy(name, folder)
    print(f"\n{heading}: {shown_command(config, name, step)}", flush=True)
    start = time.perf_counter()
    if code := run_child(step_command(config, name, step)):
        error = _failure(name, step.command, folder, code)
        if was_complete and isinstance(error, UserError):
            raise UserError(
                f"{error}; or delete {folder}, and start again with the same words: it is made anew"
            )
        raise error
    if lost := lost_outputs(step, folder):
        advice = f"delete {folder}, and start again with the same words"
        raise UserError(f"step {name}: its command has ended, but {_why_again(lost)}; {advice}")
    return time.perf_counter() - start


def run_child(command: Sequence[str], folder: Path | None = REPOSITORY) -> int:
    """Exit code of a command of ours that ends with this process (on Linux however this one ends)."""
    # Threads: of what is launched; else accelerate warns that it has chosen their number.
    environment = {"OMP_NUM_THREADS": "2"} | os.environ | {PARENT: str(os.getpid())}
    process = subprocess.Popen(command, cwd=folder, env=environment)
    try:
        return process.wait()
    except KeyboardInterrupt:
        # Ctrl-C has reached it as well: it saves what it has. A signal to this process alone has not.
        with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(SECONDS_TO_END)
        process.terminate()
        raise


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
    if code := run_child(command):
        raise _failure("report", "scripts/make_report.py", folder / "report", code)


def check_folder(folder: Path, experiment: str) -> None:
    """UserError where a seed's folder would lie in a folder of another command, is one, or of another
    experiment."""
    for outer in folder.parents:
        if (outer / "manifest.json").exists():
            raise UserError(f"run_dir: {folder} lies inside the run folder {outer}; choose another run_dir")
    manifest = read_manifest(folder)
    owner = manifest.get("command", "reproduce")
    if owner != "reproduce":
        raise UserError(f"{folder}: belongs to {owner!r}, not 'reproduce'; choose another run_dir")
    held = manifest.get("config", {}).get("experiment_name", experiment)
    if held != experiment:
        raise UserError(f"{folder}: holds experiment={held}, not {experiment}; choose another run_dir")


def shown_command(config: ReproduceConfig, name: str, step: Step) -> str:
    """The step's command line, to be pasted into a shell in the repository's folder."""
    python = sys.executable
    words = ["python" if word == python else word for word in step_command(config, name, step)]
    return shlex.join(words).replace("python -m eval.experiment.launch", "accelerate launch")


def step_command(config: ReproduceConfig, name: str, step: Step) -> list[str]:
    words = setting_words(step.settings, str(config.seed_dir / name))
    return [*_launcher(step.command, config.accelerate_config), *words]


def setting_words(settings: dict[str, Any], folder: str) -> list[str]:
    """A step's settings as words of its command line."""
    return [f"{key}={override_value(value)}" for key, value in ({"run_dir": folder} | settings).items()]


def _launcher(command: str, accelerate_config: str) -> list[str]:
    if command.startswith("finetune/"):
        settings = str(accelerate_file(accelerate_config).relative_to(REPOSITORY))
        # Quiet: of a step that fails, its own message alone, not the launcher's traceback below it.
        launcher = [sys.executable, "-m", "eval.experiment.launch", "--quiet"]
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
    return read_manifest(folder).get("status", "none")


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a folder's manifest says; empty where there is none.

    Raises:
        UserError: it is damaged.
    """
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
