"""The shipped seeds keep their promises; what can be run or counted of their outputs is run and counted."""

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
from selfinstruct.seed_check import CheckSeedsConfig, find_problems
from selfinstruct.seed_spread import spread
from selfinstruct.tasks import read_seed_tasks

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds/seed_tasks.jsonl"
TASKS = read_seed_tasks(SEEDS)
BY_NAME = {task.name: task for task in TASKS}
FILTERS = yaml.safe_load((ROOT / "configs/filters/paper.yaml").read_text())
CHECKED = CheckSeedsConfig(SEEDS, FILTERS, max_similarity=0.5, tokenizer="unicode", strict=False)


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
    findings = find_problems(CHECKED)
    assert findings.problems == []
    assert len(findings.tasks) == 175


def test_the_statistics_in_the_readme_are_what_the_command_prints():
    printed = "\n".join(spread(find_problems(CHECKED), SEEDS.name))
    assert printed in (ROOT / "seeds/README.md").read_text()


def test_every_tenth_task_has_a_written_review():
    reviews = (ROOT / "seeds/README.md").read_text()
    for i in range(0, 175, 10):
        assert f"| {i} | `{TASKS[i].name}` |" in reviews


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
