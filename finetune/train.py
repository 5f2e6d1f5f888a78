"""Phase 2, finetuning on completions: accelerate launch finetune/train.py run_dir=runs/tuned data=train.jsonl

Several GPUs: accelerate launch --config_file configs/accelerate/several_gpus.yaml finetune/train.py ...
Two processes without a GPU: ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 finetune/train.py ...

torch is imported when training begins, so that --help and a bad line of data do not wait for it.
"""

import math
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from finetune import tracking
from finetune.card import evaluation_section, show_evaluations
from finetune.config import DataSource, TemplateConfig, TrainConfig, decisive_settings
from finetune.examples import TokenisedExample, preview, render, tokenise
from finetune.progress import Progress
from finetune.sources import LoadedSource, load_source, load_sources, source_digest
from selfinstruct import processes
from selfinstruct.entry import run_command
from selfinstruct.errors import UserError
from selfinstruct.runs import RunFolder, open_run

if TYPE_CHECKING:
    from finetune.batching import Step
    from finetune.tuning import Tuning


def main(config: TrainConfig) -> None:
    """A run from its folder to its adapter; the main process holds the folder, the others take part."""
    with processes.main_speaks_first(), ExitStack() as stack:
        run: RunFolder | None = None

        def prepare() -> tuple[list[LoadedSource], LoadedSource | None] | None:
            nonlocal run
            processes.refuse_unknown_sharding()
            processes.refuse_missing_processes()
            tracking.refuse_if_missing(config.tracker)
            evaluation_section(config.evaluations)  # refuses folders without scores
            if config.dry_run:
                decisive_settings(config, source_digest)
                return load_all(config)
            settings = asdict(config) | {"run_dir": str(config.run_dir)}
            run = stack.enter_context(open_run(config.run_dir, "train", settings))
            if is_complete(run, config):
                return None
            return load_all(config)

        loaded = processes.decide(prepare)
        if loaded is None:
            processes.decide(lambda: add_to_complete_run(config))
            say(f"{config.run_dir}: complete already; its result is in {config.output}")
        else:
            train(config, *loaded, run)


def is_complete(run: RunFolder, config: TrainConfig) -> bool:
    """Whether the folder holds this run's result; UserError where it was made with other settings or data."""
    try:
        return run.prepare("train", decisive_settings(config, source_digest))
    except UserError as error:
        changed = [
            f"  data.{number} is {source.path}: what it holds is not what it was"
            for number, source in enumerate(config.sources)
            if f"data.{number}.sha256: was" in str(error)
        ]
        raise UserError("\n".join([str(error), *changed])) from error


def add_to_complete_run(config: TrainConfig) -> None:
    """What may be asked for afterwards: a result that was removed, scores in the card, the merged model."""
    if not any(path.stat().st_size for path in config.output.glob("*.safetensors")):
        from finetune import export

        say(f"{config.output}: is gone; made again from the last checkpoint")
        export.remake(config)
    if config.evaluations:
        show_evaluations(config.run_dir, config.evaluations)
    if config.export == "merged" and not (config.run_dir / "model").exists():
        from finetune import export

        export.save_merged(config, config.run_dir / "model")


def load_all(config: TrainConfig) -> tuple[list[LoadedSource], LoadedSource | None]:
    """The training data and, where there is some, the evaluation data; says how much of each is used."""
    sources = load_sources(config.sources, config.seed, config.data_size)
    for source in sources:
        note = f" ({source.note})" if source.note else ""
        repeated = f", each {source.weight:g} times on average" if source.weight != 1 else ""
        say(f"{source.path}: {len(source.rows)} of {source.num_read} examples{repeated}{note}")
    return sources, load_source(DataSource(config.eval_data), config.seed) if config.eval_data else None


