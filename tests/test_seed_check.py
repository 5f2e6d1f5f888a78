"""The shipped seeds keep their promises, and every kind of broken seed is reported with line and field."""

import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from selfinstruct import rouge
from selfinstruct.errors import UserError
from selfinstruct.seed_check import CheckSeedsConfig, check_seeds, find_problems
from selfinstruct.seed_spread import output_form, spread
from selfinstruct.tasks import read_seed_tasks

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds/seed_tasks.jsonl"
TASKS = read_seed_tasks(SEEDS)
BY_NAME = {task.name: task for task in TASKS}
FILTERS = yaml.safe_load((ROOT / "configs/filters/paper.yaml").read_text())


def config(path, max_similarity=0.5, tokenizer="unicode", strict=False):
    return CheckSeedsConfig(path, FILTERS, max_similarity, tokenizer, strict)


def given(name):
    return BY_NAME[name].instances[0].input


def output(name):
    return BY_NAME[name].instances[0].output


def code(name):
    """The code of a seed's output: what its fence holds, or all of it."""
    fenced = re.search(r"```\w*\n(.*?)```", output(name), re.DOTALL)
    return fenced[1] if fenced else output(name)


def run_python(source, stdin=""):
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


# The shipped file


def test_counts_are_those_of_the_paper():
    assert len(TASKS) == 175
    assert sum(task.is_classification for task in TASKS) == 25
    assert all(len(task.instances) == 1 for task in TASKS)
    assert 40 <= sum(not task.instances[0].input for task in TASKS) <= 90
    assert [task.id for task in TASKS] == [f"seed_task_{i}" for i in range(175)]
    assert len(BY_NAME) == 175


def test_classification_tasks_are_spread_over_the_file():
    positions = [i for i, task in enumerate(TASKS) if task.is_classification]
    assert positions[0] < 20
    assert positions[-1] > 155


def test_instructions_vary_in_first_word_and_length():
    lengths = [len(task.instruction.split()) for task in TASKS]
    assert len({task.instruction.split()[0].casefold() for task in TASKS}) >= 60
    assert min(lengths) >= 4
    assert max(lengths) <= 80
    assert 15 <= sum(lengths) / len(lengths) <= 25


@pytest.mark.parametrize("tokenize", [rouge.tokenize_english, rouge.tokenize_unicode])
def test_no_two_instructions_are_alike(tokenize):
    pairs = list(combinations([task.instruction for task in TASKS], 2))
    scores = rouge.rouge_l_pairs([a for a, _ in pairs], [b for _, b in pairs], tokenize)
    assert len(scores) == 175 * 174 / 2
    assert scores.max() < 0.5


def test_the_shipped_file_has_neither_error_nor_warning():
    findings = find_problems(config(SEEDS))
    assert findings.problems == []
    assert len(findings.tasks) == 175


def test_the_statistics_in_the_readme_are_what_the_command_prints():
    printed = "\n".join(spread(find_problems(config(SEEDS)), SEEDS.name))
    assert printed in (ROOT / "seeds/README.md").read_text()


def test_every_tenth_task_has_a_written_review():
    reviews = (ROOT / "seeds/README.md").read_text()
    for i in range(0, 175, 10):
        assert f"| {i} | `{TASKS[i].name}` |" in reviews


# The outputs that can be run or counted

PYTHON_CHECKS = {
    "booking_overlap_minutes": """
assert overlap_minutes(("09:00", "10:30"), ("10:00", "12:00")) == 30
assert overlap_minutes(("10:00", "12:00"), ("09:00", "10:30")) == 30
assert overlap_minutes(("08:00", "18:00"), ("09:15", "09:20")) == 5
assert overlap_minutes(("08:00", "09:00"), ("09:00", "10:00")) == 0
assert overlap_minutes(("08:00", "09:00"), ("11:00", "12:00")) == 0
""",
    "duration_to_seconds": """
assert [seconds(t) for t in ("1h20m5s", "45m", "10s", "2h", "1h1s")] == [4805, 2700, 10, 7200, 3601]
for bad in ("", "5", "5m1h", "1.5h", "-1m", "1h ", "abc"):
    try:
        seconds(bad)
    except ValueError:
        continue
    raise AssertionError(bad)
""",
    "shared_default_bug": """
assert add_guest("Ana") == ["Ana"] and add_guest("Bo") == ["Bo"]
kept = []
assert add_guest("Cem", kept) is kept and kept == ["Cem"]
""",
    "weight_limited_batches": """
parcels = [("a", 2), ("b", 3), ("c", 1), ("d", 9), ("e", 5)]
assert list(batches(parcels, 5)) == [["a", "b"], ["c"], ["d"], ["e"]]
assert list(batches([], 5)) == []
assert list(batches([("x", 7)], 5)) == [["x"]]
""",
    "nest_dotted_keys": """
flat = {"db.host": "a", "db.port": 5432, "debug": True}
assert nest(flat) == {"db": {"host": "a", "port": 5432}, "debug": True}
assert nest({}) == {} and nest({"a.b.c": 1}) == {"a": {"b": {"c": 1}}}
for bad in ({"a": 1, "a.b": 2}, {"a.b": 2, "a": 1}, {"a.b": 1, "a.b.c": 2}):
    try:
        nest(bad)
    except KeyError:
        continue
    raise AssertionError(bad)
""",
    "isbn10_validator": """
assert is_isbn10("0-306-40615-2") and is_isbn10("0 8044 2957 X") and is_isbn10("080442957x")
for bad in ("0-306-40615-3", "X306406152", "030640615", "03064061522", "0-306-4061X-2", "", "a306406152"):
    assert not is_isbn10(bad), bad
""",
    "chat_message_counter": "",
    "birth_month_simulation": "",
    "pytest_for_shipping": "",
    "refactor_nested_loop": "",
    "retry_decorator": """
calls = []
@retry(3, (OSError, KeyError))
def flaky(needed, error=OSError):
    calls.append(1)
    if len(calls) < needed:
        raise error("no")
    return "done"
assert flaky(3) == "done" and len(calls) == 3 and flaky.__name__ == "flaky"
calls.clear()
for needed, error, expected in ((9, KeyError, 3), (9, TypeError, 1)):
    calls.clear()
    try:
        flaky(needed, error)
    except error:
        assert len(calls) == expected
    else:
        raise AssertionError(error)
""",
}


