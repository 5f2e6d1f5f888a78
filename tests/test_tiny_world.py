"""The little world: what is asked can be read back, and the benchmark is not in the training text."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import yaml
from rapidfuzz.distance import LCSseq
from rouge_score.rouge_scorer import RougeScorer

from selfinstruct.llm.tiny import benchmark, build, demo
from selfinstruct.llm.tiny.documents import BLANKS, write_document
from selfinstruct.llm.tiny.world import (
    HELD_OUT,
    OPERATIONS,
    TASKS,
    TRAINING_TASKS,
    find_task,
    is_correct,
    recognise,
    solve,
    write_instance,
    write_instruction,
)
from selfinstruct.rouge import tokenize_english

REPOSITORY = Path(__file__).parents[1]
BENCHMARK = REPOSITORY / "eval" / "data" / "littleworld"
SOME_DOCUMENTS = 1500
"""How much of the training text the rules are checked on in `make test`; `make soak` checks all of it."""
SUPERNI_TEST_CATEGORIES = {
    "Textual Entailment",
    "Title Generation",
    "Coreference Resolution",
    "Answerability Classification",
    "Question Rewriting",
    "Data to Text",
    "Word Analogy",
    "Cause Effect Classification",
    "Dialogue Act Recognition",
    "Keyword Tagging",
    "Overlap Extraction",
    "Grammar Error Correction",
}


def rouge_l(one: list[str], other: list[str]) -> float:
    """ROUGE-L of two lists of words."""
    return 2 * LCSseq.similarity(one, other) / (len(one) + len(other))


@pytest.fixture(scope="module", params=["some", pytest.param("all", marks=pytest.mark.soak)])
def training_texts(request: pytest.FixtureRequest) -> list[str]:
    built = json.loads((build.FOLDER / "model" / "build.json").read_text(encoding="utf-8"))
    documents = SOME_DOCUMENTS if request.param == "some" else built["training_documents"]
    return [write_document(0, index).text for index in range(documents)]


@pytest.fixture(scope="module")
def training_instructions(training_texts: list[str]) -> set[str]:
    lines = {line for text in training_texts for line in text.split("\n")}
    shortened = (re.sub(r"^(?:Task:|\d+\.) ", "", line).split(" Output:")[0] for line in lines)
    found = {line for line in shortened if recognise(line)}
    assert len(found) > 5000
    return found


@pytest.fixture(scope="module")
def training_pairs(training_texts: list[str]) -> set[tuple[str, str]]:
    pairs = set()
    for text in training_texts:
        pairs.update(re.findall(r"^Input: (.+)\nOutput: (.+)$", text, re.MULTILINE))
        pairs.update((x, y) for y, x in re.findall(r"^Class label: (.+)\n(.+)$", text, re.MULTILINE))
    assert len(pairs) > 5000
    return pairs


@pytest.fixture(scope="module")
def task_files() -> dict[str, dict]:
    names = (BENCHMARK / "splits/default/test_tasks.txt").read_text(encoding="utf-8").split()
    files = {
        name: json.loads((BENCHMARK / "tasks" / f"{name}.json").read_text(encoding="utf-8")) for name in names
    }
    assert len(files) == len(list((BENCHMARK / "tasks").glob("*.json")))
    return files


@pytest.fixture(scope="module")
def shown_elsewhere() -> list[str]:
    """The instructions of the seeds and of the prompts."""
    prompts = yaml.safe_load(demo.PROMPTS_PATH.read_text(encoding="utf-8"))
    seeds = [json.loads(line) for line in demo.SEEDS_PATH.read_text(encoding="utf-8").splitlines()]
    return [seed["instruction"] for seed in seeds] + [
        shot["instruction"]
        for part in ("classification", "input_first", "output_first")
        for shot in prompts[part]["demonstrations"]
    ]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_wording_is_recognised_and_every_answer_is_right(task):
    for draw in range(8):
        rng = Random(f"test:{task.name}:{draw}")
        instruction = write_instruction(task, rng)
        assert recognise(instruction) == task, instruction
        assert len(instruction.split()) > 3
        text, output = write_instance(task, rng)
        assert is_correct(task, text, output)
        assert text != output and output and not output.endswith(":")
        assert not is_correct(task, text, output + " zebra")
        if task.needs_input:
            assert solve(task, text) == output


@pytest.mark.parametrize(
    ("operation", "word_type", "text", "output"),
    [
        ("reverse", "animal", "fox, cat, owl", "owl, cat, fox"),
        ("swap_ends", "tool", "axe, saw, rope, rake", None),  # a saw is no tool of the world
        ("swap_ends", "tool", "axe, drill, rope, rake", "rake, drill, rope, axe"),
        ("count", "fruit", "fig, pear, plum", "3"),
        ("tag_list", "drink", "fox, tea, rose", "tea"),
        ("odd_one_out", "drink", "milk, tea, rose", "rose"),
        ("shared_list", "city", "Rome, Oslo / Lima, Rome", "Rome"),
        ("either", "animal+tool", "axe", "tool"),
        ("plural", "fruit", "cherry", "cherries"),
        ("analogy_plural", "animal", "cat : cats, fox : ?", "foxes"),
        ("analogy_plural", "animal", "cat : foxes, fox : ?", None),
        ("analogy_kind", "animal", "cat : animal, tea : ?", "drink"),
        ("even_odd", "", "7", "odd"),
        ("sum", "", "9 + 4", "13"),
        ("entail", "animal", "Tom sees the fox in the park. Tom sees the fox.", "yes"),
        ("entail", "animal", "Tom sees the fox. Tom sees the fox in the park.", "no"),
        ("contradict", "animal", "Tom sees the fox. Tom does not see the fox.", "yes"),
        ("answer_who", "animal", "Tom sees the fox. Who sees the cat?", "no"),
        ("answer_where", "animal", "Tom sees the fox in the park. Where does Tom see the fox?", "yes"),
        ("pronoun", "flower", "Tom meets Anna. She picks the rose.", "Anna"),
        ("it", "fruit", "Tom eats the pear in the park. Anna wants it.", "the pear"),
        ("title", "city", "Tom visits Rome.", "Tom and Rome"),
        ("to_question", "drink", "Tom pours the tea.", "Does Tom pour the tea?"),
        ("who_question", "drink", "Tom pours the tea.", "Who pours the tea?"),
        ("resolve", "drink", "Anna is here. Does she pour the tea?", "Does Anna pour the tea?"),
        ("record", "tool", "name: Tom | tool: axe | place: park", "Tom sees the axe in the park."),
        ("triple", "city", "Tom | visits | Rome", "Tom visits Rome."),
        ("cause_effect", "fruit", "Tom is hungry. Tom eats the pear.", "effect"),
        ("cause_effect", "fruit", "Tom is cold. Tom eats the pear.", None),
        ("find_cause", "fruit", "Tom eats the pear. Tom is hungry.", "Tom is hungry."),
        ("act", "worker", "Where is the nurse?", "question"),
        ("reply", "flower", "I will never pick the rose.", "refuse"),
        ("agreement", "animal", "Tom feed the fox.", "Tom feeds the fox."),
        ("agreement", "animal", "Tom feeds the fox.", None),
        ("doubled", "animal", "Tom feeds feeds the fox.", "Tom feeds the fox."),
        ("article", "animal", "Tom feeds fox.", "Tom feeds the fox."),
        ("negate", "animal", "Tom feeds the fox.", "Tom does not feed the fox."),
        ("past", "animal", "Tom feeds the fox.", "Tom fed the fox."),
        ("rename", "animal", "Tom feeds the fox. (Anna)", "Anna feeds the fox."),
        ("reverse", "fruit", "fox, cat, owl", None),  # animals are no fruits
    ],
)
def test_solve(operation, word_type, text, output):
    assert solve(find_task(operation, word_type), text) == output


@pytest.mark.parametrize(
    ("operation", "output", "right"),
    [
        ("name_two", "fox, cat", True),
        ("name_two", "fox, fox", False),
        ("name_two", "fox, pear", False),
        ("write_sentence", "Tom feeds the fox.", True),
        ("write_sentence", "Tom eats the pear.", False),
    ],
)
def test_open_tasks_have_many_right_answers(operation, output, right):
    assert is_correct(find_task(operation, "animal"), "", output) is right


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Reverse it.",
        "Reverse the list of animals and fruits.",
        "Reverse the list of animals. Answer yes or no.",
        "Decide whether the word is an animal. Answer even or odd.",
        "reverse the list of animals.",
    ],
)
def test_what_is_no_task_of_the_world_is_not_recognised(text):
    assert recognise(text) is None


def test_documents_do_not_depend_on_the_hash_seed():
    command = (
        "import hashlib; from selfinstruct.llm.tiny.documents import write_document as w;"
        "print(hashlib.sha256(''.join(w(0, i).text for i in range(60)).encode()).hexdigest())"
    )
    here = hashlib.sha256("".join(write_document(0, i).text for i in range(60)).encode()).hexdigest()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", command],
            env={"PYTHONHASHSEED": hash_seed},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == here


def test_no_held_out_task_is_in_the_training_text(training_instructions):
    held_out = [task for task in TASKS if task.held_out]
    assert len(held_out) == sum(map(len, HELD_OUT.values())) == 39
    seen = {recognise(text) for text in sorted(training_instructions)[::4]}
    assert len(seen) > 450
    assert not seen & set(held_out)
    assert len(TRAINING_TASKS) + len(held_out) == len(TASKS)


def test_a_task_is_answered_in_few_shot_documents_only(training_texts):
    sheets = 0
    for text in training_texts:
        if "Output:" in text and not text.startswith("Write examples for each task."):
            sheets += 1
            answers = {answer.strip() for answer in re.findall(r"Output:(.*)", text)}
            assert len(answers) == 1 and answers <= set(BLANKS), text
    assert sheets > 0.02 * len(training_texts)


def test_the_benchmark_has_the_promised_size(task_files):
    assert len(task_files) >= 24
    assert {content["Categories"][0] for content in task_files.values()} >= SUPERNI_TEST_CATEGORIES
    for name, content in task_files.items():
        assert all(isinstance(value, list) for value in content.values())
        assert len(content["Instances"]) >= 40
        assert len({instance["id"] for instance in content["Instances"]}) == len(content["Instances"])
        assert all(
            re.fullmatch(rf"{name[:5]}-[0-9a-f]{{32}}", instance["id"]) for instance in content["Instances"]
        )
        assert len(content["Positive Examples"]) >= 2 and all(
            e["explanation"] for e in content["Positive Examples"]
        )
        shown = {example["input"] for example in content["Positive Examples"]}
        assert not shown & {instance["input"] for instance in content["Instances"]}


def test_the_benchmark_files_are_what_the_world_writes(task_files, tmp_path):
    benchmark.write_benchmark(tmp_path)
    for path in tmp_path.rglob("*.*"):
        assert path.read_bytes() == (BENCHMARK / path.relative_to(tmp_path)).read_bytes(), path.name


def test_seeds_and_prompts_are_what_the_world_writes(tmp_path):
    demo.write_demo(tmp_path / "seeds", tmp_path / "prompts")
    assert (tmp_path / "seeds").read_bytes() == demo.SEEDS_PATH.read_bytes()
    assert (tmp_path / "prompts").read_bytes() == demo.PROMPTS_PATH.read_bytes()


def test_definitions_are_far_from_every_instruction(task_files, training_instructions, shown_elsewhere):
    instructions = {text: tokenize_english(text) for text in training_instructions | set(shown_elsewhere)}
    for name, content in task_files.items():
        definition = tokenize_english(content["Definition"][0])
        closest = max(instructions, key=lambda text: rouge_l(definition, instructions[text]))
        official = RougeScorer(["rougeL"]).score(content["Definition"][0], closest)["rougeL"].fmeasure
        assert official < 0.6, (name, closest)


def test_no_definition_shares_eight_words_in_a_row_with_the_training_text(
    task_files, training_texts, shown_elsewhere
):
    def eight_grams(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}

    definitions = set().union(*(eight_grams(content["Definition"][0]) for content in task_files.values()))
    assert len(definitions) > 500
    for text in [*training_texts, *shown_elsewhere]:
        assert not definitions & eight_grams(text), definitions & eight_grams(text)


def test_no_benchmark_instance_is_in_the_training_text_seeds_or_prompts(task_files, training_pairs):
    seeds = [json.loads(line) for line in demo.SEEDS_PATH.read_text(encoding="utf-8").splitlines()]
    prompts = yaml.safe_load(demo.PROMPTS_PATH.read_text(encoding="utf-8"))
    known = training_pairs | {(i["input"], i["output"]) for seed in seeds for i in seed["instances"]}
    for part in ("input_first", "output_first"):
        for shot in prompts[part]["demonstrations"]:
            known |= {
                (e["input"].removeprefix("Input: "), e.get("output", e.get("label")))
                for e in shot["examples"]
            }
    pairs = {(i["input"], i["output"][0]) for content in task_files.values() for i in content["Instances"]}
    assert not pairs & known


def test_each_word_of_a_definition_is_in_the_training_text(task_files, training_texts):
    seen = set(re.findall(r"\w+", " ".join(training_texts)))
    for content in task_files.values():
        for word in re.findall(r"\w+", content["Definition"][0]):
            assert word in seen or word.lower() in seen, word


def test_seeds_are_varied_and_not_held_out():
    seeds = [json.loads(line) for line in demo.SEEDS_PATH.read_text(encoding="utf-8").splitlines()]
    assert 60 <= len(seeds) <= 100
    assert 0.2 <= sum(seed["is_classification"] for seed in seeds) / len(seeds) <= 0.3
    texts = [tokenize_english(seed["instruction"]) for seed in seeds]
    assert max(rouge_l(a, b) for i, a in enumerate(texts) for b in texts[:i]) < 0.6
    for seed in seeds:
        task = recognise(seed["instruction"])
        assert task and not task.held_out and task.name == seed["name"]
        assert task.is_classification == seed["is_classification"]
        assert is_correct(task, seed["instances"][0]["input"], seed["instances"][0]["output"])
    covered = {recognise(seed["instruction"]).operation for seed in seeds}
    assert covered == set(OPERATIONS) - set(demo.LEFT_OUT)
