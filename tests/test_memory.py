"""Out of memory halves a batch and goes on; the answers are those of a machine with enough."""

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from small_models import SENTENCES, save_model
from transformers import LlamaForCausalLM

from selfinstruct.errors import UserError
from selfinstruct.llm.base import Completion, LLMConfig, Request, complete_in_order
from selfinstruct.llm.local import LocalLLM

PROMPTS = [f"{number} {text}"[: 10 + 3 * number] for number, text in enumerate(SENTENCES * 3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model"))


def ask(llm: LocalLLM) -> list[Completion]:
    return list(complete_in_order(llm, [Request(prompt, max_tokens=20) for prompt in PROMPTS]))


def open_llm(folder: Path, batch_size: int = 12) -> LocalLLM:
    return LocalLLM(LLMConfig("local", str(folder), batch_size=batch_size, device="cpu"), str(folder))


class SmallMemory:
    """The model's forward pass, on a device with room for so many rows; notes the rows of each first pass."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, most_rows: int, error: type[Exception], text: str
    ) -> None:
        self.most_rows, self.refused = most_rows, 0
        whole = LlamaForCausalLM.forward

        def forward(model: Any, input_ids: torch.Tensor, **arguments: Any) -> Any:
            if len(input_ids) > self.most_rows:
                self.refused += 1
                raise error(text)
            return whole(model, input_ids=input_ids, **arguments)

        forward.__signature__ = inspect.signature(whole)  # type: ignore[attr-defined]
        monkeypatch.setattr(LlamaForCausalLM, "forward", forward)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (torch.OutOfMemoryError, "CUDA out of memory. Tried to allocate 20.00 MiB."),
        (
            RuntimeError,
            "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: 8 bytes",
        ),
    ],
)
def test_a_batch_that_does_not_fit_is_halved_until_it_does(
    error: type[Exception], text: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    expected = ask(open_llm(folder))
    llm = open_llm(folder)
    memory = SmallMemory(monkeypatch, 4, error, text)
    assert [answer.text for answer in ask(llm)] == [answer.text for answer in expected]
    assert memory.refused == 3  # all 12, and each half of 6
    assert "out of memory with 12 prompts at once: going on with half as many" in capsys.readouterr().err


def test_a_batch_of_a_size_that_failed_is_not_tried_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = open_llm(folder)
    memory = SmallMemory(monkeypatch, 4, torch.OutOfMemoryError, "out of memory")
    ask(llm)
    first = memory.refused
    ask(llm)
    assert memory.refused == first


def test_a_prompt_that_does_not_fit_alone_is_named_by_its_length(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm = open_llm(folder)
    SmallMemory(monkeypatch, 0, torch.OutOfMemoryError, "out of memory")
    with pytest.raises(UserError, match=r"out of memory: a prompt of \d+ tokens .* does not fit alone"):
        ask(llm)


def test_another_error_is_not_taken_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    llm = open_llm(folder)
    SmallMemory(monkeypatch, 4, RuntimeError, "mat1 and mat2 shapes cannot be multiplied")
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        ask(llm)
