"""Which model a phase 3 command asks, and its predictions in the run folder: shared by both benchmarks.

python scripts/eval_superni.py run_dir=runs/eval model=PATH_OR_HUB_ID adapter=runs/tuned/adapter
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from eval.predict import STAGE, Manner, Prediction, predict, prompt_limit
from eval.shares import Share
from eval.superni_tasks import Sample
from selfinstruct.encoding import PromptStyle, check_prompting
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLM, LLMConfig, make_llm
from selfinstruct.llm.budget import BudgetConfig, Price
from selfinstruct.processes import count, decide
from selfinstruct.runs import RunFolder

MAX_TOKENS = 1024
MAX_TOKENS_TINY = 64  # the embedded model's prompt and answer share 512 tokens, and its answers are short


@dataclass(frozen=True)
class Question:
    """How a model is asked: the keys that eval_superni and eval_user_oriented share."""

    model: str | None
    adapter: str | None
    llm: LLMConfig
    prompt_style: str
    num_examples: int
    max_tokens: int | None
    system: str | None
    stop: list[str] = field(default_factory=list)
    stop_at_paragraph: bool = False
    batch_tokens: int | None = None
    budget: BudgetConfig = field(default_factory=BudgetConfig)

    def __post_init__(self) -> None:
        check_prompting(self.prompt_style, self.num_examples)
        for key in ("max_tokens", "batch_tokens"):
            value = getattr(self, key)
            if value is not None and value < 1:
                raise UserError(f"{key}: {value} must be at least 1")
        if not all(self.stop):
            raise UserError(
                "stop: holds an empty text; name texts that end an answer, say 'stop=[\"Input:\"]'"
            )

    @property
    def asked_tokens(self) -> int:
        """Tokens of the longest answer."""
        default = MAX_TOKENS_TINY if model_config(self).backend == "tiny" else MAX_TOKENS
        return self.max_tokens or default

    @property
    def manner(self) -> Manner:
        """How each sample is asked."""
        style = cast(PromptStyle, self.prompt_style)
        stop = tuple(self.stop)
        return Manner(style, self.asked_tokens, stop, self.stop_at_paragraph, self.batch_tokens)

    @property
    def price(self) -> Price | None:
        """What the model's tokens cost, where that is given."""
        llm = model_config(self)
        return self.budget.price_of(llm.model or llm.backend)

    def refuse_with_predictions(self) -> None:
        """Score-only mode asks no model.

        Raises:
            UserError: a key of the model is given as well.
        """
        for key, value in (
            ("model", self.model),
            ("adapter", self.adapter),
            ("num_examples", self.num_examples),
        ):
            if value:
                raise UserError(
                    f"predictions and {key} are both given; predictions=FILE scores that file alone"
                )


def model_config(question: Question) -> LLMConfig:
    """The model to ask: the one `model` names, else what the `llm` group says; `adapter` goes on it.

    Raises:
        UserError: two keys name different models or adapters.
    """
    llm = question.llm
    if question.model:
        if llm.backend == "tiny":  # the default group: nothing of the embedded model's settings applies
            llm = LLMConfig("local", question.model, context_length=llm.context_length, batch_size=None)
        elif llm.backend == "replay":
            raise UserError("model and llm=replay are both given; keep one of them")
        elif llm.model not in (None, question.model):
            raise UserError(f"model={question.model} and llm.model={llm.model} differ; keep one of them")
        llm = replace(llm, model=question.model)
    if question.adapter:
        if llm.adapter not in (None, question.adapter):
            raise UserError(
                f"adapter={question.adapter} and llm.adapter={llm.adapter} differ; keep one of them"
            )
        if llm.backend == "replay":
            raise UserError("adapter is given with llm=replay, which asks no model; drop it")
        llm = replace(llm, adapter=question.adapter)
    return replace(llm, endpoint="chat") if question.prompt_style == "chat" else llm


