"""What was run, in sentences: the model and its size, data, benchmark and machine of a run."""

import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.report.chains import SELF_INSTRUCT, TRAIN, Chain, Run
from eval.report.controls import control_readings
from eval.report.files import read_lines
from eval.report.origins import OWN, Origin, origin_of, origins_of_each_seed
from eval.report.run_tables import model_name
from selfinstruct.seed_spread import counted
from selfinstruct.settings import REPOSITORY

LITTLE_WORLD = "LittleWorld"
_LITTLE_WORLD = ", a benchmark of this repository in SuperNI's format"
_EMBEDDED = REPOSITORY / "selfinstruct" / "llm" / "tiny" / "model"


def what_was_run(run: Run) -> tuple[str, ...]:
    """One to five sentences."""
    if not run.first.data and not run.systems and not run.first.of(TRAIN):
        return ("Answers rated or scored elsewhere.",)
    found = [f"{_model(run)}{_seeds(run)}."]
    counts = [chain.statistics.get("instructions", {}).get("count") for chain in run.chains]
    written = [count for count in counts if count is not None]
    if written:
        noun = "instruction" if max(written) == 1 else "instructions"
        own = f"It wrote {_span(written)} {noun} itself{_then_tuned(run)}."
        found.append(_from_elsewhere(run) or own)
    found += _other_data(run)
    found += _tunings(run)
    system = next(iter(run.systems.values()), None)
    if system:
        benchmark = system.benchmark
        about = _LITTLE_WORLD if benchmark["name"] == LITTLE_WORLD else ""
        found.append(
            f"Scored on {benchmark['label']}: {counted(benchmark['tasks_found'], 'task')}, "
            f"{counted(benchmark['instances'], 'instance')}{about}."
        )
    return (*found, _machine(run))


def _from_elsewhere(run: Run) -> str:
    """That the instructions, or some of them, are not what the model wrote here; empty where all are."""
    data = run.first.data
    if data is None or not data.num_found_before:
        return ""
    before, count = data.num_found_before, run.first.statistics["instructions"]["count"]
    which = counted(before, "instruction") if before >= count else f"Of its {count:,} instructions {before:,}"
    was, it = ("was", "it") if before == 1 else ("were", "them")
    return f"{which} {was} there before; which model wrote {it} is not recorded."


def _then_tuned(run: Run) -> str:
    """What the model was tuned on of what it wrote, by the files themselves, where that is shown."""
    origins = origins_of_each_seed(run)
    if not origins or any(origin.kind != OWN for origin in origins):
        return ""
    first = origins[0]
    count = f"{run.first.num_seeds} " if run.first.num_seeds else ""
    parts = [_own_instances(origins), *([f"the {count}seed tasks"] if first.has_seeds else []), *first.beside]
    return f", then was tuned on {' and '.join(parts)}"


def _own_instances(origins: Sequence[Origin]) -> str:
    """How many generated instances the training files hold, of how many instructions."""
    numbers, instructions = [], []
    for origin in origins:
        lines = [line for file in origin.files if file.suffix == ".jsonl" for line in read_lines(file)]
        own = [str(line.get("instruction")) for line in lines if line.get("source") != "seed"]
        numbers.append(len(own))
        instructions.append(len(set(own)))
    if not min(numbers):  # exports in other forms
        return "their instances"
    noun = "instance" if max(numbers) == 1 else "instances"
    return f"the {_span(numbers)} {noun} of {_span(instructions)} of them"


def _other_data(run: Run) -> list[str]:
    """That the model tuned was tuned on other data, or that nothing shows on which."""
    if SELF_INSTRUCT not in run.systems:
        return []
    because = origin_of(run).because
    return [f"Mind that {because}."] if because else []


def parameters_of(folder: Path) -> int | None:
    """Number of weights in a folder's safetensors files, by their headers; None where there is none."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        with open(path, "rb") as file:
            (size,) = struct.unpack("<Q", file.read(8))
            header: Mapping[str, Any] = json.loads(file.read(size))
        shapes = [entry["shape"] for name, entry in header.items() if name != "__metadata__"]
        for shape in shapes:
            count = 1
            for length in shape:
                count *= length
            total += count
    return total or None


def _model(run: Run) -> str:
    name = model_name(run)
    size = parameters_of(_EMBEDDED if run.is_embedded else Path(name))
    return f"Model: {name}{f' ({size:,} parameters)' if size else ''}"


def _seeds(run: Run) -> str:
    if not run.seeds:
        return ""
    return f"; seed{'s' * (len(run.seeds) > 1)} {', '.join(map(str, run.seeds))}"


def _tunings(run: Run) -> list[str]:
    """How many models were tuned, over all seeds."""
    number = sum(len(chain.of(TRAIN)) for chain in run.chains)
    if not number:
        return []
    models = f"{number} models were" if number > 1 else "One model was"
    each = f" ({len(run.first.of(TRAIN))} a seed)" if len(run.chains) > 1 else ""
    beside = ", controls among them" if control_readings(run) else ""
    return [f"{models} tuned{_method(run.first)}{each}{beside}."]


def _method(chain: Chain) -> str:
    method = chain.of(TRAIN)[0].config.get("method", {})
    return " by LoRA" if method.get("name") == "lora" else ""


def _machine(run: Run) -> str:
    manifests = [step.manifest for step in run.step_dirs]
    devices = dict.fromkeys(str(m["device"]) for m in manifests if "device" in m)
    machine = manifests[0].get("versions", {}).get("machine", "unknown machine") if manifests else "unknown"
    seconds = sum(step.seconds for step in run.step_dirs)
    minutes = counted(round(seconds / 60), "minute") if seconds >= 60 else "less than a minute"
    spent = minutes if seconds < 7200 else f"{seconds / 3600:.1f} hours"
    return (
        f"Machine: {machine}{f', {chr(32).join(devices)}' if devices else ''}; {spent} of work in all steps."
    )


def _span(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
