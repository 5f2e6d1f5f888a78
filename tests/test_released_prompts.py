"""Prompts from a download of the released repository: read to the letter, as data, never run."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from selfinstruct.errors import UserError
from selfinstruct.prompts import fit_to_context
from selfinstruct.released_prompts import load_prompts

ROOT = Path(__file__).parents[1]
SETTINGS: dict[str, Any] = yaml.safe_load(
    (ROOT / "configs/prompts/released.yaml").read_text(encoding="utf-8")
)

# Our own texts in the shape of the released files, with the irregular blanks that those have.
CLASSIFICATION = (
    "Does it have a few fixed answers?\n\n"
    "Task: Is the soup hot?\nIs it fixed? Yes\n\n"
    "Task: Name a soup. \nIs it fixed? No\n\n"
    "Task: Cook a soup.\nIs it fixed? No\n\n"
    "Task:"
)
OUTPUT_FIRST = (
    "Write labels, then inputs.\n\n"
    "Task:  Is the soup hot?\nClass label: hot \nSoup: it steams\nClass label: cold\nSoup: it is frozen\n\n"
    "Task: Heads or tails?\nClass label: heads\n\n"
    "Task:"
)
INPUT_FIRST = (
    "Write examples.\n\n"
    "Task: Name a soup.\nOutput:\n- Borscht\n- Miso\n\n"
    "Task: Sort the soups. \nExample 1\nList: b, a\nOutput: a, b\n"
    "Example 2\nInput 2 - List: d, c\nOutput: c, d\n\n"
    "Task:"
)
CODE = """
import os
open({trap!r}, "w").write("was run")

def encode_prompt(prompt_instructions, classification=False):
    \"\"\"Some words.\"\"\"
    if classification:
        prompt = "Write tasks with labels.\\n"
    else:
        prompt = "Write tasks:\\n"
    for idx, instruction in enumerate(prompt_instructions):
        prompt += f"{{idx+1}}. {{instruction}}\\n"
    return prompt
"""


def released(folder: Path) -> Path:
    """A folder in the released shape, whose files would leave a trace if they were run."""
    templates = folder / "self_instruct" / "templates"
    templates.mkdir(parents=True)
    trap = f"open({str(folder / 'trap')!r}, 'w')\n"
    (templates / "clf_task_template.py").write_text(f"{trap}template_1 = '''{CLASSIFICATION}'''\n")
    (templates / "instance_gen_template.py").write_text(
        f"{trap}output_first_template_for_clf = '''{OUTPUT_FIRST}'''\n\n"
        f"input_first_template_for_gen = '''{INPUT_FIRST}'''\nother = open('x') if False else 3\n"
    )
    code = CODE.format(trap=str(folder / "trap"))
    (folder / "self_instruct" / "bootstrap_instructions.py").write_text(code)
    return folder


def load(folder: Path, **changes: Any) -> Any:
    return load_prompts(SETTINGS | {"folder": str(folder)} | changes)


def test_every_prompt_is_the_released_text_and_the_new_task(tmp_path: Path) -> None:
    prompts = load(released(tmp_path))
    assert prompts.render_classification(" Eat. ") == f"{CLASSIFICATION} Eat.\nIs it fixed?"
    assert prompts.render_instances("Eat.", True) == f"{OUTPUT_FIRST} Eat.\n"
    assert prompts.render_instances("Eat.", False) == f"{INPUT_FIRST} Eat.\n"
    assert prompts.render_instructions(["A.", "B."]) == "Write tasks:\n1. A.\n2. B.\n3."
    assert prompts.render_instructions(["A."], True) == "Write tasks with labels.\n1. A.\n2."


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    load(released(tmp_path))
    assert not (tmp_path / "trap").exists()
    assert list(tmp_path.rglob("*.pyc")) == []


@pytest.mark.parametrize("place", [".", "self_instruct", "self_instruct/templates"])
def test_the_folder_may_be_the_repository_or_a_part_of_it(tmp_path: Path, place: str) -> None:
    assert load(released(tmp_path) / place) == load(tmp_path)


def test_a_smaller_model_gets_the_first_demonstrations(tmp_path: Path) -> None:
    prompts = load(released(tmp_path))
    text, number = fit_to_context(
        lambda n: prompts.render_instances("Eat.", False, num_demonstrations=n),
        20,
        lambda t: len(t.split()),
        2,
    )
    assert number == 1
    assert text == "Write examples.\n\nTask: Name a soup.\nOutput:\n- Borscht\n- Miso\n\nTask: Eat.\n"


def test_chat_models_are_told_to_go_on(tmp_path: Path) -> None:
    text = load(released(tmp_path)).render_instances("Eat.", True, chat=True)
    assert text.endswith("Eat.\n\n" + SETTINGS["output_first"]["chat_suffix"])


def test_the_headings_can_be_given_where_the_code_is_missing(tmp_path: Path) -> None:
    (released(tmp_path) / "self_instruct" / "bootstrap_instructions.py").unlink()
    with pytest.raises(UserError, match=r"bootstrap_instructions\.py: cannot be read"):
        load(tmp_path)
    headings = SETTINGS["instructions"] | {"heading": "Go:", "classification_heading": "Choose:"}
    prompts = load(tmp_path, instructions=headings)
    assert prompts.render_instructions(["A."]) == "Go:\n1. A.\n2."


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / "self_instruct" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("templates/clf_task_template.py", "template_1 =", "template_2 =", "assigns a text to template_1"),
        ("templates/clf_task_template.py", "'''", "", r"clf_task_template\.py:\d+: not Python"),
        ("templates/clf_task_template.py", "Task:'''", "'''", "template_1: not of the released form"),
        ("templates/clf_task_template.py", "fixed? Yes", "fixed? Perhaps", "one question, answered with Yes"),
        ("templates/clf_task_template.py", "Task: ", "Job: ", "blocks that start with 'Task:'"),
        (
            "templates/instance_gen_template.py",
            "input_first_template_for_gen = '''",
            "input_first_template_for_gen = f'''{other}",
            "assigns a text to input_first_template_for_gen",
        ),
        ("bootstrap_instructions.py", "def encode_prompt", "def encode", "headings of stage 1 are not in"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path: Path, file: str, old: str, new: str, message: str) -> None:
    spoil(released(tmp_path), file, old, new)
    with pytest.raises(UserError, match=message):
        load(tmp_path)


def test_a_folder_without_templates_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no self_instruct/templates/\*\.py there; give prompts.folder=DIR"):
        load(tmp_path / "nowhere")


def test_the_command_takes_the_folder_by_key(tmp_path: Path) -> None:
    released(tmp_path / "public")
    words = ["llm=replay", f"llm.responses={tmp_path}", "stages=[instructions]", "num_instructions=1"]
    words += ["prompts=released", f"run_dir={tmp_path}/run"]
    (tmp_path / "machine_generated_instructions.jsonl").write_text(
        '{"instruction": "x", "metadata": {"response": {"choices": '
        '[{"text": " Count the croutons in every soup on the menu.", "finish_reason": "stop"}]}}}\n'
    )
    command = [sys.executable, str(ROOT / "scripts/generate.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "prompts.folder is missing; give it as prompts.folder=VALUE" in done.stderr
    done = subprocess.run([*command, "prompts.folder=public"], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"prompt": "Write tasks:\\n1. ' in (
        tmp_path / "run" / "machine_generated_instructions.jsonl"
    ).read_text(encoding="utf-8")
