"""`fidelity=released` against the rules' own words (the released code's parsing), on awkward answers.

The rules are written down here a second time, as directly as their description allows.
"""

import random
import re
import string
from pathlib import Path

import pytest
import yaml

from selfinstruct import jsonl
from selfinstruct.filters import FilterRules
from selfinstruct.finetuning_data import build_finetuning_data
from selfinstruct.parsing import ParsingRules, parse_classification, parse_instances, parse_instructions

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared/data/self-instruct-run"
RULES = ParsingRules.released()
FILTERS = FilterRules.from_dict(yaml.safe_load((ROOT / "configs/filters/paper.yaml").read_text("utf-8")))
FORBIDDEN = [*"image images graph graphs picture pictures file files map maps draw plot".split(), "go to"]
Instance = tuple[str, str]


# ---- the rules' own words


def instructions_of(text: str, finish_reason: str | None) -> list[str]:
    if finish_reason == "length":
        return []
    kept = []
    for piece in re.split(r"\n\d+\s?\. ", text):
        folded = re.sub(r"\s+", " ", piece).strip().capitalize()
        num_words = len(folded.split())
        if folded == "" or num_words <= 3 or num_words > 150:
            continue
        if any(re.search(rf"\b{word}\b", folded, re.IGNORECASE) for word in FORBIDDEN):
            continue
        if folded.startswith("Write a program") or folded[0] in string.punctuation or ord(folded[0]) > 127:
            continue
        kept.append(folded)
    return kept


def instances_of(text: str, finish_reason: str | None, is_classification: bool) -> set[Instance]:
    found = labelled(text) if is_classification else generated(text.strip())
    if finish_reason == "length":
        found = found[:-1]
    found = [(i, o) for i, o in found if i != o and o != "" and not i.endswith(":") and not o.endswith(":")]
    if any(i == other != "" and o != another for i, o in found for other, another in found):
        return set()
    return set(found)


def generated(text: str) -> list[Instance]:
    if re.search(r"Example\s?\d*\.?", text):
        pieces = [piece for piece in re.split(r"Example\s?\d*\.?", text) if piece.strip()]
    else:
        pieces = [text] if re.search(r"Output\s*\d*\s*:", text) else []
    found = []
    for piece in pieces:
        parts = re.split(r"Output\s*\d*\s*:", piece)
        task_input, output = (parts[0], parts[1]) if len(parts) > 1 else ("", piece)
        output = re.split(r"Input\s*\d*\s*:", output)[0]
        task_input = re.sub(r"\AInput\s*\d*\s*:", "", task_input.strip())
        found.append((task_input.strip(), output.strip()))
    return found


def labelled(text: str) -> list[Instance]:
    found = []
    for piece in text.split("Class label:")[1:]:
        label, *rest = piece.strip().split("\n", 1)
        found.append(("".join(rest).strip(), label.strip()))
    return found


# ---- awkward answers

PIECES = (
    *("Example", "Example 1", "Example 2.", "Example3", " Examples ", "For Example: ", "example 1"),
    *(
        "Output:",
        "Output 1:",
        "Output  2 :",
        "Output",
        "output:",
        "Input:",
        "Input 3 :",
        "Input",
        "Class label:",
    ),
    *(
        "Class label: yes\n",
        "Class Label:",
        "Class label",
        "\n",
        "\n\n",
        " ",
        "\t",
        "\r\n",
        "\xa0",
        "\u2028",
        "\x1f",
    ),
    *("a", "b", "no", "12", "١", ":", "https://x.y", "é", "", "-"),
)
WORDS = (
    *(
        "Write",
        "write",
        "WRITE",
        "a",
        "program",
        "programs",
        "Draw",
        "drawing",
        "map,",
        "file's",
        "go",
        "to",
        "USA",
    ),
    *(
        "\n9. ",
        "\n10 . ",
        "\n11.",
        "\n12\xa0. ",
        "\n13  . ",
        "\n١٤. ",
        "\n",
        "\t",
        "\u2028",
        "\x1c",
        "ß",
        "é",
        "İ",
    ),
    *("ǆ", "ﬁne", "_", "«", "!", "3.", "why", "name", "rivers", "word " * 80),
)


def awkward(pieces: tuple[str, ...], rng: random.Random, glue: str) -> str:
    return glue.join(rng.choice(pieces) for _ in range(rng.randint(0, 14)))


