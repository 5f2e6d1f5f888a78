"""Any causal or encoder-decoder model by folder or hub id, through transformers, with or without adapter."""

import warnings
from collections import deque
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedModel,
)

from selfinstruct import processes
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, Completion, FinishReason, LLMConfig, Request
from selfinstruct.llm.decoding import Decoder, Row
from selfinstruct.llm.encoder_decoder import EncoderDecoderDecoder, prompt_length
from selfinstruct.llm.half_characters import LONGEST_HALF, is_byte, unfinished_bytes
from selfinstruct.llm.memory import MemoryLimit
from selfinstruct.llm.model_folder import (
    base_and_adapter,
    folder_weights_digest,
    hide_hints_at_gpu_kernels,
)

LARGEST_SANE_LENGTH = 10**8  # tokenizers without a limit say 10**30
BATCH_TOKENS_CPU, BATCH_TOKENS_GPU = 32768, 131072  # more gains nothing on a CPU (docs/benchmarks.md)
ALL_AT_ONCE = 4096  # requests: of a caller who makes batches of his own


class LocalLLM(LLM):
    """A transformers model on this machine; `batch_size` consecutive requests are computed together.

    Raises:
        UserError: the model, its tokenizer or the adapter cannot be loaded, or there is no chat template.
    """

    def __init__(self, config: LLMConfig, model: str) -> None:
        self._name, self._adapter = base_and_adapter(model, config.adapter)
        self.chunk_size = config.batch_size or ALL_AT_ONCE
        self.is_chat = config.endpoint == "chat"
        self._tokenizer = load_tokenizer(self._name, self._adapter, config.trust_remote_code)
        if self.is_chat and not self._tokenizer.chat_template:
            raise UserError(
                f"llm.model={self._name}: its tokenizer has no chat template, which llm.endpoint=chat needs; "
                "use llm.endpoint=completions"
            )
        self._model = load_model(self._name, self._adapter, config)
        self.num_parameters = self._model.num_parameters()
        self.is_encoder_decoder = bool(self._model.config.is_encoder_decoder)
        self._decoder: Decoder | EncoderDecoderDecoder
        if self.is_encoder_decoder:
            self.context_length = config.context_length or prompt_length(self._model)
            self._decoder = EncoderDecoderDecoder(self._model)
        else:
            self.context_length = config.context_length or context_length(self._model, self._tokenizer)
            self._decoder = Decoder(self._model)
        self.batch_tokens = BATCH_TOKENS_CPU if self._model.device.type == "cpu" else BATCH_TOKENS_GPU
        self._memory = MemoryLimit()
        self._end_tokens = end_tokens(self._model, self._tokenizer)
        self._stop_watch = StopWatch(self._tokenizer, behind=0 if self.is_encoder_decoder else 4)
        self._waiting: deque[Row] = deque()
        self._answered: deque[Completion] = deque()

    @cached_property
    def _fingerprint(self) -> dict[str, object]:
        return {
            "backend": "local",
            "model": Path(self._name).name if Path(self._name).is_dir() else self._name,
            "weights": weights_digest(self._name, self._model),
            "adapter": weights_digest(self._adapter) if self._adapter else None,
            "dtype": str(self._model.dtype).removeprefix("torch."),
            "chat": self.is_chat,
            "batch_size": None if self.chunk_size == ALL_AT_ONCE else self.chunk_size,
        }

    @property
    def description(self) -> dict[str, object]:
        """Names, digests and settings, without a path: the same folder elsewhere is the same model."""
        return dict(self._fingerprint)

    def count_tokens(self, text: str) -> int:
        """Number of tokens of a prompt, special tokens and chat template included."""
        return len(self._encode(text))

    def submit(self, request: Request) -> None:
        """Take a request; UserError where its prompt leaves no room for an answer in the context."""
        prompt = self._encode(request.prompt)
        room = request.max_tokens
        if self.context_length is not None:
            left = self.context_length - len(prompt)
            # An encoder-decoder's answer has a context of its own.
            room = min(room, left) if not self.is_encoder_decoder else room if left >= 0 else 0
            if room < 1:
                raise UserError(
                    f"llm.model={self._name}: a prompt of {len(prompt)} tokens leaves no room in "
                    f"its context of {self.context_length} tokens; show fewer or shorter examples, or "
                    f"take a model with more context (the prompt begins {request.prompt[:60]!r})"
                )
        self._waiting.append(Row(request, prompt, limit=room))

    def next_completion(self) -> Completion:
        """The oldest request's answer; computes the chunk it is in, if that has not happened yet."""
        if not self._answered:
            if not self._waiting:
                raise LookupError("no request is waiting for an answer")
            rows = [self._waiting.popleft() for _ in range(min(self.chunk_size, len(self._waiting)))]
            self._memory.decode(rows, self._decode)
            self._answered.extend(map(self._completion, rows))
        return self._answered.popleft()

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """This model, with requests that an earlier stage left behind dropped."""
        self.close()
        return self

    def close(self) -> None:
        """Drop outstanding requests."""
        self._waiting.clear()
        self._answered.clear()

    def _encode(self, prompt: str) -> list[int]:
        if self.is_chat:
            turns = [{"role": "user", "content": prompt}]
            prompt = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        # A chat template writes the special tokens itself.
        ids = self._tokenizer(prompt, add_special_tokens=not self.is_chat, verbose=False)["input_ids"]
        return ids or [self._tokenizer.bos_token_id or min(self._end_tokens, default=0)]

    def _decode(self, rows: list[Row]) -> None:
        self._decoder.decode(rows, self._ending)

    def _ending(self, row: Row) -> FinishReason | None:
        if row.generated[-1] in self._end_tokens or self._stop_watch.has_stopped(row):
            return "stop"
        return "length" if len(row.generated) >= row.limit else None

    def _completion(self, row: Row) -> Completion:
        assert row.finish_reason is not None
        ended = row.generated[-1] in self._end_tokens
        text = self._stop_watch.text(row, row.generated[:-1] if ended else row.generated)
        if row.finish_reason == "length":
            text = self._without_half_character(row, text)
        return Completion(text, row.finish_reason, len(row.prompt), len(row.generated))

    def _without_half_character(self, row: Row, text: str) -> str:
        # A character whose last bytes were not reached; a U+FFFD that the model wrote stays.
        pieces = self._tokenizer.convert_ids_to_tokens(row.generated[-LONGEST_HALF:])
        unfinished = unfinished_bytes(pieces)
        if unfinished and is_byte(pieces[-1]):
            return self._stop_watch.text(row, row.generated[:-unfinished])
        return text.removesuffix("\ufffd") if unfinished else text