def ask(
    question: Question, samples: Sequence[Sample], run: RunFolder, benchmark: dict[str, Any]
) -> tuple[list[Prediction] | None, dict[str, Any]]:
    """The model's answers to all samples, in order (None: the folder has them), and their setting.

    A restart asks for no answer again. The caller writes the predictions and completes the step `predict`.
    The main process's part; the others `follow`.

    Raises:
        UserError: the folder's predictions were made with another setting or `benchmark`.
        StoppedEarly: the budget is reached.
    """
    llm_config, manner = _checked(question)
    setting: dict[str, Any] = {
        "mode": "few-shot" if question.num_examples else "zero-shot",
        "system": question.system or _system_name(llm_config),
        "prompt_style": question.prompt_style,
        "num_examples": question.num_examples,
        "temperature": 0.0,
        "stop": list(manner.stop),
        "stop_at_paragraph": manner.stop_at_paragraph,
        "max_tokens": manner.max_tokens,
    }
    run.check(STAGE, _deciding(setting) | benchmark)  # another setting does not wait for the model
    llm = _make_llm(llm_config, question)
    try:
        setting["max_prompt_tokens"] = prompt_limit(llm, manner.max_tokens)
        setting["batch_tokens"] = None if llm.chunk_size == 1 else manner.batch_tokens or llm.batch_tokens
        setting["llm"] = dict(llm.description)
        setting["num_parameters"] = llm.num_parameters
        if run.prepare(STAGE, _deciding(setting) | benchmark) and _holds_predictions(run):
            decide(lambda: False)
            return None, setting
        share = Share(run.path)
        logged = share.open_log(llm, question.budget, question.price)
        run.begin(STAGE, _deciding(setting) | benchmark)  # all that can be refused has been looked at
        share.clear()
        decide(lambda: True)
        predictions = predict(samples, logged, manner, share)
        share.clear()
        logged.close()
        return predictions, setting
    finally:
        llm.close()


def _holds_predictions(run: RunFolder) -> bool:
    """Whether a complete step's file is there: a lost one is written again from the response log."""
    path = run.path / "predictions.jsonl"
    return path.is_file() and path.stat().st_size > 0


def follow(question: Question, samples: Sequence[Sample], run_dir: Path) -> None:
    """The part of every process but the main one: answer a share of the samples into a log of its own."""
    llm_config, manner = _checked(question)
    llm = _make_llm(llm_config, question)
    try:
        if decide(lambda: True):
            share = Share(run_dir)
            logged = share.open_log(llm, None, None)
            predict(samples, logged, manner, share)
            logged.close()
    finally:
        llm.close()


def _checked(question: Question) -> tuple[LLMConfig, Manner]:
    """The model to ask, and how; what several processes cannot do is refused before anything is loaded."""
    llm_config, limits = model_config(question), question.budget
    question.price  # noqa: B018 - a limit of cost without a price is refused
    if count() > 1 and llm_config.backend in ("openai", "replay"):
        raise UserError(
            f"llm={llm_config.backend}: one process sends all its requests; start it without a launcher"
        )
    if count() > 1 and (limits.max_requests or limits.max_tokens or limits.max_cost) is not None:
        raise UserError("budget: is kept by one process; drop it, or start without a launcher")
    return llm_config, question.manner


def _make_llm(config: LLMConfig, question: Question) -> LLM:
    try:
        return make_llm(config)
    except UserError as error:
        if question.prompt_style != "chat" or "chat template" not in str(error):
            raise
        name = question.model or config.model
        reason = "its tokenizer has no chat template, which prompt_style=chat needs"
        raise UserError(f"model {name}: {reason}; use prompt_style=self-instruct") from error


def _deciding(setting: dict[str, Any]) -> dict[str, Any]:
    # A name, and what follows from the model's weights.
    return {key: value for key, value in setting.items() if key not in ("system", "num_parameters")}


def _system_name(llm: LLMConfig) -> str:
    if llm.backend == "tiny":
        name = "embedded model"
    else:
        source = llm.model or llm.responses or llm.backend
        name = Path(source).name if Path(source).exists() else source
    return f"{name} + {Path(llm.adapter).name}" if llm.adapter else name
