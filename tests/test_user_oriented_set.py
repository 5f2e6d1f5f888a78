"""The user-oriented set holds what its README promises; what can be redone of its references is redone."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from statistics import fmean

import pytest
from rapidfuzz.distance import LCSseq
from rouge_score import rouge_scorer
from user_oriented_checks import (
    charts_and_maps,
    code,
    communication,
    culture_and_play,
    health_and_money,
    office,
    study,
    travel_and_home,
)

from eval.user_oriented import read_user_tasks
from selfinstruct import jsonl
from selfinstruct.rouge import tokenize_english
from selfinstruct.settings import REPOSITORY

PATH = REPOSITORY / "eval" / "data" / "user_oriented.jsonl"
TASKS = read_user_tasks(PATH)
INSTRUCTIONS = [task.instruction for task in TASKS]
SEEDS = [record["instruction"] for record in jsonl.read(REPOSITORY / "seeds" / "seed_tasks.jsonl")]
INPUT_WORDS = [len(task.input.split()) for task in TASKS if task.input.strip()]
WITH_CODE_OR_TABLE_IN_THE_ANSWER = [
    task.id for task in TASKS if {"with code", "with table"} & set(replace(task, input="").forms)
]
CHECKED = (
    *(communication, office, code, charts_and_maps),
    *(travel_and_home, health_and_money, study, culture_and_play),
)
CHECKS = {
    name: check for module in CHECKED for name, check in vars(module).items() if name.startswith("check_")
}


def test_there_are_252_tasks_with_one_instance_and_the_canary() -> None:
    lines = jsonl.read(PATH)
    assert [line["id"] for line in lines] == [f"user_oriented_task_{number}" for number in range(252)]
    assert all(len(line["instances"]) == 1 for line in lines)
    assert len({line["canary"] for line in lines}) == 1
    assert "not for training" in lines[0]["canary"]


def test_the_set_is_as_wide_as_promised() -> None:
    assert len({task.application for task in TASKS}) >= 60
    words = [len(task.instruction.split()) for task in TASKS]
    assert sum(words) / len(words) >= 12
    assert min(words) <= 7 and max(words) >= 50
    assert 30 <= sum("without input" in task.forms for task in TASKS) <= 60
    assert sum("long answer" in task.forms for task in TASKS) >= 40
    assert len(WITH_CODE_OR_TABLE_IN_THE_ANSWER) >= 25
    assert sum("long input" in task.forms for task in TASKS) >= 40
    first_words = Counter(task.instruction.split()[0] for task in TASKS)
    assert len(first_words) >= 120 and max(first_words.values()) <= 12


def test_no_two_tasks_share_an_output() -> None:
    assert len({task.reference.strip().lower() for task in TASKS}) == len(TASKS)


def highest_rouge_l(texts: Sequence[str], others: Sequence[str] | None) -> float:
    """Of two different texts, or of a text and one of the others."""
    tokens = [tokenize_english(text) for text in texts]
    pairs = product(tokens, map(tokenize_english, others)) if others else combinations(tokens, 2)
    return max(2 * LCSseq.similarity(one, two) / (len(one) + len(two)) for one, two in pairs)


def test_no_instruction_is_close_to_another_or_to_a_seed() -> None:
    assert highest_rouge_l(INSTRUCTIONS, None) < 0.6
    assert highest_rouge_l(INSTRUCTIONS, SEEDS) < 0.6
    scorer = rouge_scorer.RougeScorer(["rougeL"])  # the index's measure is that of the paper's
    assert highest_rouge_l(INSTRUCTIONS[:1], INSTRUCTIONS[1:9]) == max(
        scorer.score(INSTRUCTIONS[0], other)["rougeL"].fmeasure for other in INSTRUCTIONS[1:9]
    )


def test_texts_are_clean() -> None:
    for task in TASKS:
        for text in (task.instruction, task.reference):
            assert text == text.strip(), task.id
        assert not re.search(r"as an ai|sure!|here is your", task.reference.lower()), task.id


@pytest.mark.parametrize("name", CHECKS)
def test_the_reference_survives_being_redone(name: str) -> None:
    task = TASKS[int(name.removeprefix("check_"))]
    assert CHECKS[name](task.input, task.reference)


def test_most_references_are_redone() -> None:
    assert len(CHECKS) >= 200


def test_json_in_the_references_is_json() -> None:
    blocks = [block for task in TASKS for block in re.findall(r"```json\n(.*?)```", task.reference, re.S)]
    blocks += [task.reference for task in TASKS if re.fullmatch(r"\{.*\}|\[.*\]", task.reference, re.S)]
    assert len(blocks) >= 8
    assert all(isinstance(json.loads(block), (dict, list)) for block in blocks)


def test_the_readme_states_the_set_as_it_is() -> None:
    text = (PATH.parent / "README.md").read_text(encoding="utf-8")
    forms = Counter(form for task in TASKS for form in task.forms)
    stated = {
        "tasks": len(TASKS),
        "applications": len({task.application for task in TASKS}),
        "without input": forms["without input"],
        "with code": forms["with code"],
        "with a table": forms["with table"],
        "answer of more than 60 words": forms["long answer"],
        "answer with code or a table": len(WITH_CODE_OR_TABLE_IN_THE_ANSWER),
        "different answers": len({task.reference.strip().lower() for task in TASKS}),
        "highest ROUGE-L of two instructions": f"{highest_rouge_l(INSTRUCTIONS, None):.2f}",
        "highest ROUGE-L of an instruction and a seed task's": f"{highest_rouge_l(INSTRUCTIONS, SEEDS):.2f}",
        "mean words of an input, where there is one": f"{fmean(INPUT_WORDS):.1f}",
        "mean words of a reference answer": f"{fmean(len(task.reference.split()) for task in TASKS):.1f}",
        "different first words of instructions": len({text.split()[0] for text in INSTRUCTIONS}),
        "input of more than 80 words": forms["long input"],
        "answer of at most 5 words": forms["short answer"],
        "mean words of an instruction": f"{fmean(len(task.instruction.split()) for task in TASKS):.1f}",
    }
    for name, value in stated.items():
        assert f"| {name} | {value} |" in text, name
    assert f"holds a check for {len(CHECKS)} of the answers" in " ".join(text.split())
    reviewed = [int(number) for number in re.findall(r"^- \*\*(\d+), ", text, re.MULTILINE)]
    assert reviewed == list(range(0, 252, 10))