class StopWatch:
    """Tells from token ids whether a row's text has reached a stop sequence, without decoding all of it.

    An answer is decoded `behind` so many of its prompt's tokens, of which it is the continuation.
    """

    def __init__(self, tokenizer: Any, behind: int = 4) -> None:
        self._tokenizer, self._behind = tokenizer, behind
        self._last_characters: dict[int, set[str]] = {}

    def has_stopped(self, row: Row) -> bool:
        """Whether a stop sequence of the request ended within the newest token."""
        stops = row.request.stop
        if not stops or not self._may_end_one_of(row.generated[-1], stops):
            return False
        # Each token has a byte at least; 8 more, since decoding can go wrong at the window's left edge.
        window = max(len(stop.encode()) for stop in stops) + 8
        tail = self._decode(row.generated[-window:])
        if not any(stop in tail for stop in stops):
            return False
        return _first_stop(row.request, self._text_after_prompt(row, row.generated)) is not None

    def text(self, row: Row, tokens: list[int]) -> str:
        """Text of a row's `tokens`, cut before the first stop sequence."""
        text = self._text_after_prompt(row, tokens)
        return text[: _first_stop(row.request, text)]

    def _may_end_one_of(self, token: int, stops: tuple[str, ...]) -> bool:
        if token not in self._last_characters:
            # Twice, because some tokenizers drop a space at the beginning of a text.
            self._last_characters[token] = set(self._decode([token, token]))
        characters = self._last_characters[token]
        return "\ufffd" in characters or any(stop[-1:] in characters for stop in stops)

    def _text_after_prompt(self, row: Row, tokens: list[int]) -> str:
        # Decoded behind the prompt's last tokens: alone, some tokenizers drop the space at the beginning.
        prompt = row.prompt[len(row.prompt) - min(self._behind, len(row.prompt)) :]
        before = self._decode(prompt)
        return self._decode(prompt + tokens)[len(before) :]

    def _decode(self, tokens: list[int]) -> str:
        return self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def _first_stop(request: Request, text: str) -> int | None:
    """Where the first stop sequence begins that counts; None where there is none."""
    first = len(text) - len(text.lstrip()) if request.stop_behind_text else 0
    places = [text.find(stop, first) for stop in request.stop]
    return min((place for place in places if place >= 0), default=None)


