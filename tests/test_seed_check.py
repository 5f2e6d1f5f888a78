"""A file of one's own: every kind of broken seed is reported with line and field."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from selfinstruct.errors import UserError
from selfinstruct.seed_check import CheckSeedsConfig, check_seeds, find_problems
from selfinstruct.seed_spread import output_form

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds/seed_tasks.jsonl"
FILTERS = yaml.safe_load((ROOT / "configs/filters/paper.yaml").read_text())


def config(path, max_similarity=0.5, tokenizer="unicode", strict=False):
    return CheckSeedsConfig(path, FILTERS, max_similarity, tokenizer, strict)


TOPICS = """Plan a picnic for six people in the rain.
Translate the menu into Portuguese.
How tall is a fully grown giraffe?
Sum the column of prices below.
Name the capital city of Mongolia.
Explain photosynthesis in two short sentences.
Which verb tense does this clause use?
Rhyme four lines about an old bicycle.
Convert 40 degrees Fahrenheit to Celsius.""".splitlines()


def seed(number, **changes):
    record = {
        "id": f"t{number}",
        "name": f"name_{number}",
        "instruction": TOPICS[number],
        "instances": [{"input": "", "output": f"answer {number}"}],
        "is_classification": False,
    }
    record.update(changes)
    return {key: value for key, value in record.items() if value is not ...}


def instance(given, output):
    return {"instances": [{"input": given, "output": output}]}


def write(path, *changed_last):
    """Nine seeds, the last one (line 9) as given: a record, or raw bytes for the line."""
    records = [seed(number) for number in range(9 - len(changed_last))]
    lines = [record if isinstance(record, bytes) else json.dumps(record).encode() for record in records]
    lines += [record if isinstance(record, bytes) else json.dumps(record).encode() for record in changed_last]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


BROKEN = {  # a broken line 9: (the line, field, words of the reason)
    "no id": (seed(8, id=...), "id", "is missing"),
    "id a number": (seed(8, id=8), "id", "is a number"),
    "id twice": (seed(8, id="t3"), "id", "stands in line 4 too"),
    "name null": (seed(8, name=None), "name", "is null"),
    "no instruction": (seed(8, instruction=...), "instruction", "is missing"),
    "blank instruction": (seed(8, instruction=" \n"), "instruction", "is empty"),
    "instruction a list": (seed(8, instruction=["a"]), "instruction", "is a list"),
    "exact duplicate": (seed(8, instruction=TOPICS[2]), "instruction", "is that of line 3 again"),
    "spaced duplicate": (seed(8, instruction=TOPICS[2].replace(" ", "  ")), "instruction", "line 3 again"),
    "near duplicate": (
        seed(8, instruction="Translate this menu into Portuguese"),
        "instruction",
        "too similar to line 2",
    ),
    "control character": (seed(8, instruction=TOPICS[8] + "\x07 now"), "instruction", "U+0007"),
    "carriage return inside": (seed(8, **instance("a\r\nb", "c")), "instances[0].input", "U+000D"),
    "half a surrogate pair": (seed(8, **instance("", "\ud83d!")), "instances[0].output", "U+D83D"),
    "lost character": (seed(8, **instance("caf\ufffd", "x")), "instances[0].input", "U+FFFD"),
    "no instances": (seed(8, instances=...), "instances", "is missing"),
    "flat format": (seed(8, instances=..., input="", output="x"), "instances", "beside the instruction"),
    "instances empty": (seed(8, instances=[]), "instances", "is empty"),
    "instances an object": (seed(8, instances={"input": "", "output": "x"}), "instances", "is an object"),
    "instance a text": (seed(8, instances=["x"]), "instances[0]", "is text"),
    "no input": (seed(8, instances=[{"output": "x"}]), "instances[0].input", "is missing"),
    "output a number": (seed(8, **instance("6 + 1", 7)), "instances[0].output", "is a number"),
    "output empty": (seed(8, **instance("6 + 1", "")), "instances[0].output", "is empty"),
    "output equals input": (seed(8, **instance("same", "same ")), "instances[0].output", "equals the input"),
    "output ends with a colon": (
        seed(8, **instance("", "Here:")),
        "instances[0].output",
        "ends with a colon",
    ),
    "input ends with a colon": (seed(8, **instance("List:", "x")), "instances[0].input", "ends with a colon"),
    "one input, two outputs": (
        seed(8, instances=[{"input": "a", "output": "b"}, {"input": "a", "output": "c"}]),
        "instances[1]",
        "another output",
    ),
    "no is_classification": (seed(8, is_classification=...), "is_classification", "is missing"),
    "is_classification a text": (seed(8, is_classification="no"), "is_classification", "is text"),
    "bad JSON": (b'{"id": "t8",}', "", "not valid JSON"),
    "not an object": (b'["t8"]', "", "is a list"),
    "a key twice": (b'{"id": "t8", "id": "t9"}', "", '"id" twice'),
    "not UTF-8": ('{"id": "café"}'.encode("latin-1"), "", "not UTF-8 (byte 12"),
}

WARNED = {
    "no name": (seed(8, name=...), "name", "is missing"),
    "unknown field": (seed(8, topic="cars"), "topic", "is not read"),
    "white space around": (seed(8, **instance("", "x ")), "instances[0].output", "white space"),
    "instruction too short": (seed(8, instruction="Count to ten."), "instruction", "fewer_than_4_words"),
    "instruction about a file": (seed(8, instruction="Rename every file here."), "instruction", "file"),
    "label of two lines": (
        seed(8, **instance("x", "a\nb"), is_classification=True),
        "instances[0].output",
        "several lines",
    ),
}


def test_a_good_file_has_no_problem(tmp_path):
    assert find_problems(config(write(tmp_path / "mine.jsonl"))).problems == []


@pytest.mark.parametrize("name", BROKEN)
def test_broken_seed_is_an_error_with_line_and_field(name, tmp_path):
    line, field, words = BROKEN[name]
    path = write(tmp_path / "mine.jsonl", line)
    with pytest.raises(UserError) as error:
        check_seeds(config(path))
    assert re.search(
        rf"{re.escape(f'{path}:9: ' + (f'{field}: ' if field else ''))}.*{re.escape(words)}", str(error.value)
    )


@pytest.mark.parametrize("name", WARNED)
def test_doubtful_seed_is_a_warning_and_an_error_if_strict(name, tmp_path, capsys):
    line, field, words = WARNED[name]
    path = write(tmp_path / "mine.jsonl", line)
    check_seeds(config(path))
    warning = rf"^warning: {re.escape(f'{path}:9: {field}: ')}.*{re.escape(words)}"
    assert re.search(warning, capsys.readouterr().out, re.MULTILINE)
    with pytest.raises(UserError, match="1 problem to mend"):
        check_seeds(config(path, strict=True))


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda content: b"\xef\xbb\xbf" + content, 1, "byte-order mark"),
        (lambda content: content.replace(b"\n", b"\r\n"), 1, "9 lines from here on end in CRLF"),
        (lambda content: content.replace(b"\n", b"\n\n", 1), 2, "is blank"),
        (lambda content: content.rstrip(b"\n"), 9, "no line end"),
        (lambda content: b"".join(content.splitlines(keepends=True)[:5]), 0, "holds 5 tasks"),
    ],
)
def test_file_wide_oddity_is_a_warning(change, line, words, tmp_path):
    path = write(tmp_path / "mine.jsonl")
    path.write_bytes(change(path.read_bytes()))
    [problem] = find_problems(config(path)).problems
    assert (problem.line, problem.is_warning) == (line, True)
    assert words in problem.reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no seed task"),
        (b" \n\n", "no seed task"),
        (b'[\n{"id": 1}\n]\n', "not JSON Lines"),
        (b"[]", "not JSON"),
    ],
)
def test_file_that_is_no_seed_file_has_one_problem(content, words, tmp_path):
    (tmp_path / "mine.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=f"(?s)1 problem to mend.*{words}"):
        check_seeds(config(tmp_path / "mine.jsonl"))


def test_all_problems_of_the_file_are_listed_at_once(tmp_path):
    lines = [line for line, _, _ in BROKEN.values()]
    path = tmp_path / "mine.jsonl"
    path.write_bytes(
        b"".join(v + b"\n" if isinstance(v, bytes) else json.dumps(v).encode() + b"\n" for v in lines)
    )
    listed = {problem.line for problem in find_problems(config(path)).problems if not problem.is_warning}
    # These two have no original in this file.
    alone = {list(BROKEN).index(name) + 1 for name in ("exact duplicate", "near duplicate")}
    assert listed >= set(range(2, len(lines) + 1)) - alone


def test_similarity_limit_and_tokenizer_are_the_users(tmp_path):
    path = write(tmp_path / "mine.jsonl", BROKEN["near duplicate"][0])
    assert find_problems(config(path, max_similarity=0.9)).problems == []
    thai = [
        seed(7, instruction="แปลเมนูนี้เป็นภาษาโปรตุเกส ครับ ผม นะ"),
        seed(8, instruction="แปลเมนูนี้เป็นภาษาโปรตุเกส ค่ะ ฉัน นะ"),
    ]
    path = write(tmp_path / "thai.jsonl", *thai)
    assert any("too similar" in problem.reason for problem in find_problems(config(path)).problems)
    found = find_problems(config(path, tokenizer="english")).problems
    assert not any("too similar" in problem.reason for problem in found)


@pytest.mark.parametrize(
    "change", [{"max_similarity": 1.5}, {"max_similarity": -0.1}, {"tokenizer": "french"}]
)
def test_impossible_setting_is_refused(change):
    with pytest.raises(UserError, match=next(iter(change))):
        config(SEEDS, **change)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("yes", "single word"),
        ("a short answer", "one line"),
        ("one\ntwo", "several lines"),
        ("1. one\n2. two", "list"),
        ("Steps\n- one\n- two", "list"),
        ("| a |\n|---|\n| 1 |", "table"),
        ('{"a": 1}', "JSON"),
        ("[sic] it is", "one line"),
        ("def f():\n    return 1", "code"),
        ("Try\n```\nls\n```", "code"),
        ("Dear Ann,\n\nhello\n\nBo", "letter"),
        ("", "empty"),
    ],
)
def test_form_of_an_output(text, form):
    assert output_form(text) == form


def test_command_ends_with_2_and_names_the_place(tmp_path):
    write(tmp_path / "mine.jsonl", BROKEN["output empty"][0])
    command = [sys.executable, str(ROOT / "scripts/check_seeds.py"), "seeds=mine.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert "mine.jsonl:9: instances[0].output: is empty" in done.stderr
    assert "9 tasks, 9 instances" in done.stdout
    missing = subprocess.run([*command[:2], "seeds=none.jsonl"], cwd=tmp_path, capture_output=True, text=True)
    assert missing.returncode == 2
    assert missing.stderr.startswith("error: none.jsonl: cannot be read")


def test_command_ends_with_0_on_the_shipped_file(tmp_path):
    command = [sys.executable, str(ROOT / "scripts/check_seeds.py"), "strict=true"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("No errors, 0 warnings.\n")


def test_of_many_errors_the_first_50_are_shown_and_the_rest_counted(tmp_path):
    path = tmp_path / "seeds.jsonl"
    path.write_text("{}\n" * 20)
    with pytest.raises(UserError) as refused:
        check_seeds(config(path))
    lines = str(refused.value).splitlines()
    assert len(lines) == 1 + 50 + 1
    number = int(lines[0].split(": ")[1].split()[0])
    assert number == len([p for p in find_problems(config(path)).problems if not p.is_warning]) > 50
    assert lines[-1] == f"  and {number - 50} more; is it a file of seed tasks, an object a line?"
