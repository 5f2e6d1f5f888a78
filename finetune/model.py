"""The model to tune: any causal language model of transformers, whole or with LoRA adapters through peft."""

import importlib.util
import inspect
import random
import warnings
from typing import Any

import torch
from accelerate.utils import extract_model_from_parallel
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import is_flash_attn_2_available

from finetune.architecture import cannot_be_loaded
from finetune.batching import MicroBatch, collate, plan_rounds, untrained
from finetune.config import MethodConfig, TrainConfig, portable_model_name
from finetune.examples import IGNORED, TokenisedExample
from finetune.noise import EmbeddingNoise
from finetune.packing import RowPerExample, refuse_if_examples_mix
from selfinstruct.errors import UserError
from selfinstruct.llm.model_folder import hide_hints_at_gpu_kernels

CPU = torch.device("cpu")
# Their kernels read the weights of out_proj past any adapter on it; peft refuses one there.
FUSED_OUT_PROJ = ("mamba", "mamba2", "falcon_mamba", "falcon_h1", "nemotron_h")


def load_tokenizer(config: TrainConfig) -> Any:
    """The model's own tokenizer.

    Raises:
        UserError: it cannot be loaded, or it has no end token.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(config.model, trust_remote_code=config.trust_remote_code)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise cannot_be_loaded(config, error, "its tokenizer") from error
    if tokenizer.eos_token_id is None:
        raise UserError(f"model={config.model}: its tokenizer has no end token (eos_token); set one")
    return tokenizer


def compute_dtype(config: TrainConfig, device: torch.device) -> torch.dtype:
    """What the config asks for; `auto` is bfloat16 on a GPU that has it, else float32."""
    if config.dtype == "auto":
        has_bf16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if has_bf16 else torch.float32
    return {"bf16": torch.bfloat16, "fp32": torch.float32}[config.dtype]


def load_model(config: TrainConfig, dtype: torch.dtype, device: torch.device = CPU) -> torch.nn.Module:
    """The model on its device, ready to train: the same seed draws the same adapters.

    Frozen weights are in `dtype` (4 bits with QLoRA), trained ones always in float32.

    Raises:
        UserError: the model cannot be loaded, has no such target modules, or cannot be packed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # transformers 5 is renaming what we and peft call
        model: torch.nn.Module = _load_base(config, dtype, device)
        if config.method.name != "full":
            model = _add_adapters(model, config, dtype)
    model.to(device)
    if config.neftune_alpha:
        EmbeddingNoise(model, config.neftune_alpha)
    if config.packing:
        RowPerExample(model)
        refuse_if_examples_mix(model, device, dtype)
    return model


def _load_base(config: TrainConfig, dtype: torch.dtype, device: torch.device) -> Any:
    if not torch.cuda.is_available():
        hide_hints_at_gpu_kernels()
    settings: dict[str, Any] = {"dtype": torch.float32 if config.method.name == "full" else dtype}
    if config.method.name == "qlora":
        settings |= {"quantization_config": _in_4_bits(dtype, device), "device_map": {"": device}}
    try:
        base = AutoModelForCausalLM.from_pretrained(
            config.model, trust_remote_code=config.trust_remote_code, use_safetensors=True, **settings
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise cannot_be_loaded(config, error) from error
    base.config.use_cache = False
    has_kernel = device.type == "cuda" and dtype == torch.bfloat16 and is_flash_attn_2_available()
    if config.packing and has_kernel and base._supports_flash_attn:
        base.set_attn_implementation("flash_attention_2")  # needs no mask of length x length
    if config.gradient_checkpointing:
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return base


def _in_4_bits(dtype: torch.dtype, device: torch.device) -> BitsAndBytesConfig:
    if device.type != "cuda":
        raise UserError("method=qlora: 4-bit weights need a CUDA GPU, and none is here; use method=lora")
    if importlib.util.find_spec("bitsandbytes") is None:
        advice = "pip install 'selfinstruct[qlora]', or use method=lora"
        raise UserError(f"method=qlora: the package bitsandbytes is not installed; {advice}")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _add_adapters(base: Any, config: TrainConfig, dtype: torch.dtype) -> PeftModel:
    torch.manual_seed(config.seed)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="fan_in_fan_out")  # GPT-2's; peft sets it itself
            # Of patterns that peft makes itself for fused experts, and finds there.
            warnings.filterwarnings("ignore", message=".*_pattern keys did not match any")
            model = get_peft_model(base, _lora(config.method, base.config.model_type))
    except ValueError as error:
        raise UserError(f"method.target_modules={config.method.target_modules}: {error}") from error
    if dtype != torch.float32 and not config.method.dora:
        for module in model.modules():
            if isinstance(module, LoraLayer):
                module.cast_input_dtype_enabled = False  # to float32, from where autocast would cast back
    model.peft_config["default"].base_model_name_or_path = portable_model_name(config.model)
    return model


