"""The settings of phase 2 as plain dataclasses; imports nothing heavy, so that `--help` is quick."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.llm.model_folder import check_weights, looks_like_a_path
from selfinstruct.settings import REPOSITORY, folder_digest, from_dict

# Those of memory change the rounding at most, and can be lowered when a run has stopped for want of it.
MEMORY = ("micro_batch_size", "micro_batch_tokens", "gradient_checkpointing")
NOT_DECISIVE = (
    *("run_dir", "checkpoint_every", "keep_checkpoints", "preview", "dry_run"),
    *("export", "tracker", "evaluations"),
    *MEMORY,
)
MODEL_FILES = ("*.safetensors", "*.bin", "*.json", "*.model", "*.txt", "*.jinja", "*.py")


@dataclass
class DataSource:
    """Training data from one place, `sample` examples of it (null: all), each seen `weight` times an epoch.

    `path` is a file, a clone of natural-instructions (its training split) or the id of a hub dataset; of that
    `subset`, `split` and `revision` are read. `fields` says which of its fields stand for ours.
    """

    path: str
    weight: float = 1.0
    sample: int | None = None
    subset: str | None = None
    split: str = "train"
    revision: str | None = None
    fields: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = ("prompt", "completion", "instruction", "input", "output", "messages")
        for name in self.fields:
            _require(name in known, "data: fields", name, f"one of {', '.join(known)}")
        _require(bool(self.path.strip()), "data", "", "a file, a folder or a hub id; it is empty")
        _require(self.weight > 0, "data: weight", self.weight, "above 0")
        _require(self.sample is None or self.sample > 0, "data: sample", self.sample, "at least 1, or null")


@dataclass
class MethodConfig:
    """What is trained: all weights (`full`), or rank-`r` updates of the target modules (`lora`).

    LoRA is arXiv 2106.09685. The update is scaled by `alpha / r`, or by `alpha / sqrt(r)` with `rslora`
    (arXiv 2312.03732); `dora` learns the size of each column apart from its direction (arXiv 2402.09353);
    `qlora` keeps the frozen weights in 4 bits (arXiv 2305.14314).
    """

    name: str = "lora"
    r: int = 16
    alpha: float = 32
    dropout: float = 0.0
    target_modules: str | list[str] = "all-linear"
    rslora: bool = False
    dora: bool = False

    def __post_init__(self) -> None:
        names = ("lora", "qlora", "full")
        _require(self.name in names, "method.name", self.name, "lora, qlora or full")
        _require(self.r > 0, "method.r", self.r, "at least 1")
        _require(self.alpha > 0, "method.alpha", self.alpha, "above 0")
        _require(0 <= self.dropout < 1, "method.dropout", self.dropout, "in [0, 1)")

    @property
    def title(self) -> str:
        """What readers know the method as."""
        if self.name == "full":
            return "full finetuning"
        kind = {"lora": "LoRA", "qlora": "QLoRA (4 bits)"}[self.name]
        return "rs" * self.rslora + kind + " with DoRA" * self.dora

    @property
    def summary(self) -> str:
        """Its settings in a line."""
        if self.name == "full":
            return "all weights"
        named = self.target_modules
        targets = named if isinstance(named, str) else ", ".join(named)
        return f"r {self.r}, alpha {self.alpha:g}, dropout {self.dropout:g}, target modules {targets}"


@dataclass
class TemplateConfig:
    """How {instruction, input, output} becomes a prompt and a completion (paper, section 2.3)."""

    name: str = "random"
    templates_per_example: int = 1
    style: str = "self-instruct"

    def __post_init__(self) -> None:
        names = ("random", "fixed", "chat")
        _require(self.name in names, "template.name", self.name, "random, fixed or chat")
        count = self.templates_per_example
        _require(1 <= count <= 6, "template.templates_per_example", count, "1 to 6")
        if count > 1 and self.name != "random":
            raise UserError(f"template.templates_per_example={count} needs template=random, not {self.name}")
        styles = ("self-instruct", "tk-def")
        _require(self.style in styles, "template.style", self.style, "self-instruct or tk-def")


@dataclass
class TrainConfig:
    """All settings of a finetuning run; configs/train.yaml says what each is for.

    `data` is a source, a list of them, or `{name: source}`, which makes each a key of the command line.
    """

    run_dir: Path
    data: list[DataSource | str] | dict[str, Any] | str
    model: str
    seed: int = 1
    data_size: int | None = None
    eval_data: str | None = None
    method: MethodConfig = field(default_factory=MethodConfig)
    template: TemplateConfig = field(default_factory=TemplateConfig)
    max_length: int | None = None
    epochs: int = 2
    max_steps: int | None = None
    batch_size: int = 64
    packing: bool = True
    group_by_length: bool = False
    micro_batch_size: int = 4
    micro_batch_tokens: int | None = None
    learning_rate: float = 2e-4
    schedule: str = "cosine"
    warmup_share: float = 0.03
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    neftune_alpha: float = 0.0
    dtype: str = "auto"
    gradient_checkpointing: bool = False
    threads: int = 2
    trust_remote_code: bool = False
    checkpoint_every: int | None = 100
    keep_checkpoints: int = 2
    preview: int = 3
    export: str = "adapter"
    tracker: str | None = None
    evaluations: list[str] = field(default_factory=list)
    dry_run: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.data, dict):
            sources = {"": self.data} if "path" in self.data else self.data
            self.data = [_named_source(name, source) for name, source in sources.items()]
        for name in ("epochs", "batch_size", "micro_batch_size", "threads", "keep_checkpoints"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        for name in ("max_length", "data_size", "max_steps", "checkpoint_every", "micro_batch_tokens"):
            value = getattr(self, name)
            _require(value is None or value >= 1, name, value, "at least 1, or null")
        for name in ("learning_rate", "max_grad_norm"):
            _require(getattr(self, name) > 0, name, getattr(self, name), "above 0")
        for name in ("weight_decay", "neftune_alpha"):
            _require(getattr(self, name) >= 0, name, getattr(self, name), "at least 0")
        _require(0 <= self.warmup_share < 1, "warmup_share", self.warmup_share, "in [0, 1)")
        _require(bool(self.sources), "data", self.data, "one file, folder or hub id at least")
        _require(self.export in ("adapter", "merged"), "export", self.export, "adapter or merged")
        trackers = (None, "tensorboard", "wandb")
        _require(self.tracker in trackers, "tracker", self.tracker, "tensorboard, wandb or null")
        kinds = ("cosine", "linear", "constant")
        _require(self.schedule in kinds, "schedule", self.schedule, "cosine, linear or constant")
        _require(self.dtype in ("auto", "bf16", "fp32"), "dtype", self.dtype, "auto, bf16 or fp32")

    @property
    def sources(self) -> list[DataSource]:
        """The training data as a list of sources, also where paths were given."""
        given = [self.data] if isinstance(self.data, str) else self.data
        return [DataSource(source) if isinstance(source, str) else source for source in given]

    @property
    def longest(self) -> int:
        """Tokens that an example may have, before the model's own limit is known."""
        return self.max_length or 1024

    @property
    def output(self) -> Path:
        """The folder of the result: an adapter, or the whole model where all of it was trained."""
        return self.run_dir / ("model" if self.method.name == "full" else "adapter")


