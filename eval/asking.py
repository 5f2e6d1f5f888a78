"""Which model a phase 3 command asks, and its predictions in the run folder: shared by both benchmarks.

python scripts/eval_superni.py run_dir=runs/eval model=PATH_OR_HUB_ID adapter=runs/tuned/adapter
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from eval.predict import Prediction, max_prompt_tokens, predict
from eval.superni import Sample
from selfinstruct.encoding import PROMPT_STYLES, PromptStyle
from selfinstruct.errors import UserError
from selfinstruct.llm.base import LLMConfig, make_llm
from selfinstruct.llm.response_log import LoggedLLM
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

    def __post_init__(self) -> None:
        if self.prompt_style not in PROMPT_STYLES:
            choices = ", ".join(PROMPT_STYLES)
            raise UserError(f"prompt_style: {self.prompt_style!r} is unknown; choose from {choices}")
        if self.num_examples < 0:
            raise UserError(f"num_examples: {self.num_examples} must be 0 or more")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise UserError(f"max_tokens: {self.max_tokens} must be at least 1")

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
            llm = LLMConfig(backend="local", model=question.model, context_length=llm.context_length)
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

    Raises:
        UserError: the folder's predictions were made with another setting or `benchmark`.
    """
    llm_config = model_config(question)
    max_tokens = question.max_tokens or (MAX_TOKENS_TINY if llm_config.backend == "tiny" else MAX_TOKENS)
    llm = make_llm(llm_config)
    try:
        setting: dict[str, Any] = {
            "mode": "few-shot" if question.num_examples else "zero-shot",
            "system": question.system or _system_name(llm_config),
            "prompt_style": question.prompt_style,
            "num_examples": question.num_examples,
            "temperature": 0.0,
            "stop": [],
            "max_tokens": max_tokens,
            "max_prompt_tokens": max_prompt_tokens(llm.context_length, max_tokens),
            "llm": dict(llm.description),
        }
        deciding = {key: value for key, value in setting.items() if key != "system"} | benchmark
        if run.prepare("predict", deciding):
            return None, setting
        logged = LoggedLLM(llm, run.path / "response_log.jsonl").for_stage("predict")
        run.begin("predict", deciding)  # all that can be refused has been looked at
        return predict(samples, logged, cast(PromptStyle, question.prompt_style), max_tokens), setting
    finally:
        llm.close()


def _system_name(llm: LLMConfig) -> str:
    if llm.backend == "tiny":
        name = "embedded model"
    else:
        source = llm.model or llm.responses or llm.backend
        name = Path(source).name if Path(source).exists() else source
    return f"{name} + {Path(llm.adapter).name}" if llm.adapter else name
