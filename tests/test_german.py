"""The second language from end to end: prompts, markers, rules, seeds, and a run on recorded answers."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfinstruct import jsonl, rouge
from selfinstruct.errors import UserError
from selfinstruct.filters import FilterRules, first_reason
from selfinstruct.markers import Markers
from selfinstruct.parsing import ParsingRules, parse_classification, parse_instances
from selfinstruct.prompts import Prompts
from selfinstruct.seed_check import CheckSeedsConfig, find_problems
from selfinstruct.tasks import read_seed_tasks

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds" / "german" / "seed_tasks.jsonl"


def content(group: str, name: str = "german") -> dict[str, Any]:
    return yaml.safe_load((ROOT / "configs" / group / f"{name}.yaml").read_text(encoding="utf-8"))


PROMPTS = Prompts.from_dict(content("prompts"))
RULES = ParsingRules(markers=PROMPTS.markers)


# ---- prompts


def test_it_has_as_many_demonstrations_as_the_english_prompts() -> None:
    default = Prompts.from_dict(content("prompts", "default"))
    for ours, theirs in (
        (PROMPTS.classification, default.classification),
        (PROMPTS.input_first, default.input_first),
        (PROMPTS.output_first, default.output_first),
    ):
        assert len(ours.demonstrations) == len(theirs.demonstrations)


def test_the_prompts_hold_no_english_label() -> None:
    texts = [
        PROMPTS.render_instructions(["Nenne drei Flüsse."], chat=True),
        PROMPTS.render_classification("Nenne drei Flüsse.", chat=True),
        PROMPTS.render_instances("Nenne drei Flüsse.", True, chat=True),
        PROMPTS.render_instances("Nenne drei Flüsse.", False, chat=True),
    ]
    for word in ("Task", "Output", "Input", "Example", "Class label", "Yes"):
        assert [word for text in texts if word in text] == []
    assert texts[1].count("\nIst das eine Klassifikation? Ja\n") == 12
    assert texts[1].count("\nIst das eine Klassifikation? Nein\n") == 19


@pytest.mark.parametrize("is_classification", [False, True])
@pytest.mark.parametrize("base", [ParsingRules.released(), ParsingRules.fixed()], ids=["released", "fixed"])
def test_the_demonstrations_parse_back_to_themselves(base: ParsingRules, is_classification: bool) -> None:
    rules = ParsingRules(**vars(base) | {"markers": PROMPTS.markers})
    text = PROMPTS.render_instances("neu", is_classification)
    for task in PROMPTS.instances(is_classification).demonstrations:
        answer = text.split(f"Aufgabe: {task.instruction}\n")[1].split("\n\nAufgabe: ")[0]
        assert parse_instances(answer, "stop", is_classification, rules) == (list(task.examples), [])


def test_what_ends_an_answer_is_in_german_and_cuts_no_demonstration() -> None:
    stop = content("prompts")["stop"]
    assert stop["instances"] == ["Beispiel 6", "Aufgabe:"]
    assert stop["classification"] == ["\n", "Aufgabe"]
    shown = [*PROMPTS.input_first.demonstrations, *PROMPTS.output_first.demonstrations]
    answers = [text for task in shown for each in task.examples for text in (each.input, each.output)]
    assert [(text, end) for text in answers for end in stop["instances"] if end in text] == []


def test_an_ordinal_number_ends_no_list_of_tasks() -> None:
    ends = content("prompts")["stop"]["instructions"]
    assert not any(end in "Was geschah im 16. Jahrhundert?\n10. Und am 16. Mai?" for end in ends)
    assert any(end in "Nenne es.\n16. Und noch etwas" for end in ends)


@pytest.mark.parametrize(
    ("answer", "is_yes"),
    [("Ja", True), (" ja, immer", True), ("Nein", False), ("Jahr", False), ("Yes", False)],
)
def test_ja_and_nein_are_understood(answer: str, is_yes: bool) -> None:
    assert parse_classification(answer, RULES) is is_yes


# ---- markers of any language


def markers(**changes: Any) -> dict[str, Any]:
    return {"markers": content("prompts")["markers"] | changes}


def test_without_markers_they_are_english() -> None:
    assert Markers.of({}) == Markers("Task", "Example", "Input", "Output", "Class label", "Yes", "No")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (markers(yes=True), r"prompts.markers.yes: is True; give a word"),
        (markers(task="Aufgabe:"), r"prompts.markers.task: is 'Aufgabe:'; give a word or a few, without"),
        (markers(output=" "), r"prompts.markers.output: is ' '"),
        (markers(label="x"), r"prompts.markers.label: no such marker; known are task, example"),
        ({"markers": {"task": "Aufgabe"}}, r"prompts.markers.example: is missing"),
        ({"markers": "german"}, r"prompts.markers: must be a mapping"),
    ],
)
def test_wrong_markers_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Markers.of(settings)


def test_markers_of_a_script_without_spaces() -> None:
    chinese = ParsingRules(markers=Markers("任务", "示例", "输入", "输出", "类别标签", "是", "否"))
    assert parse_classification("是的", chinese)
    assert not parse_classification("否", chinese)
    instances, _ = parse_instances("示例 1\n句子: 早上好\n输出: Good morning", "stop", False, chinese)
    assert [(each.input, each.output) for each in instances] == [("句子: 早上好", "Good morning")]


# ---- rules and seeds


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Übersetze den Satz.", None),
        ("Ändere die Bildunterschrift, ohne sie zu verlängern.", None),
        ("Gehe auf die Vor- und Nachteile ein.", None),
        ("Was zeichnet eine gute Zusammenarbeit aus?", None),
        ("Stelle eine Karte mit drei Menüs zusammen.", None),
        ("Beschreibe, was auf den Bildern zu sehen ist.", "mentions_media_or_files: bildern"),
        ("Lies die DATEI und fasse sie zusammen.", "mentions_media_or_files: datei"),
        ("Zeichne einen Kreis mit Radius drei.", "mentions_media_or_files: zeichne"),
        ("Schreiben Sie ein Programm, das sortiert.", "starts_with_schreiben_sie_ein_programm"),
        ("„Guten Morgen“ auf Spanisch bitte.", "starts_with_„"),
        ("Nenne Flüsse.", "fewer_than_3_words"),
    ],
)
def test_the_german_rules(text: str, reason: str | None) -> None:
    assert first_reason(text, FilterRules.from_dict(content("filters"))) == reason


def test_the_seeds_have_no_problem_and_both_kinds_of_tasks() -> None:
    found = find_problems(CheckSeedsConfig(SEEDS, content("filters"), 0.5, "unicode", True))
    assert found.problems == []
    tasks = read_seed_tasks(SEEDS)
    assert len(tasks) == 18
    assert sum(task.is_classification for task in tasks) == 4
    shown = [*PROMPTS.classification.demonstrations, *PROMPTS.input_first.demonstrations]
    shown += PROMPTS.output_first.demonstrations
    assert {task.instruction for task in tasks}.isdisjoint(task.instruction for task in shown)


def test_what_a_seed_says_about_words_and_numbers_is_true() -> None:
    output = {task.name: task.instances[0].output for task in read_seed_tasks(SEEDS)}
    assert [len(line.split()) for line in output["elfchen_schnee"].splitlines()] == [1, 2, 3, 4, 1]
    names: dict[str, Any] = {}
    exec(output["quersumme"], names)  # our own seed
    assert [names["quersumme"](number) for number in (0, 7, 1234, 9990)] == [0, 7, 10, 27]
    assert 23 * 850 + 2 * 1400 == 22350 and 22350 - 2235 == 20115
    assert "201,15 Euro" in output["gruppenfahrt_preis"]


def test_umlauts_count_as_letters_for_novelty() -> None:
    pair = "Übe täglich Flöte", "Ube taglich Flote"
    assert rouge.rouge_l(*pair, rouge.tokenize_unicode) == 0
    assert rouge.rouge_l("Äpfel ÜBEN größe", "äpfel üben grösse", rouge.tokenize_unicode) == 1


# ---- from end to end

ANSWERS = {
    "instructions": [
        " Übersetze den Spruch ins Plattdeutsche.\n10. Ändere das Rezept so, dass es ohne Milch auskommt.\n"
        "11. Beschreibe das Bild in drei Sätzen.\n12. Was geschah im 16. Jahrhundert in Wittenberg?\n"
        "13. Schreibe ein Programm, das Zinsen berechnet.\n14. Ist die Aussage wahr oder falsch?",
        " ÜBERSETZE den Spruch ins Plattdeutsche!\n10. Nenne drei Flüsse, die in die Nordsee münden.",
    ],
    "classification": [" Nein", " Nein.", "Nein", " Ja", "nein"],
    "instances": [
        "Beispiel 1\nSpruch: Guten Tag\nAusgabe: Moin\n\n"
        "Beispiel 2\nSpruch: Auf Wiedersehen\nAusgabe: Tschüss",
        "Eingabe: Rezept: Pfannkuchen mit Milch\nAusgabe: Pfannkuchen mit Mineralwasser",
        "Ausgabe: 1517 schrieb Luther dort seine Thesen.",
        "Antwortklasse: wahr\nAussage: Die Elbe fließt durch Dresden.\n"
        "Antwortklasse: falsch\nAussage: Der Rhein mündet in die Ostsee.",
        "Ausgabe: Elbe, Weser, Ems",
    ],
}


def record(folder: Path) -> Path:
    lines = [
        {"stage": stage, "index": index, "key": f"{stage}{index}", "prompt": "", "text": text}
        | {"finish_reason": "stop", "prompt_tokens": 0, "completion_tokens": 0, "time": 0.0}
        for stage, texts in ANSWERS.items()
        for index, text in enumerate(texts)
    ]
    jsonl.replace(folder / "response_log.jsonl", lines)
    return folder


def test_phase_1_in_german(tmp_path: Path) -> None:
    words = ["llm=replay", f"llm.responses={record(tmp_path / 'recorded')}", "num_instructions=5"]
    words += ["prompts=german", "filters=german", "seed_tasks=seeds/german/seed_tasks.jsonl"]
    command = [sys.executable, "scripts/generate.py", *words, f"run_dir={tmp_path}/run"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    instructions = jsonl.read(folder / "machine_generated_instructions.jsonl")
    assert [line["instruction"] for line in instructions] == [
        "Übersetze den Spruch ins Plattdeutsche.",
        "Ändere das Rezept so, dass es ohne Milch auskommt.",
        "Was geschah im 16. Jahrhundert in Wittenberg?",
        "Ist die Aussage wahr oder falsch?",
        "Nenne drei Flüsse, die in die Nordsee münden.",
    ]
    assert instructions[0]["metadata"]["prompt"].startswith("Denke dir eine Reihe")
    rejected = jsonl.read(folder / "rejected.jsonl")
    assert [line["reason"] for line in rejected] == [
        "mentions_media_or_files: bild",
        "starts_with_schreibe_ein_programm",
        "too_similar",
    ]
    instances = jsonl.read(folder / "finetuning_data" / "all_generated_instances.jsonl")
    assert [(line["input"], line["output"]) for line in instances] == [
        ("Spruch: Guten Tag", "Moin"),
        ("Spruch: Auf Wiedersehen", "Tschüss"),
        ("Rezept: Pfannkuchen mit Milch", "Pfannkuchen mit Mineralwasser"),
        ("", "1517 schrieb Luther dort seine Thesen."),
        ("Aussage: Die Elbe fließt durch Dresden.", "wahr"),
        ("Aussage: Der Rhein mündet in die Ostsee.", "falsch"),
        ("", "Elbe, Weser, Ems"),
    ]
    train = jsonl.read(folder / "finetuning_data" / "train.jsonl")
    assert len(train) == 7 + 18
    steps = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["steps"]
    assert steps["instructions"]["settings"]["query.stop"] == ["\n\n", "\n16"]
    assert steps["instances"]["settings"]["query.stop"] == ["Beispiel 6", "Aufgabe:"]
    assert steps["finetuning_data"]["settings"]["markers.output"] == "Ausgabe"