def load_tokenizer(model: str, adapter: str | None, trust_remote_code: bool) -> Any:
    """The model's tokenizer, or the adapter's own where it brings one (with its chat template)."""
    brings_one = adapter is not None and (Path(adapter) / "tokenizer_config.json").exists()
    source = adapter if brings_one else model
    try:
        return AutoTokenizer.from_pretrained(source, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(
            f"llm.model={source}: no tokenizer can be loaded from there ({first_line(error)}); "
            "put the model's tokenizer files beside its weights, or check the hub id"
        ) from error


def load_model(model: str, adapter: str | None, config: LLMConfig) -> PreTrainedModel:
    """The model with its adapter merged in, on its device, ready to answer."""
    device = config.device
    if device == "auto":
        device = f"cuda:{processes.local_index()}" if torch.cuda.is_available() else "cpu"
        if device != "cpu" and processes.local_index() >= torch.cuda.device_count():
            raise UserError(
                f"process {processes.local_index()} of this machine finds {torch.cuda.device_count()} GPUs; "
                "start one process a GPU (accelerate launch --num_processes)"
            )
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"llm.device={device}: there is no such GPU here; use llm.device=auto or cpu")
    try:
        torch.device(device)
    except RuntimeError as error:
        raise UserError(f"llm.device={device}: no such device; use auto, cpu or cuda") from error
    if device == "cpu":
        hide_hints_at_gpu_kernels()
    loaded: Any
    try:
        shape = AutoConfig.from_pretrained(model, trust_remote_code=config.trust_remote_code)
        auto_class: Any = AutoModelForSeq2SeqLM if shape.is_encoder_decoder else AutoModelForCausalLM
        loaded = auto_class.from_pretrained(
            model,
            dtype=choose_dtype(config.dtype, device),
            use_safetensors=True,
            trust_remote_code=config.trust_remote_code,
        )
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise UserError(
            f"llm.model={model}: cannot be loaded as a language model ({first_line(error)}); "
            "give a folder or hub id of one, with safetensors weights"
        ) from error
    if adapter:
        loaded = with_adapter(loaded, adapter)
    return loaded.to(device).eval()


def with_adapter(model: PreTrainedModel, adapter: str) -> PreTrainedModel:
    """The model with a LoRA adapter folder merged into its weights."""
    from peft import PeftModel

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # transformers 5 is renaming what peft calls
            return PeftModel.from_pretrained(model, adapter).merge_and_unload()
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise UserError(
            f"llm.adapter={adapter}: cannot be put on the model ({first_line(error)}); "
            "give the folder of a LoRA adapter that was trained on it"
        ) from error


def choose_dtype(name: str, device: str) -> torch.dtype:
    """bfloat16 on a GPU that has it, else float32, unless named."""
    if name == "auto":
        on_gpu = device.startswith("cuda") and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if on_gpu else torch.float32
    if name not in ("float32", "bfloat16", "float16"):
        raise UserError(f"llm.dtype: {name!r} is unknown; choose auto, float32, bfloat16 or float16")
    return getattr(torch, name)


def context_length(model: PreTrainedModel, tokenizer: Any) -> int | None:
    """The smaller of what the model's positions and its tokenizer allow; None where neither says."""
    positions = getattr(model.config.get_text_config(decoder=True), "max_position_embeddings", None)
    limits = [limit for limit in (positions, tokenizer.model_max_length) if limit]
    return min((limit for limit in limits if limit < LARGEST_SANE_LENGTH), default=None)


def end_tokens(model: PreTrainedModel, tokenizer: Any) -> frozenset[int]:
    """Every token id that ends an answer: the tokenizer's, and those of the generation config."""
    configured = model.generation_config.eos_token_id if model.generation_config else None
    ids = configured if isinstance(configured, list) else [configured]
    return frozenset(i for i in (*ids, tokenizer.eos_token_id) if i is not None)


def weights_digest(source: str, model: PreTrainedModel | None = None) -> str | None:
    """sha256 over a folder's weight files; for a hub id, its commit."""
    folder = Path(source)
    if not folder.is_dir():
        return getattr(model.config, "_commit_hash", None) if model is not None else None
    return folder_weights_digest(folder)


def first_line(error: Exception) -> str:
    """The first line of a library's message, which may be a page."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