def test_every_seed_with_python_code_is_run_here():
    with_python = {
        task.name
        for task in TASKS
        if "```python" in output(task.name) or re.search(r"^(def|import|from) ", output(task.name), re.M)
    }
    assert with_python == set(PYTHON_CHECKS)


@pytest.mark.parametrize("name", [name for name, check in PYTHON_CHECKS.items() if check])
def test_python_of_the_seeds_does_what_was_asked(name):
    checks = PYTHON_CHECKS[name]
    assert "assert" in checks
    assert run_python(f"{code(name)}{checks}\nprint('checked')").endswith("checked\n")


def test_chat_counter_prints_names_by_count():
    log = "08:15 Mia: see you\n08:16 Bo: ok: fine\nnoise\n08:17 Mia: hi\n09:00 Al: x\n"
    assert run_python(code("chat_message_counter"), log) == "Mia 2\nAl 1\nBo 1\n"


def test_simulation_is_close_to_the_exact_value():
    assert abs(float(run_python(code("birth_month_simulation"))) - (1 - 95040 / 248832)) < 0.005


def test_refactored_loop_agrees_with_the_original():
    found = run_python(
        f"{given('refactor_nested_loop')}\nslow = names_for_orders\n{code('refactor_nested_loop')}\n"
        "import random\nrng = random.Random(1)\n"
        "for _ in range(200):\n"
        "    customers = [{'id': rng.randrange(6), 'name': rng.choice('abc')} for _ in range(5)]\n"
        "    orders = [{'id': i, 'customer_id': rng.randrange(8)} for i in range(6)]\n"
        "    print(names_for_orders(orders, customers) == slow(orders, customers))\n"
    )
    assert found.split() == ["True"] * 200


def test_pytest_seed_passes_and_catches_a_moved_boundary(tmp_path):
    (tmp_path / "test_shipping.py").write_text(code("pytest_for_shipping"))
    outcomes = []
    for old, new in (("", ""), ("<= 500", "< 500"), ("<= 2000", "< 2000"), ("<= 0", "< 0")):
        (tmp_path / "shipping.py").write_text(given("pytest_for_shipping").replace(old, new))
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
        outcomes.append(subprocess.run(command, cwd=tmp_path, capture_output=True).returncode)
    assert outcomes == [0, 1, 1, 1]


def test_predicted_output_is_what_python_prints():
    assert run_python(given("late_binding_output")).strip() == output("late_binding_output").splitlines()[0]


def test_mojibake_rescue_works():
    assert '.encode("cp1252").decode("utf-8")' in output("mojibake_diagnosis")
    assert "MÃ¼nchen, cafÃ©".encode("cp1252").decode("utf-8") == "München, café"


def test_sql_lists_members_without_a_visit_in_2023():
    base = sqlite3.connect(":memory:")
    base.executescript(given("sql_lapsed_members"))
    base.executemany("INSERT INTO members VALUES (?, ?)", [(1, "Zoe"), (2, "Al"), (3, "Mo"), (4, "Ed")])
    visits = [(1, "2022-05-01"), (1, "2024-01-01"), (2, "2023-12-31"), (2, "2020-01-01"), (4, "2023-01-01")]
    base.executemany("INSERT INTO visits VALUES (?, ?)", visits)
    assert base.execute(code("sql_lapsed_members")).fetchall() == [("Mo", None), ("Zoe", "2024-01-01")]


def test_sql_keeps_rooms_without_a_booking():
    base = sqlite3.connect(":memory:")
    base.executescript(
        "CREATE TABLE rooms (id, name); CREATE TABLE bookings (id, room_id, month);"
        "INSERT INTO rooms VALUES (1, 'A'), (2, 'B');"
        "INSERT INTO bookings VALUES (7, 1, 5), (8, 1, 5), (9, 2, 4);"
    )
    assert base.execute(given("sql_left_join_trap")).fetchall() == [("A", 2)]
    assert sorted(base.execute(code("sql_left_join_trap"))) == [("A", 2), ("B", 0)]


