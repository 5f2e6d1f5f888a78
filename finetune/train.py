"""Phase 2, finetuning on completions: accelerate launch finetune/train.py run_dir=runs/tuned data=train.jsonl

Several GPUs: accelerate launch --config_file configs/accelerate/several_gpus.yaml finetune/train.py ...
Two processes without a GPU: ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 finetune/train.py ...

torch is imported when training begins, so that --help and a bad line of data do not wait for it.
"""

import math
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from typing import Any

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


def main(config: TrainConfig) -> None:
    """A run from its folder to its adapter; the main process holds the folder, the others take part."""
    with processes.main_speaks_first(), ExitStack() as stack:
        run: RunFolder | None = None

        def prepare() -> tuple[list[LoadedSource], LoadedSource | None] | None:
            nonlocal run
            processes.refuse_unknown_sharding()
            tracking.refuse_if_missing(config.tracker)
            evaluation_section(config.evaluations)  # refuses folders without scores
            if config.dry_run:
                decisive_settings(config, source_digest)
                return load_all(config)
            settings = asdict(config) | {"run_dir": str(config.run_dir)}
            run = stack.enter_context(open_run(config.run_dir, "train", settings))
            if run.prepare("train", decisive_settings(config, source_digest)):
                return None
            return load_all(config)

        loaded = processes.decide(prepare)
        if loaded is None:
            processes.decide(lambda: add_to_complete_run(config))
            say(f"{config.run_dir}: complete already; its result is in {config.output}")
        else:
            train(config, *loaded, run)


def add_to_complete_run(config: TrainConfig) -> None:
    """What may be asked for afterwards: scores in the card, the merged model."""
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
        say(f"{source.path}: {len(source.rows)} of {source.num_read} examples{note}")
    return sources, load_source(DataSource(config.eval_data), config.seed) if config.eval_data else None


