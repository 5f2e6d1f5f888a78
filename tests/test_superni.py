"""The loader of folders in the natural-instructions format, and the names it gives them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from benchmark_folders import instance, named, task, write_benchmark

from eval.subset import Subset
from eval.superni import (
    SUPERNI,
    Benchmark,
    BenchmarkConfig,
    _name_digest,
    load_benchmark,
    official_digests,
)
from eval.superni_tasks import read_task
from selfinstruct.errors import UserError
from selfinstruct.settings import REPOSITORY

# Two of the 119 official test tasks, by name; their content here is our own.
OFFICIAL = "task1393_superglue_copa_text_completion"
OFFICIAL_TOO = "task288_gigaword_summarization"
REAL = REPOSITORY.parent / "shared" / "data" / "natural-instructions"


def load(folder: Path, instances: int = 100) -> Benchmark:
    return load_benchmark(named(folder), None, "default", instances)


def test_a_sample_holds_definition_input_and_all_references(tmp_path: Path) -> None:
    content = task("t1") | {"Instances": [instance("t1", 7, ["a", "b"], text="")]}
    (sample,) = load(write_benchmark(tmp_path, {"t1": content})).samples
    assert (sample.id, sample.task, sample.track) == (f"t1-{7:032d}", "t1", "default")
    assert (sample.definition, sample.input, sample.references) == ("Answer yes.", "", ("a", "b"))


def test_the_first_instances_are_taken_in_file_order(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path, {"t1": task("t1", instances=150), "t2": task("t2", instances=3)})
    benchmark = load(folder)
    assert [sample.task for sample in benchmark.samples] == ["t1"] * 100 + ["t2"] * 3
    assert benchmark.samples[99].input == "Input number 99."


def test_a_category_key_is_lower_case_with_underscores(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path, {"t1": task("t1", category="Cause  Effect Classification")})
    assert load(folder).samples[0].category_key == "cause_effect_classification"


def test_split_lines_may_carry_trailing_blanks_and_empty_lines(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path, {"t1": task("t1"), "t2": task("t2")}, split="t2 \t\r\n\nt1  \n")
    assert [sample.task for sample in load(folder).samples] == ["t2", "t2", "t1", "t1"]


def test_a_line_separator_inside_a_text_stays(tmp_path: Path) -> None:
    content = task("t1") | {"Instances": [instance("t1", 1, text="one\u2028two\u0085three")]}
    assert load(write_benchmark(tmp_path, {"t1": content})).samples[0].input == "one\u2028two\u0085three"


def test_a_missing_task_file_makes_it_partial(tmp_path: Path) -> None:
    benchmark = load(write_benchmark(tmp_path, {"t1": task("t1")}, split="t1\nt2\nt3\n"))
    assert benchmark.label == "Mini (partial, 1 of 3 tasks)"
    assert benchmark.missing_tasks == ("t2", "t3")


def test_a_whole_benchmark_is_called_by_its_name(tmp_path: Path) -> None:
    benchmark = load(write_benchmark(tmp_path, {"t1": task("t1")}))
    assert (benchmark.label, benchmark.partial) == ("Mini", False)


def test_fewer_instances_than_a_task_has_make_any_benchmark_partial(tmp_path: Path) -> None:
    tasks = {"t1": task("t1", instances=150), "t2": task("t2", instances=3)}
    benchmark = load(write_benchmark(tmp_path, tasks), instances=10)
    assert benchmark.partial
    assert benchmark.label == "Mini (partial, 13 of 103 instances, first 10 instances of each)"
    assert load(tmp_path).label == load(tmp_path, instances=200).label == "Mini"


def test_task_files_cut_short_are_never_the_whole_of_superni(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"task{number}" for number in range(119)]
    monkeypatch.setattr("eval.superni.official_digests", lambda track: {_name_digest(name) for name in names})
    benchmark = load(write_benchmark(tmp_path / "cut", {name: task(name, instances=94) for name in names}))
    assert benchmark.label == "SuperNI (partial, 11,186 of up to 11,900 instances)"
    said = {"partial": True, "part": "11,186 of up to 11,900 instances", "short_tasks": 119}
    assert benchmark.as_json() | said == benchmark.as_json()
    few_short = {name: task(name, instances=100 if number > 9 else 60) for number, name in enumerate(names)}
    whole = load(write_benchmark(tmp_path / "whole", few_short))
    assert (whole.label, whole.as_json()["short_tasks"]) == ("SuperNI", 10)


def test_there_are_119_official_tasks() -> None:
    assert len(official_digests()) == 119


def test_official_tasks_are_superni_and_count_of_119_whatever_the_split_says(tmp_path: Path) -> None:
    tasks = {OFFICIAL: task(OFFICIAL), OFFICIAL_TOO: task(OFFICIAL_TOO)}
    assert load(write_benchmark(tmp_path, tasks)).label == "SuperNI (partial, 2 of 119 tasks)"


def test_tasks_of_an_old_draft_split_are_named_beside_the_official_ones(tmp_path: Path) -> None:
    benchmark = load(
        write_benchmark(tmp_path, {OFFICIAL: task(OFFICIAL), "task999_old": task("task999_old")})
    )
    label = "SuperNI (partial, 1 of 119 tasks, and 1 task not in the official test split)"
    assert benchmark.label == label


def test_fewer_instances_than_the_official_100_are_said(tmp_path: Path) -> None:
    benchmark = load(write_benchmark(tmp_path, {OFFICIAL: task(OFFICIAL)}), instances=10)
    assert benchmark.label == "SuperNI (partial, 1 of 119 tasks, first 10 instances of each)"


def test_another_folder_is_never_called_superni_nor_by_the_configured_name(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "mine", {"t1": task("t1")})
    for config in (
        named(tmp_path / "other"),
        BenchmarkConfig(SUPERNI, None),
        BenchmarkConfig(SUPERNI, folder),
    ):
        label = load_benchmark(config, folder, "default", 100).label
        assert label == "unnamed benchmark in the natural-instructions format"


def test_the_configured_folder_given_as_superni_dir_keeps_its_name(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "mine", {"t1": task("t1")})
    assert load_benchmark(named(folder), tmp_path / "mine" / "." / "", "default", 100).name == "Mini"


def test_the_embedded_benchmark_loads_whole_in_its_categories() -> None:
    benchmark = load(REPOSITORY / "eval" / "data" / "littleworld")
    assert not benchmark.partial
    assert benchmark.tasks_found >= 24
    assert len({sample.category_key for sample in benchmark.samples}) >= 12


def without(key: str) -> Callable[[dict[str, Any]], Any]:
    return lambda content: {name: value for name, value in content.items() if name != key}


def with_instance(**changes: Any) -> Callable[[dict[str, Any]], Any]:
    def change(content: dict[str, Any]) -> Any:
        second = instance("t1", 1) | changes
        return content | {"Instances": [instance("t1", 0), {k: v for k, v in second.items() if v is not ...}]}

    return change


BROKEN_TASKS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "not an object": (lambda content: [content], "a list instead of one JSON object"),
    "no definition": (without("Definition"), "Definition: nothing instead of a list of texts"),
    "old draft": (
        lambda c: c | {"Definition": "Answer."},
        "Definition: text instead of a list of texts; this is",
    ),
    "empty definition": (lambda c: c | {"Definition": [" "]}, "Definition[0]: empty"),
    "no text in the definition": (lambda c: c | {"Definition": []}, "Definition: the list is empty"),
    "number as definition": (lambda c: c | {"Definition": [3]}, "Definition[0]: a number instead of text"),
    "no category": (without("Categories"), "Categories: nothing instead of a list"),
    "no instances": (without("Instances"), "Instances: nothing instead of a list"),
    "empty instances": (lambda c: c | {"Instances": []}, "Instances: the list is empty"),
    "instances by key": (lambda c: c | {"Instances": {"a": 1}}, "Instances: an object instead of a list"),
    "instance as text": (lambda c: c | {"Instances": ["a"]}, "Instances[0]: text instead of an object"),
    "no id": (with_instance(id=...), "Instances[1].id: nothing instead of text"),
    "empty id": (with_instance(id=""), "Instances[1].id: empty"),
    "id twice": (with_instance(id=instance("t1", 0)["id"]), "Instances: the id 't1-"),
    "no input": (with_instance(input=...), "Instances[1].input: nothing instead of text"),
    "input as list": (with_instance(input=["a"]), "Instances[1].input: a list instead of text"),
    "no output": (with_instance(output=...), "Instances[1].output: nothing instead of a list"),
    "output as text": (with_instance(output="yes"), "Instances[1].output: text instead of a list"),
    "no reference": (with_instance(output=[]), "Instances[1].output: the list is empty"),
    "null reference": (with_instance(output=["a", None]), "Instances[1].output[1]: nothing instead of text"),
    "half a character": (with_instance(input="a\ud800"), "Instances[1].input: holds half of a character"),
}


@pytest.mark.parametrize("kind", BROKEN_TASKS)
def test_a_broken_task_file_is_named_with_its_field(kind: str, tmp_path: Path) -> None:
    change, message = BROKEN_TASKS[kind]
    folder = write_benchmark(tmp_path, {"t1": change(task("t1"))})
    with pytest.raises(UserError) as error:
        load(folder)
    assert str(error.value).startswith(f"{tmp_path / 'tasks' / 't1.json'}: {message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"Definition": ["a"],\n "Categories"', "t1.json:2: not valid JSON"),
        (b"", "t1.json:1: not valid JSON"),
        (b'{"Definition": ["\xff"]}', "t1.json: not UTF-8 at byte 17"),
    ],
)
def test_a_task_file_that_is_no_json_is_named_with_its_place(
    content: bytes, message: str, tmp_path: Path
) -> None:
    folder = write_benchmark(tmp_path, {"t1": task("t1")})
    (folder / "tasks" / "t1.json").write_bytes(content)
    with pytest.raises(UserError, match=message):
        load(folder)


def test_of_what_lies_behind_the_instances_used_only_ids_are_looked_at(tmp_path: Path) -> None:
    content = task("t1", instances=3)
    content["Instances"][2]["output"] = None
    path = tmp_path / "t1.json"
    path.write_text(json.dumps(content))
    found = read_task(path, "t1", "default", 2)
    assert (len(found.samples), found.left_out) == (2, (instance("t1", 2)["id"],))


def test_one_id_in_two_tasks_is_an_error(tmp_path: Path) -> None:
    second = task("t2") | {"Instances": [instance("t1", 0)]}
    with pytest.raises(UserError, match=r"used 2 times \(in t1, t2\)"):
        load(write_benchmark(tmp_path, {"t1": task("t1"), "t2": second}))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("", "test_tasks.txt: names no task"),
        ("t1\nt2\nt1 \n", "test_tasks.txt:3: names t1 again .first in line 1."),
        ("../t1\n", "test_tasks.txt:1: '../t1' is not the name of a task"),
        ("t8\nt9\n", "none of the 2 tasks of its split is there"),
    ],
)
def test_a_broken_split_file_is_named_with_its_line(split: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        load(write_benchmark(tmp_path, {"t1": task("t1")}, split=split))


def test_a_folder_of_another_shape_is_refused_with_the_layout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a benchmark folder holds tasks/ and splits/default/test_tasks.txt"):
        load(tmp_path)


def test_a_folder_of_the_other_track_alone_names_it(tmp_path: Path) -> None:
    (write_benchmark(tmp_path, {"t1": task("t1")}) / "splits" / "default").rename(
        tmp_path / "splits/xlingual"
    )
    with pytest.raises(UserError, match=r"default/test_tasks.txt: cannot be .*: give track=xlingual"):
        load(tmp_path)


def test_a_task_file_that_git_lfs_has_not_fetched_is_called_so(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path, {"t1": task("t1")})
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (folder / "tasks" / "t1.json").write_text(pointer)
    with pytest.raises(UserError, match=r"t1\.json: a pointer of Git LFS, .* run `git lfs pull`"):
        load(folder)


def test_a_track_that_cannot_be_scored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="track: 'french' cannot be scored"):
        load_benchmark(named(tmp_path), None, "french", 100)


def test_samples_carry_the_first_positive_examples_asked_for(tmp_path: Path) -> None:
    content = task("t") | {
        "Positive Examples": [{"input": f"i{n}", "output": f"o{n}", "explanation": ""} for n in range(3)]
    }
    folder = write_benchmark(tmp_path, {"t": content})
    few_shot = load_benchmark(named(folder), None, "default", 100, num_examples=2)
    assert few_shot.samples[1].examples == (("i0", "o0"), ("i1", "o1"))
    assert load(folder).samples[1].examples == ()
    assert load(folder).fingerprint != few_shot.fingerprint
    with pytest.raises(UserError, match=r"t\.json: Positive Examples: 3 there, num_examples=4; lower it"):
        load_benchmark(named(folder), None, "default", 100, num_examples=4)


def chosen(folder: Path, *tasks: str, categories: tuple[str, ...] = (), track: str = "default") -> Benchmark:
    return load_benchmark(named(folder), None, track, 100, subset=Subset(tasks, categories))


@pytest.fixture
def three(tmp_path: Path) -> Path:
    kinds = {"task1_a": "Word Analogy", "task2_b": "Data to Text", "task12_c": "Word Analogy"}
    return write_benchmark(tmp_path, {name: task(name, category=kind) for name, kind in kinds.items()})


@pytest.mark.parametrize(
    ("patterns", "categories", "found"),
    [
        (("task1*",), (), ["task1_a", "task12_c"]),
        (("task2_b", "task1_a"), (), ["task1_a", "task2_b"]),
        ((), ("Word Analogy",), ["task1_a", "task12_c"]),
        ((), ("data_to_text",), ["task2_b"]),
        (("task1?_*",), ("word_analogy",), ["task12_c"]),
    ],
)
def test_a_part_is_chosen_by_name_glob_or_category_and_called_partial(
    patterns: tuple[str, ...], categories: tuple[str, ...], found: list[str], three: Path
) -> None:
    benchmark = chosen(three, *patterns, categories=categories)
    assert list(dict.fromkeys(sample.task for sample in benchmark.samples)) == found
    assert benchmark.label == f"Mini (partial, {len(found)} of 3 tasks)"
    assert benchmark.as_json()["subset"] == {"tasks": list(patterns), "categories": list(categories)}
    words = {"tasks": patterns, "categories": categories}
    shown = " and ".join(f"{key}=[{', '.join(each)}]" for key, each in words.items() if each)
    assert f"chosen by {shown}\n" in f"{benchmark.found}\n"


def test_a_pattern_or_category_of_no_task_is_refused_with_a_hint(three: Path) -> None:
    with pytest.raises(
        UserError, match=r"tasks: 'task12_d' is none of the 3 tasks of .*; did you mean task12_c\?"
    ):
        chosen(three, "task12_d")
    with pytest.raises(
        UserError, match=r"categories: 'poetry' is no category .* there are data_to_text, word_an"
    ):
        chosen(three, categories=("Poetry",))


def test_the_whole_benchmark_says_nothing_of_a_subset(three: Path) -> None:
    assert "subset" not in chosen(three).as_json()


def test_what_was_found_is_counted(tmp_path: Path) -> None:
    tasks = {OFFICIAL: task(OFFICIAL, instances=100), "task999_old": task("task999_old")}
    found = load(write_benchmark(tmp_path, tasks, split=f"{OFFICIAL}\ntask999_old\ntask5_x\n")).found
    assert "SuperNI (partial, 1 of 119 tasks, and 1 task not" in found
    assert "1 task has fewer than 100 instances" in found
    assert "1 task of the split has no task file: task5_x" in found
    assert "not official test tasks: 1 of the split; this clone is not the release" in found


NEW, OLD = "task121_zest_text_modification", "task121_zest_question_rewriting"


@pytest.mark.parametrize(("split", "file"), [(NEW, NEW), (NEW, OLD), (OLD, OLD)])
def test_task121_is_found_and_official_under_both_its_names(split: str, file: str, tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path, {file: task(file)}, split=f"{split}\n")
    for patterns in ((), (NEW,), (OLD,), ("task121*",)):
        benchmark = chosen(folder, *patterns)
        assert benchmark.label == "SuperNI (partial, 1 of 119 tasks)"
        assert {sample.task for sample in benchmark.samples} == {split}


def test_an_old_task_file_without_ids_is_called_one(tmp_path: Path) -> None:
    content = task("t1")
    del content["Instances"][0]["id"]
    with pytest.raises(UserError, match=r"Instances\[0\]\.id: nothing instead of text; old drafts"):
        load(write_benchmark(tmp_path, {"t1": content}))


def test_the_xlingual_track_has_its_own_split_and_35_tasks(tmp_path: Path) -> None:
    assert len(official_digests("xlingual")) == 35
    name = "task1168_xcopa_cause_effect_classification"
    folder = write_benchmark(tmp_path, {"t1": task("t1"), name: task(name)}, split="t1\n")
    (folder / "splits" / "xlingual").mkdir()
    (folder / "splits" / "xlingual" / "test_tasks.txt").write_text(f"{name} \n", encoding="utf-8")
    assert chosen(folder, track="xlingual").label == "SuperNI (xlingual track, partial, 1 of 35 tasks)"
    assert load(folder).samples[0].track == "default"


@pytest.mark.skipif(not REAL.exists(), reason="the shared data is not here")
def test_the_real_clone_is_one_task_of_119_with_its_first_100_instances() -> None:
    benchmark = load(REAL)
    assert benchmark.label == "SuperNI (partial, 1 of 119 tasks)"
    assert (len(benchmark.samples), len(benchmark.missing_tasks)) == (100, 118)
    assert "118 tasks of the split have no task file" in benchmark.found
    assert all(sample.id.startswith("task1393-") for sample in benchmark.samples)
