"""The model to tune: any causal language model of transformers, with LoRA adapters through peft."""

import random
import warnings
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from finetune.batching import IGNORED, MicroBatch, collate, share, untrained
from finetune.config import TrainConfig, portable_model_name
from finetune.examples import TokenisedExample
from selfinstruct.errors import UserError
from selfinstruct.llm.model_folder import hide_hints_at_gpu_kernels


def load_tokenizer(config: TrainConfig) -> Any:
    """The model's own tokenizer.

    Raises:
        UserError: it cannot be loaded, or it has no end token.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model, trust_remote_code=config.trust_remote_code)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = f"its tokenizer cannot be loaded ({error}); put its files into the folder, or check the id"
        raise UserError(f"model={config.model}: {reason}") from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"model={config.model}: its tokenizer has no end token (eos_token); set one")
    return tokenizer


def compute_dtype(config: TrainConfig, device: torch.device) -> torch.dtype:
    """What the config asks for; `auto` is bfloat16 on a GPU that has it, else float32."""
    if config.dtype == "auto":
        has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if has_bf16 else torch.float32
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[config.dtype]


def load_model(config: TrainConfig, dtype: torch.dtype) -> PeftModel:
    """The frozen model in `dtype` with fresh LoRA adapters in float32; the same seed draws the same adapters.

    Raises:
        UserError: the model cannot be loaded, or the target modules do not exist in it.
    """
    if not torch.cuda.is_available():
        hide_hints_at_gpu_kernels()
    try:
        base = AutoModelForCausalLM.from_pretrained(
            config.model, dtype=dtype, trust_remote_code=config.trust_remote_code
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        advice = "give a folder or hub id of a causal language model"
        raise UserError(f"model={config.model}: cannot be loaded ({error}); {advice}") from error
    base.config.use_cache = False
    method = config.method
    lora = LoraConfig(
        task_type="CAUSAL_LM",
        r=method.r,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.target_modules,  # all-linear: every linear layer but the output head
    )
    torch.manual_seed(config.seed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # transformers 5 is renaming what peft calls
            if config.gradient_checkpointing:
                base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            model = get_peft_model(base, lora)
    except ValueError as error:
        raise UserError(f"method.target_modules={method.target_modules}: {error}") from error
    model.peft_config["default"].base_model_name_or_path = portable_model_name(config.model)
    return model


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that are tuned, by name."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def completion_loss(model: torch.nn.Module, batch: MicroBatch, dtype: torch.dtype) -> torch.Tensor:
    """Sum (not mean) of the negative log-likelihoods, in nats, of the batch's trained tokens."""
    with torch.autocast(batch.input_ids.device.type, dtype=dtype, enabled=dtype != torch.float32):
        output = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=False)
    targets = batch.labels[:, 1:].flatten()
    trained = (targets != IGNORED).nonzero().squeeze(1)
    # Only the logits of trained tokens are made float32: the rest would cost memory and count for nothing.
    predicted = output.logits[:, :-1].flatten(0, 1).index_select(0, trained).float()
    return functional.cross_entropy(predicted, targets.index_select(0, trained), reduction="sum")


def seed_dropout(seed: int, step: int, micro_batch: int) -> None:
    """Give a micro-batch a random stream of its own: the same after a restart and with any process count."""
    torch.manual_seed(random.Random(f"{seed}:dropout:{step}:{micro_batch}").getrandbits(63))


def mean_loss(
    accelerator: Any,
    model: torch.nn.Module,
    examples: list[TokenisedExample],
    micro_batch_size: int,
    dtype: torch.dtype,
) -> float:
    """Loss on held-out examples: the mean over their trained tokens (nats), without dropout."""
    ordered = sorted(examples, key=lambda example: len(example.ids))
    total = torch.zeros((), device=accelerator.device)
    model.eval()
    with torch.no_grad():
        for parts in share(ordered, accelerator.num_processes, micro_batch_size):
            mine = parts[accelerator.process_index] or untrained(ordered[:1])  # FSDP needs all in every round
            total += completion_loss(model, collate(mine, accelerator.device), dtype)
    return float(accelerator.reduce(total, "sum")) / sum(example.num_trained for example in ordered)