def train(
    config: TrainConfig, sources: list[LoadedSource], evaluation: LoadedSource | None, run: RunFolder | None
) -> None:
    """Tune the model on the sources' examples; `run` is None in all processes but the main one."""
    import torch
    from accelerate import Accelerator

    from finetune import batching, checkpoints, export, failures, sharding
    from finetune import model as models

    # 1. The machine.
    torch.set_num_threads(config.threads)  # sums come out bit-equal only with the same number of threads
    # The precision is ours, in `completion_loss`.
    accelerator = Accelerator(mixed_precision="no", log_with=config.tracker, project_dir=config.run_dir)
    is_sharded = sharding.starts(accelerator)
    dtype = models.compute_dtype(config, accelerator.device)
    machine = processes.decide(lambda: prepare_machine(run, accelerator, dtype))

    # 2. The data: texts, their tokens, and the batch of every step.
    tokenizer = models.load_tokenizer(config)
    examples, counts = tokenise_rows(config, config.template, sources, tokenizer)
    for example in examples[: config.preview]:
        say(preview(example, tokenizer))
    held_out = None
    if evaluation:
        held_out, _ = tokenise_rows(config, TemplateConfig(config.template.name), [evaluation], tokenizer)
    lengths = [len(example.ids) for example in examples]
    steps = batching.plan_steps(lengths, config.batch_size, config.epochs, config.seed)[: config.max_steps]

    if config.dry_run:
        return say(f"dry run: {len(steps)} steps; nothing was trained or written")

    # 3. The model, its optimizer, and the state in which an earlier start left them.
    with failures.advice_when_memory_runs_out(config, "loading the model"):
        model = models.load_model(config, dtype, sharding.loading_device(accelerator, is_sharded))
    tuned = models.trainable(model).values()
    optimizer = torch.optim.AdamW(tuned, lr=config.learning_rate, weight_decay=config.weight_decay)
    folder = config.run_dir / "checkpoints"
    checkpoint = processes.decide(lambda: checkpoints.newest(folder))
    done = checkpoints.restore_weights(checkpoint, model) if checkpoint else 0
    if run:
        run.note(**machine)  # all that can be refused has been looked at: from here on the folder is written
    say(f"{len(steps)} steps" + (f", continuing after step {done}" if done else ""))
    trainee, optimizer = accelerator.prepare(model, optimizer)
    parameters = list(models.trainable(model).values())  # FSDP has put its own in place of those before
    if checkpoint:
        checkpoints.restore_optimizer(checkpoint, optimizer)

    # 4. The loop: each step sets the learning rate, sums the gradients of its batch, and updates the weights.
    metrics = config.run_dir / "metrics.jsonl"
    if config.tracker:
        tracking.start(accelerator, config.tracker, config.run_dir, done)
    with Progress(metrics, done, len(steps), checkpoint, is_main=run is not None) as progress:
        for number, step in enumerate(steps[done:], start=done + 1):
            batch = [examples[index] for index in step.batch]
            rate = learning_rate(config, number, len(steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            with failures.advice_when_memory_runs_out(config, f"step {number}"):
                loss = backward(accelerator, trainee, batch, number, config, dtype)
                norm = float(sharding.whole(accelerator.clip_grad_norm_(parameters, config.max_grad_norm)))
                failures.stop_unless_finite(loss, norm, number, batch, config.run_dir, tokenizer)
                optimizer.step()
                optimizer.zero_grad()
            progress.add(number, step.epoch, loss, rate, norm, batch)
            accelerator.log({"loss": loss, "learning_rate": rate, "grad_norm": norm}, step=number)
            is_due = config.checkpoint_every and number % config.checkpoint_every == 0
            if is_due or number == len(steps):
                weights = sharding.whole_weights(model, keep=run is not None)
                state = sharding.whole_state(optimizer, keep=run is not None)
                if run:
                    checkpoints.save(folder, number, weights, state, metrics, config.keep_checkpoints)

    # 5. The results.
    tracking.finish(accelerator)
    if held_out:
        counts["eval_loss"] = models.mean_loss(accelerator, model, held_out, config, dtype)
    weights = sharding.whole_weights(model, keep=run is not None)
    if run:
        export.write_results(config, sources, counts, model, weights)
        checkpoints.prune(folder, keep=1)
        run.complete("machine")
        run.complete("train", **counts)
    say(f"{config.output}: written")


def tokenise_rows(
    config: TrainConfig, template: TemplateConfig, sources: list[LoadedSource], tokenizer: Any
) -> tuple[list[TokenisedExample], dict[str, Any]]:
    """Rows through the template to tokens; says and returns what was shortened or dropped.

    Raises:
        UserError: nothing is left.
    """
    rows = [row for source in sources for row in source.rows]
    texts = render(rows, template, config.seed, tokenizer)
    examples, counts = tokenise(texts, tokenizer, tokenizer.eos_token_id, config.max_length)
    summary = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items())
    if not examples:
        raise UserError(f"data: nothing is left to train on ({summary}); raise max_length")
    say(summary)
    return examples, counts


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


def backward(
    accelerator: Any, model: Any, batch: list[TokenisedExample], step: int, config: TrainConfig, dtype: Any
) -> float:
    """Add up the gradients of a global batch; returns its loss, the mean over all its trained tokens (nats).

    Each token weighs the same, whichever micro-batch or process it falls into (the sum of the losses is
    divided by the number of trained tokens of the whole batch, which every process knows).
    """
    import torch

    from finetune import batching
    from finetune import model as models

    count, rank = accelerator.num_processes, accelerator.process_index
    num_trained = sum(example.num_trained for example in batch)
    rounds = batching.plan_rounds(batch, config, count)
    total = torch.zeros((), device=accelerator.device)
    model.train()
    for turn, parts in enumerate(rounds):
        mine = parts[rank] or batching.untrained(batch[:1])
        micro_batch = batching.collate(mine, accelerator.device, config.packing)
        models.seed_dropout(config.seed, step, turn * count + rank)
        # Gradients are exchanged once, in the last round.
        with nullcontext() if turn == len(rounds) - 1 else accelerator.no_sync(model):
            loss = models.completion_loss(model, micro_batch, dtype)
            accelerator.backward(loss * (count / num_trained))  # the exchange averages: times count, a sum
        total += loss.detach()
    return float(accelerator.reduce(total, "sum")) / num_trained


def prepare_machine(run: RunFolder | None, accelerator: Any, dtype: Any) -> dict[str, Any]:
    """What the last digits depend on; UserError where an earlier start of the run had others."""
    device, precision = accelerator.device.type, str(dtype).removeprefix("torch.")
    machine = {"num_processes": accelerator.num_processes, "device": device, "dtype": precision}
    is_sharded = accelerator.distributed_type == "FSDP"
    machine |= {"sharding": "fsdp2"} if is_sharded else {}
    if run:  # none in a dry run
        run.prepare("machine", machine)
    say(f"{machine['num_processes']} process(es) on {device}, {precision}{', sharded' * is_sharded}")
    return machine


def say(text: str) -> None:
    """Print a line, from the main process alone."""
    if processes.is_main():
        print(text, flush=True)


if __name__ == "__main__":
    run_command("train", TrainConfig, main)