@pytest.mark.parametrize("is_classification", [True, False])
def test_instances_are_those_of_the_rules(is_classification: bool) -> None:
    rng = random.Random(1)
    num_found = 0
    for _ in range(20_000):
        text, reason = awkward(PIECES, rng, ""), rng.choice(("stop", "length", None))
        expected = instances_of(text, reason, is_classification)
        parsed, _ = parse_instances(text, reason, is_classification, RULES)
        assert {(each.input, each.output) for each in parsed} == expected, (text, reason)
        num_found += len(expected)
    assert num_found > 3_000


def test_instructions_are_those_of_the_rules() -> None:
    rng = random.Random(1)
    num_found = 0
    for _ in range(20_000):
        text, reason = awkward(WORDS, rng, " "), rng.choice(("stop", "stop", None, "length"))
        text = text.replace(" \n", "\n").replace(".  ", ". ")
        expected = instructions_of(text, reason)
        candidates = parse_instructions(text, reason, RULES, FILTERS)
        assert [each.text for each in candidates if each.reason is None] == expected, (text, reason)
        num_found += len(expected)
    assert num_found > 3_000


def test_classification_answers_are_those_of_the_rules() -> None:
    for answer in ("Yes", " yes\n", "\tYES ", "yEs", "Yes.", "No", "", "yes yes", "\xa0Yes\u2028", "ＹＥＳ"):
        assert parse_classification(answer, RULES) == (answer.strip() in ("Yes", "yes", "YES")), answer


# ---- files


def built(folder: Path) -> list[tuple[str, str, str]]:
    build_finetuning_data(folder, [], RULES, max_per_task=5, seed=1)
    lines = jsonl.read(folder / "finetuning_data" / "all_generated_instances.jsonl")
    return sorted((line["instruction"], line["input"], line["output"]) for line in lines)


def test_the_real_runs_raw_instances_give_the_instances_of_the_rules(tmp_path: Path) -> None:
    if not REAL.exists():
        pytest.skip("the shared real run is not here")
    raw = jsonl.read(REAL / "machine_generated_instances.jsonl")
    flags = jsonl.read(REAL / "is_clf_or_not_qwen_template_1.jsonl")
    jsonl.replace(tmp_path / "machine_generated_instances.jsonl", raw)
    jsonl.replace(tmp_path / "is_clf_or_not_qwen_template_1.jsonl", flags)
    is_classification = {line["instruction"]: line["is_classification"].strip() == "yes" for line in flags}
    expected = []
    for line in raw:
        found = instances_of(line["raw_instances"], None, is_classification[line["instruction"]])
        assert len(found) <= 5  # so that nothing is drawn
        expected += [(line["instruction"], *each) for each in found]
    assert expected
    assert built(tmp_path) == sorted(expected)


def test_lines_without_metadata_repeated_lines_and_changed_answers(tmp_path: Path) -> None:
    cut = {"response": {"choices": [{"finish_reason": "length"}]}}
    two = "Example 1\nx\nOutput: a\nExample 2\ny\nOutput: b"
    raw = [
        {"instruction": "Cut off.", "raw_instances": two, "instance_metadata": cut},
        {"instruction": "No metadata.", "raw_instances": two},
        {"instruction": "Null.", "raw_instances": two, "instance_metadata": None},
        {
            "instruction": "No reason.",
            "raw_instances": two,
            "instance_metadata": {"response": {"choices": [{}]}},
        },
        {"instruction": "Failed.", "raw_instances": "", "instance_metadata": {"response": None}},
        {"instruction": " Twice. ", "raw_instances": two, "instance_metadata": cut},
        {"instruction": " Twice. ", "raw_instances": "Output: c"},
        {"instruction": "Labels.", "raw_instances": "Class label: l\nz"},
        {"instruction": "Nobody asked.", "raw_instances": "Class label: l\nz"},
    ]
    flags = [{"instruction": line["instruction"], "is_classification": "No"} for line in raw[:-1]]
    flags += [{"instruction": "Labels.", "is_classification": "Yes"}]
    jsonl.replace(tmp_path / "machine_generated_instances.jsonl", raw)
    jsonl.replace(tmp_path / "is_clf_or_not_davinci_template_1.jsonl", flags)
    both = [("x", "a"), ("y", "b")]
    assert built(tmp_path) == sorted(
        [
            *[("Cut off.", "x", "a"), ("Twice.", "x", "a"), ("Twice.", "", "c"), ("Labels.", "z", "l")],
            *[(name, *each) for name in ("No metadata.", "Null.", "No reason.") for each in both],
        ]
    )