def _lora(method: MethodConfig, model_type: str) -> LoraConfig:
    is_fused = model_type in FUSED_OUT_PROJ and method.target_modules == "all-linear"
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=method.r,
        lora_alpha=method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.target_modules,  # all-linear: every linear layer but the output head
        exclude_modules=["out_proj"] if is_fused else None,
        use_rslora=method.rslora,
        use_dora=method.dora,
    )


def trainable(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The parameters that are tuned, by name."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def completion_loss(model: torch.nn.Module, batch: MicroBatch, dtype: torch.dtype) -> torch.Tensor:
    """Sum (not mean) of the negative log-likelihoods, in nats, of the batch's trained tokens."""
    targets = batch.labels[:, 1:]
    is_trained = targets != IGNORED
    # The logits of all tokens, times the vocabulary, would often be the largest thing in memory.
    columns = is_trained.any(0).nonzero().squeeze(1)
    places = {"attention_mask": batch.attention_mask}  # never both: see MicroBatch
    if batch.position_ids is not None:
        places = {"position_ids": batch.position_ids}
    with torch.autocast(batch.labels.device.type, dtype=dtype, enabled=dtype != torch.float32):
        if _takes_columns(model):
            places["logits_to_keep"] = columns
            logits = model(input_ids=batch.input_ids, use_cache=False, **places).logits
        else:
            logits = model(input_ids=batch.input_ids, use_cache=False, **places).logits[:, columns]
    predicted = logits[is_trained[:, columns]].float()
    return functional.cross_entropy(predicted, targets[is_trained], reduction="sum")


def _takes_columns(model: torch.nn.Module) -> bool:
    inner = extract_model_from_parallel(model)
    base = inner.get_base_model() if isinstance(inner, PeftModel) else inner
    return "logits_to_keep" in inspect.signature(base.forward).parameters


def seed_dropout(seed: int, step: int, micro_batch: int) -> None:
    """Give a micro-batch a random stream of its own: the same after a restart and with any process count."""
    torch.manual_seed(random.Random(f"{seed}:dropout:{step}:{micro_batch}").getrandbits(63))


def mean_loss(
    accelerator: Any,
    model: torch.nn.Module,
    examples: list[TokenisedExample],
    config: TrainConfig,
    dtype: torch.dtype,
) -> float:
    """Loss on held-out examples: the mean over their trained tokens (nats), without dropout."""
    ordered = sorted(examples, key=lambda example: len(example.ids))
    total = torch.zeros((), device=accelerator.device)
    model.eval()
    with torch.no_grad():
        for parts in plan_rounds(ordered, config, accelerator.num_processes):
            mine = parts[accelerator.process_index] or untrained(ordered[:1])  # FSDP needs all in every round
            total += completion_loss(model, collate(mine, accelerator.device, config.packing), dtype)
    return float(accelerator.reduce(total, "sum")) / sum(example.num_trained for example in ordered)