def train(
    config: TrainConfig, sources: list[LoadedSource], evaluation: LoadedSource | None, run: RunFolder | None
) -> None:
    """Tune the model on the sources' examples; `run` is None in all processes but the main one."""
    from finetune import checkpoints, export
    from finetune import model as models

    # 1. The machine: its processes and devices, and the precision, which is ours (`models.completion_loss`).
    accelerator = start_processes(config)
    dtype = models.compute_dtype(config, accelerator.device)
    machine = processes.decide(lambda: prepare_machine(run, accelerator, dtype))

    # 2. The data: texts, their tokens, and the batch of every step.
    config = fitted(config)
    tokenizer = models.load_tokenizer(config)
    examples, counts = tokenise_rows(config, config.template, sources, tokenizer)
    for example in examples[: config.preview]:
        say(preview(example, tokenizer))
    held_out = tokenise_held_out(config, evaluation, tokenizer)
    steps = plan(config, examples)
    if config.dry_run:
        return say(f"dry run: {len(steps)} steps; nothing was trained or written")

    # 3. The model, its optimizer, and the state in which an earlier start left them.
    tuning = start_tuning(config, accelerator, dtype)
    folder = config.run_dir / "checkpoints"
    checkpoint = processes.decide(lambda: checkpoints.newest(folder, lambda text: say_and_log(text, run)))
    done = tuning.begin(checkpoint)
    if run:
        run.note(**machine)  # all that can be refused has been looked at: from here on the folder is written
    say(f"{len(steps)} steps" + (f", continuing after step {done}" if done else ""))

    # 4. The loop over the steps that are left.
    if config.tracker:
        tracking.start(accelerator, config.tracker, config.run_dir, done)
    metrics = config.run_dir / "metrics.jsonl"
    try:
        with Progress(metrics, done, len(steps), checkpoint, run is not None) as progress:
            train_steps(config, tuning, steps, examples, done, tokenizer, progress)
    finally:
        tracking.finish(accelerator)

    # 5. The results.
    if held_out:
        counts["eval_loss"] = tuning.mean_loss(held_out)
    weights = tuning.weights()
    if run:
        export.write_results(config, sources, counts, tuning.model, weights)
        checkpoints.prune(config.run_dir / "checkpoints", keep=1)
        run.complete("machine")
        run.complete("train", **counts)
    merged = config.run_dir / "model"
    say(f"{config.output}: written" + (f"; merged: {merged}" if config.export == "merged" else ""))


def fitted(config: TrainConfig) -> TrainConfig:
    """The config as the model bears it: its `max_length` within the context, its target modules all there."""
    from finetune import architecture

    model = architecture.empty_model(config)
    architecture.refuse_unknown_targets(config, model)
    fitting = architecture.within_context(config, model)
    if fitting.longest < config.longest:
        say(f"max_length {fitting.longest}: the model's positions end there")
    return fitting


def start_processes(config: TrainConfig) -> Any:
    """accelerate's view of this process, the others and their devices."""
    import torch
    from accelerate import Accelerator

    from finetune import sharding

    torch.set_num_threads(config.threads)  # sums come out bit-equal only with the same number of threads
    accelerator = Accelerator(mixed_precision="no", log_with=config.tracker, project_dir=config.run_dir)
    sharding.start(accelerator)
    return accelerator


def start_tuning(config: TrainConfig, accelerator: Any, dtype: Any) -> "Tuning":
    """The model, in whole or in parts as the launcher asks for it."""
    from finetune import sharding

    sharding.refuse_4_bits(config, accelerator)
    if sharding.kind(accelerator) == "zero3":
        from finetune.zero3 import Zero3Tuning

        return Zero3Tuning(config, accelerator, dtype)
    from finetune.tuning import Tuning

    return Tuning(config, accelerator, dtype)


def plan(config: TrainConfig, examples: list[TokenisedExample]) -> "list[Step]":
    """The batch of every step of the run."""
    from finetune.batching import plan_steps

    lengths = [len(example.ids) for example in examples]
    steps = plan_steps(lengths, config.batch_size, config.epochs, config.seed, config.group_by_length)
    return steps[: config.max_steps]


