"""Phase 2, finetuning on completions: accelerate launch finetune/train.py run_dir=runs/tuned data=train.jsonl

Several GPUs: accelerate launch --config_file configs/accelerate/several_gpus.yaml finetune/train.py ...
Two processes without a GPU: ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 finetune/train.py ...

torch is imported when training begins, so that --help and a bad line of data do not wait for it.
"""

import math
from contextlib import ExitStack, nullcontext
from dataclasses import asdict
from typing import Any

from finetune.config import DataSource, TemplateConfig, TrainConfig, decisive_settings
from finetune.examples import LoadedSource, TokenisedExample, load_source, preview, render, tokenise
from finetune.progress import Progress
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
            settings = asdict(config) | {"run_dir": str(config.run_dir)}
            run = stack.enter_context(open_run(config.run_dir, "train", settings))
            if run.prepare("train", decisive_settings(config)):
                return None
            evaluation = load_source(DataSource(config.eval_data), config.seed) if config.eval_data else None
            return [load_source(source, config.seed) for source in config.sources], evaluation

        loaded = processes.decide(prepare)
        if loaded is None:
            say(f"{config.run_dir}: complete already; the adapter is in {config.run_dir / 'adapter'}")
        else:
            train(config, *loaded, run)


def train(
    config: TrainConfig, sources: list[LoadedSource], evaluation: LoadedSource | None, run: RunFolder | None
) -> None:
    """Tune the model on the sources' examples; `run` is None in all processes but the main one."""
    import torch
    from accelerate import Accelerator

    from finetune import batching, checkpoints, export
    from finetune import model as models

    # 1. The machine.
    torch.set_num_threads(config.threads)  # sums come out bit-equal only with the same number of threads
    accelerator = Accelerator(mixed_precision="no")  # the precision is ours, in `completion_loss`
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

    # 3. The model, its optimizer, and the state in which an earlier start left them.
    model = models.load_model(config, dtype).to(accelerator.device)
    parameters = list(models.trainable(model).values())
    optimizer = torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
    folder = config.run_dir / "checkpoints"
    checkpoint = processes.decide(lambda: checkpoints.newest(folder))
    done = checkpoints.restore(checkpoint, model, optimizer, accelerator.device) if checkpoint else 0
    if run:
        run.note(**machine)  # all that can be refused has been looked at: from here on the folder is written
    say(f"{len(steps)} steps" + (f", continuing after step {done}" if done else ""))
    trainee, optimizer = accelerator.prepare(model, optimizer)

    # 4. The loop: each step sets the learning rate, sums the gradients of its batch, and updates the weights.
    metrics = config.run_dir / "metrics.jsonl"
    with Progress(metrics, done, len(steps), checkpoint, is_main=run is not None) as progress:
        for number, step in enumerate(steps[done:], start=done + 1):
            batch = [examples[index] for index in step.batch]
            rate = learning_rate(config, number, len(steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            loss = backward(accelerator, trainee, batch, number, config, dtype)
            norm = float(accelerator.clip_grad_norm_(parameters, config.max_grad_norm))
            stop_unless_finite(loss, norm, number, batch)
            optimizer.step()
            optimizer.zero_grad()
            progress.add(number, step.epoch, loss, rate, norm, batch)
            is_due = config.checkpoint_every and number % config.checkpoint_every == 0
            if run and (is_due or number == len(steps)):
                checkpoints.save(folder, number, model, optimizer, metrics, config.keep_checkpoints)

    # 5. The results.
    if held_out:
        counts["eval_loss"] = models.mean_loss(accelerator, model, held_out, config.micro_batch_size, dtype)
    if run:
        export.write_results(config, sources, counts, model)
        checkpoints.prune(folder, keep=1)
        run.complete("machine")
        run.complete("train", **counts)
    say(f"{config.run_dir / 'adapter'}: written")


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
    rounds = batching.share(batch, count, config.micro_batch_size)
    total = torch.zeros((), device=accelerator.device)
    model.train()
    for turn, parts in enumerate(rounds):
        micro_batch = batching.collate(parts[rank] or batching.untrained(batch[:1]), accelerator.device)
        models.seed_dropout(config.seed, step, turn * count + rank)
        # Gradients are exchanged once, in the last round.
        with nullcontext() if turn == len(rounds) - 1 else accelerator.no_sync(model):
            loss = models.completion_loss(model, micro_batch, dtype)
            accelerator.backward(loss * (count / num_trained))  # the exchange averages: times count, a sum
        total += loss.detach()
    return float(accelerator.reduce(total, "sum")) / num_trained


def stop_unless_finite(loss: float, grad_norm: float, step: int, batch: list[TokenisedExample]) -> None:
    """Refuse to train on after a loss or gradient that is not a number (UserError naming step and batch)."""
    if not (math.isfinite(loss) and math.isfinite(grad_norm)):
        lines = ", ".join(example.where for example in batch)
        raise UserError(
            f"step {step}: loss {loss}, gradient norm {grad_norm}; lower learning_rate, or look at the "
            f"examples of this batch: {lines}"
        )


def prepare_machine(run: RunFolder | None, accelerator: Any, dtype: Any) -> dict[str, Any]:
    """What the last digits depend on; UserError where an earlier start of the run had others."""
    assert run is not None
    device, precision = accelerator.device.type, str(dtype).removeprefix("torch.")
    machine = {"num_processes": accelerator.num_processes, "device": device, "dtype": precision}
    run.prepare("machine", machine)
    say(f"{machine['num_processes']} process(es) on {device}, {precision}")
    return machine


def say(text: str) -> None:
    """Print a line, from the main process alone."""
    if processes.is_main():
        print(text, flush=True)


if __name__ == "__main__":
    run_command("train", TrainConfig, main)
