"""What chat models write in Markdown is read as the plain form it stands for; plain forms stay."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from selfinstruct import jsonl
from selfinstruct.markdown_answers import plain_list, plain_markers
from selfinstruct.markers import ENGLISH
from selfinstruct.parsing import ParsingRules, parse_instances, parse_instructions
from selfinstruct.settings import REPOSITORY
from selfinstruct.tasks import Instance, read_seed_tasks

FIXED, RELEASED = ParsingRules.fixed(), ParsingRules.released()
PLAIN_ONLY = replace(FIXED, read_markdown=False)
REAL = Path(__file__).parents[2] / "shared/data/self-instruct-run"
TASKS = ["Name a river.", "Add the two numbers.", "Say why it rains."]

LISTS = {
    "parenthesis": "9) {}\n10) {}\n11) {}",
    "continued with parentheses": " {}\n10) {}\n11) {}",
    "indented": " 9. {}\n 10. {}\n 11. {}",
    "bold number": "**9.** {}\n**10.** {}\n**11.** {}",
    "bold number with parenthesis": "**9)** {}\n\n**10)** {}\n\n**11)** {}",
    "all bold": "**9. {}**\n**10. {}**\n**11. {}**",
    "with a word before": "Sure:\n\n__9.__ {}\n__10.__ {}\n__11.__ {}",
    "from one": "1) {}\n2) {}\n3) {}",
}


@pytest.mark.parametrize("form", LISTS.values(), ids=LISTS)
def test_every_way_to_number_a_list_gives_its_instructions(form: str) -> None:
    candidates = parse_instructions(form.format(*TASKS), "stop", FIXED)
    assert [each.text for each in candidates if each.reason is None] == TASKS
    as_released = [each.text for each in parse_instructions(form.format(*TASKS), "stop", RELEASED)]
    assert as_released != [task.capitalize() for task in TASKS]


def test_a_list_inside_an_instruction_stays_part_of_it() -> None:
    text = " Put in order:\n  1) wash\n  2) dry\n10. Name 3) things.\n 12) is not due\n**11.** Add."
    assert [each.text for each in parse_instructions(text, "stop", FIXED)] == [
        "Put in order: 1) wash 2) dry",
        "Name 3) things. 12) is not due",
        "Add.",
    ]


INPUT_FIRST = {
    "bold": "**Example 1**\nSea\n**Output:** blue\n\n**Example 2**\nGrass\n**Output:** green",
    "colon outside": "**Example 1:**\nSea\n**Output**: blue\n\n**Example 2:**\nGrass\n**Output**: green",
    "headings": "### Example 1\nSea\n### Output:\nblue\n\n### Example 2\nGrass\n**Output**\ngreen",
    "inputs too": "__Example 1__\n__Input:__ Sea\n__Output:__ blue\n\n__Example 2__\n**Input**: Grass\n"
    "__Output:__ green",
    "in one line": "**Example 1.**\nSea **Output:** blue\n\n**Example 2.**\nGrass **Output:** green",
}


@pytest.mark.parametrize("text", INPUT_FIRST.values(), ids=INPUT_FIRST)
def test_markers_in_markdown_give_the_instances(text: str) -> None:
    expected = [Instance("Sea", "blue"), Instance("Grass", "green")]
    assert parse_instances(text, "stop", False, FIXED)[0] == expected
    assert parse_instances(text, "stop", False, PLAIN_ONLY)[0] != expected


LABELS = {
    "bold": "**Class label:** fast\nA hare\n**Class label:** slow\nA snail",
    "colon outside": "**Class label**: fast\nA hare\n\n**Class label**: slow\nA snail",
    "all bold": "**Class label: fast**\nA hare\n**Class label: slow**\nA snail",
    "headings": "## Class label: fast\nA hare\n## **Class label:** slow\nA snail",
}


@pytest.mark.parametrize("text", LABELS.values(), ids=LABELS)
def test_class_labels_in_markdown_give_the_instances(text: str) -> None:
    expected = [Instance("A hare", "fast"), Instance("A snail", "slow")]
    assert parse_instances(text, "stop", True, FIXED)[0] == expected
    assert parse_instances(text, "stop", True, PLAIN_ONLY)[0] != expected


def test_markdown_in_inputs_and_outputs_is_theirs() -> None:
    text = "Example 1\n# Title\n**bold** __init__\nOutput: **strong** text\n\nExample 2\nx\nOutput: ## y"
    assert parse_instances(text, "stop", False, FIXED)[0] == [
        Instance("# Title\n**bold** __init__", "**strong** text"),
        Instance("x", "## y"),
    ]


def plain_answers(rng: Random) -> tuple[str, str]:
    """A numbered list and an instance text in the plain forms, of pieces with marks of Markdown in them."""
    tasks = [seed.instruction for seed in read_seed_tasks(REPOSITORY / "seeds/seed_tasks.jsonl")]
    odd = [
        "Use 3) or 4. here",
        "**Bold** words",
        "# a title",
        "x = __name__",
        "See https://a.b: it is",
        "1) a 2) b",
    ]
    picked = [" ".join(rng.sample(tasks + odd * 9, 2)) for _ in range(6)]
    numbered = " " + "\n".join(
        picked[0] if n == 0 else f"{9 + n}{rng.choice(['. ', ' . '])}{task}" for n, task in enumerate(picked)
    )
    pairs = enumerate(pairwise(picked), start=1)
    blocks = [f"Example {n}\n{a}\nOutput: {b}" for n, (a, b) in pairs]
    return numbered, "\n\n".join(blocks)


def test_plain_forms_are_left_as_they_are() -> None:
    rng = Random(5)
    for _ in range(300):
        numbered, instances = plain_answers(rng)
        assert plain_list(numbered, 9) == numbered
        assert plain_markers(instances, ENGLISH) == instances


@pytest.mark.skipif(not REAL.exists(), reason="the real run is not here")
def test_the_answers_of_a_real_run_are_parsed_as_before() -> None:
    for record in jsonl.read(REAL / "machine_generated_instructions.jsonl"):
        if (metadata := record.get("metadata")) and metadata["response"]:
            text = metadata["response"]["choices"][0]["text"]
            assert parse_instructions(text, "stop", FIXED) == parse_instructions(text, "stop", PLAIN_ONLY)
    for record in jsonl.read(REAL / "machine_generated_instances.jsonl"):
        text = record["raw_instances"]
        for is_classification in (True, False):
            before = parse_instances(text, "stop", is_classification, PLAIN_ONLY)
            assert parse_instances(text, "stop", is_classification, FIXED) == before