def train_steps(
    config: TrainConfig,
    tuning: "Tuning",
    steps: "list[Step]",
    examples: list[TokenisedExample],
    done: int,
    tokenizer: Any,
    progress: Progress,
) -> None:
    """Take every step after the first `done`, write down what came out, and a checkpoint where one is due.

    Raises:
        StoppedEarly: the run was asked to stop, and the step that was running is done and saved.
    """
    from finetune import failures
    from finetune.stopping import PoliteStop, stopped_after

    with PoliteStop(tuning.accelerator) as stop:
        for number, step in enumerate(steps[done:], start=done + 1):
            batch = [examples[index] for index in step.batch]
            rate = learning_rate(config, number, len(steps))
            loss, norm = tuning.step(number, batch, rate)
            failures.stop_unless_finite(loss, norm, number, batch, config.run_dir, tokenizer)
            progress.add(number, step.epoch, loss, rate, norm, batch)
            curves = {"loss": loss, "learning_rate": rate, "grad_norm": norm}
            tuning.accelerator.log(curves, step=number)
            is_last = number == len(steps)
            is_asked = stop.is_asked() and not is_last
            if is_last or is_asked or checkpoint_is_due(config, number):
                tuning.save(number)
            if is_asked:
                # A process that ended before the main one has written would have the launcher end that, too.
                tuning.accelerator.wait_for_everyone()
                raise stopped_after(number, len(steps))


def checkpoint_is_due(config: TrainConfig, step: int) -> bool:
    """Whether `checkpoint_every` asks for a checkpoint after this step."""
    return config.checkpoint_every is not None and step % config.checkpoint_every == 0


def tokenise_rows(
    config: TrainConfig, template: TemplateConfig, sources: list[LoadedSource], tokenizer: Any
) -> tuple[list[TokenisedExample], dict[str, Any]]:
    """Rows through the template to tokens; says and returns what was shortened or dropped.

    Raises:
        UserError: nothing is left.
    """
    rows = [row for source in sources for row in source.rows]
    texts = render(rows, template, config.seed, tokenizer)
    examples, counts = tokenise(texts, tokenizer, tokenizer.eos_token_id, config.longest)
    summary = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    if not examples:
        advice = 'raise max_length, or give "input" (the part of a prompt that may be shortened)'
        raise UserError(f"data: nothing is left to train on ({summary}); {advice}")
    say(summary)
    return examples, counts


def tokenise_held_out(
    config: TrainConfig, evaluation: LoadedSource | None, tokenizer: Any
) -> list[TokenisedExample]:
    """The evaluation data's examples, in one form each; none where there is no such data."""
    if evaluation is None:
        return []
    return tokenise_rows(config, TemplateConfig(config.template.name), [evaluation], tokenizer)[0]


def learning_rate(config: TrainConfig, step: int, num_steps: int) -> float:
    """The rate of a step (from 1): linear warm-up, then a decay that ends at 0 one step after the last."""
    num_warmup = math.ceil(config.warmup_share * num_steps)
    if step <= num_warmup:
        return config.learning_rate * step / num_warmup
    progress = (step - num_warmup - 1) / (num_steps - num_warmup)
    match config.schedule:
        case "cosine":
            return config.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))
        case "linear":
            return config.learning_rate * (1 - progress)
        case _:
            return config.learning_rate


def prepare_machine(run: RunFolder | None, accelerator: Any, dtype: Any) -> dict[str, Any]:
    """What the last digits depend on; UserError where an earlier start of the run had others."""
    from finetune import sharding

    device, precision = accelerator.device.type, str(dtype).removeprefix("torch.")
    machine = {"num_processes": accelerator.num_processes, "device": device, "dtype": precision}
    if in_parts := sharding.kind(accelerator):
        machine["sharding"] = in_parts
    if run:  # none in a dry run
        run.prepare("machine", machine)
    say(f"{machine['num_processes']} process(es) on {device}, {precision}{', sharded' * bool(in_parts)}")
    return machine


def say(text: str) -> None:
    """Print a line, from the main process alone."""
    if processes.is_main():
        print(text, flush=True)


def say_and_log(text: str, run: RunFolder | None) -> None:
    """Print a line that the run's log shall hold, too."""
    say(text)
    if run:
        run.log(text)


if __name__ == "__main__":
    run_command("train", TrainConfig, main)