def _named_source(name: str, source: Any) -> DataSource | str:
    where = f"data.{name}." if name else "data."
    return from_dict(DataSource, source, where) if isinstance(source, dict) else str(source)


def _require(holds: bool, key: str, value: Any, wanted: str) -> None:
    if not holds:
        raise UserError(f"{key}={value}: must be {wanted}")


def decisive_settings(config: TrainConfig, digest: Callable[[DataSource], str]) -> dict[str, Any]:
    """The settings that decide the result: data by its bytes (`digest`), not by where it lies.

    Raises:
        UserError: data cannot be read, or the model's folder does not exist.
    """
    model = model_digest(config.model)  # first: it needs no reading of data to refuse a model
    settings = {key: value for key, value in asdict(config).items() if key not in NOT_DECISIVE}
    settings["max_length"] = config.longest
    if config.group_by_length:
        del settings["group_by_length"]  # as in run folders of before there was this key
    settings["data"] = {
        str(number): {"sha256": digest(source), "weight": source.weight, "sample": source.sample}
        | {f"fields.{ours}": theirs for ours, theirs in source.fields.items()}
        for number, source in enumerate(config.sources)
    }
    if config.eval_data is not None:
        settings["eval_data"] = digest(DataSource(config.eval_data))
    settings["model"] = model
    return settings


def model_digest(model: str) -> str:
    """sha256 over a local model's files, or the hub id itself.

    Raises:
        UserError: it looks like a path, but no folder is there; it is no causal language model; its weights
            are cut off, or not in safetensors.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").exists():
            raise UserError(f"model={model}: the folder has no config.json; give a transformers model folder")
        _refuse_unusable(folder)
        check_weights(folder)
        return folder_digest(folder, MODEL_FILES)
    if looks_like_a_path(model):
        raise UserError(f"model={model}: no such folder; give a transformers model folder or a hub id")
    return model


def _refuse_unusable(folder: Path) -> None:
    """Refuse what needs no torch to be known as unusable: an encoder-decoder, and pickled weights."""
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        is_encoder_decoder, kind = bool(settings.get("is_encoder_decoder")), settings.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        reason = f"its config.json cannot be read ({error}); copy the model again, whole"
        raise UserError(f"model={folder}: {reason}") from error
    if is_encoder_decoder:
        reason = (
            f"{kind} is an encoder-decoder; give a causal language model (Llama, Qwen, GPT-2 and the like)"
        )
        raise UserError(f"model={folder}: {reason}")
    if any(folder.glob("pytorch_model*.bin")) and not any(folder.glob("*.safetensors")):
        save = f"AutoModelForCausalLM.from_pretrained('{folder}').save_pretrained('{folder}')"
        raise UserError(
            f"model={folder}: its weights are pickled (*.bin) and could run code; only safetensors are read. "
            f'If you trust them: python -c "from transformers import AutoModelForCausalLM; {save}"'
        )


def portable_model_name(model: str) -> str:
    """The name as given, but a path inside the repository relative to it: the same from any clone."""
    path = Path(model).expanduser().resolve()
    inside = path.is_dir() and path.is_relative_to(REPOSITORY)
    return path.relative_to(REPOSITORY).as_posix() if inside else model