def test_regex_matches_exactly_the_clock_times():
    pattern = re.compile(output("clock_time_regex"))
    texts = [f"{hours:02}:{minutes:02}" for hours in range(100) for minutes in range(100)]
    assert [text for text in texts if pattern.match(text)] == [
        f"{hours:02}:{minutes:02}" for hours in range(24) for minutes in range(60)
    ]
    assert not any(pattern.match(text) for text in ("1:30", "24:00", "123:45", "12:345", "a12:30"))


@pytest.mark.skipif(not shutil.which("awk"), reason="needs awk")
def test_shell_one_liner_counts_addresses():
    requests = ["a"] * 6 + ["b"] * 5 + ["c"] * 4 + ["d"] * 3 + ["e"] * 2 + ["f"]
    random.Random(0).shuffle(requests)
    log = "".join(f'{address} - - "GET /"\n' for address in requests)
    done = subprocess.run(
        ["sh", "-c", output("top_addresses_one_liner")], input=log, capture_output=True, text=True
    )
    counts = [line.split() for line in done.stdout.splitlines()]
    assert counts == [["6", "a"], ["5", "b"], ["4", "c"], ["3", "d"], ["2", "e"]]


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_javascript_initials():
    names = ["Ada Lovelace", "  jean  luc picard ", "", "   ", "émile zola"]
    source = f"{code('javascript_initials')}\nconsole.log(JSON.stringify({json.dumps(names)}.map(initials)))"
    done = subprocess.run(["node", "-e", source], capture_output=True, text=True)
    assert json.loads(done.stdout) == ["AL", "JLP", "", "", "ÉZ"]


def test_yaml_holds_what_the_json_held():
    assert yaml.safe_load(output("json_config_to_yaml")) == json.loads(given("json_config_to_yaml"))


def test_every_control_of_the_form_is_labelled():
    seen = {"label": [], "input": []}

    class Collector(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag in seen:
                seen[tag].append(dict(attrs)["for" if tag == "label" else "id"])

    Collector().feed(code("accessible_form_html"))
    assert sorted(seen["label"]) == sorted(seen["input"]) == ["email", "monthly", "weekly"]


def test_json_outputs_hold_the_computed_values():
    expenses = json.loads(output("expense_notes_json"))
    assert [entry["amount_eur"] for entry in expenses] == [84.0, 218.4, 60.84, 32.24]
    assert json.loads(output("commute_emissions_json")) == {
        mode: round(2 * 18 * 210 * grams / 1000)
        for mode, grams in (("e-bike", 5), ("train", 30), ("bus", 80), ("car", 150))
    }
    rota = json.loads(output("chore_rota_json"))
    chores = ["bathroom", "hall", "kitchen"]
    assert all(sorted(week.values()) == chores for week in rota.values())
    assert all(sorted(week[person] for week in rota.values()) == chores for person in ("Ana", "Bo", "Cem"))


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("late_piano_note", 1, 69),
        ("plain_job_advert", 1, 80),
        ("double_booking_apology", 1, 110),
        ("school_crossing_petition", 1, 120),
        ("wedding_toast_sister", 60, 90),
        ("library_robot_brief", 120, 150),
        ("eight_word_headline", 1, 8),
    ],
)
def test_word_limits_are_kept(name, low, high):
    assert low <= len(output(name).split()) <= high


def test_wordplay_is_exact():
    assert {"".join(sorted(word)) for word in output("silent_anagrams").split(", ")} == {"eilnst"}
    assert "".join(line[0] for line in output("lantern_acrostic").splitlines()) == "LANTERN"
    assert output("shadow_riddle").splitlines()[-1] == "shadow"[::-1]
    assert output("swap_vowels") == given("swap_vowels").translate(str.maketrans("ae", "ea"))
    subtitles = output("subtitle_lines").splitlines()
    assert max(map(len, subtitles)) <= 37
    assert " ".join(" ".join(subtitles).split()) == given("subtitle_lines")
    subject_lines = [line.split(". ", 1)[1] for line in output("repair_cafe_subject_lines").splitlines()]
    assert len(subject_lines) == 5
    assert max(map(len, subject_lines)) < 45


def test_sudoku_is_solved():
    clues, rows = given("four_by_four_sudoku").split(), output("four_by_four_sudoku").splitlines()
    square = [row.split() for row in rows]
    cells = [cell for row in square for cell in row]
    blocks = [[square[r + i][c + j] for i in (0, 1) for j in (0, 1)] for r in (0, 2) for c in (0, 2)]
    assert all(
        sorted(group) == ["1", "2", "3", "4"] for group in [*square, *zip(*square, strict=True), *blocks]
    )
    assert all(clue in (".", cell) for clue, cell in zip(clues, cells, strict=True))


# A person's own file

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
