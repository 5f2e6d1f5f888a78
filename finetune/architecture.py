"""What a model's config tells before its weights are loaded: can it be tuned here, how long, which layers."""

import re
import textwrap
from dataclasses import replace
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from finetune.config import TrainConfig
from selfinstruct.errors import UserError

_LINEAR = ("Linear", "Conv1D")  # torch's, and GPT-2's


def empty_model(config: TrainConfig) -> torch.nn.Module:
    """The model without its weights (on torch's meta device): its config and the names of its layers.

    Raises:
        UserError: it is no causal language model, or its config cannot be read.
    """
    trust = config.trust_remote_code
    try:
        settings = AutoConfig.from_pretrained(config.model, trust_remote_code=trust)
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(settings, trust_remote_code=trust)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise cannot_be_loaded(config, error) from error


def cannot_be_loaded(config: TrainConfig, error: Exception, what: str = "it") -> UserError:
    """The refusal for what transformers says of a model: what to do first, then its reason in short."""
    if "trust_remote_code" in str(error):
        reason = "it brings Python code of its own; read it, and give trust_remote_code=true to run it"
        return UserError(f"model={config.model}: {reason}")
    advice = "give the folder or hub id of a causal language model, with its config and tokenizer"
    reason = textwrap.shorten(str(error), 300, placeholder=" ...")
    return UserError(f"model={config.model}: {what} cannot be loaded; {advice} ({reason})")


def context_length(model: torch.nn.Module) -> int | None:
    """Tokens up to which a model's positions reach; None where it counts distances or has a state instead."""
    settings: Any = model.config.get_text_config(decoder=True)  # type: ignore[operator, union-attr]
    positions = getattr(settings, "max_position_embeddings", None)
    if not positions:
        return None
    ropes = getattr(settings, "rope_parameters", None) or {}
    ropes = [rope for rope in ropes.values() if isinstance(rope, dict)] or [ropes]  # one a kind of layer
    return max([positions, *(_stretched(rope, positions) for rope in ropes)])


def _stretched(rope: dict[str, Any], positions: int) -> int:
    # Rotary positions that are scaled reach further, and not every config says so in max_position_embeddings.
    trained = rope.get("original_max_position_embeddings") or positions
    return int(trained * (rope.get("factor") or 1))


def within_context(config: TrainConfig, model: torch.nn.Module) -> TrainConfig:
    """The config with its `max_length` decided: as given, else 1024 or the model's context if that is less.

    Raises:
        UserError: more was asked for than the model's positions reach.
    """
    context = context_length(model)
    if context is None or config.longest <= context:
        return replace(config, max_length=config.longest)
    if config.max_length is not None:
        reason = f"the model's positions end at {context} tokens"
        raise UserError(f"max_length={config.max_length}: {reason}; lower max_length to {context} or less")
    return replace(config, max_length=context)


def refuse_unknown_targets(config: TrainConfig, model: torch.nn.Module) -> None:
    """Refuse target modules that the model has not; peft refuses only when none of them is there.

    Raises:
        UserError: naming those that match nothing, and what there is.
    """
    asked = config.method.target_modules
    if config.method.name == "full" or asked == "all-linear":
        return
    names = [name for name, _ in model.named_modules()]
    if isinstance(asked, str):  # peft's reading of a text
        if any(re.fullmatch(asked, name) for name in names):
            return
        reason = "a text is a pattern for the whole path of a module, and none matches"
        advice = f"for a module's name give a list: method.target_modules=[{asked}]"
        raise UserError(f"method.target_modules={asked}: {reason}; {advice}")
    missing = [target for target in asked if not any(f".{name}".endswith(f".{target}") for name in names)]
    if missing:
        layers = model.named_modules()
        linear = {name.rpartition(".")[2] for name, layer in layers if type(layer).__name__ in _LINEAR}
        found = f"its linear layers are {', '.join(sorted(linear))}"
        raise UserError(f"method.target_modules: the model has no {', '.join(missing)}; {found}")
