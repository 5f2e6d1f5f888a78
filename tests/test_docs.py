"""The documentation says what is so: commands compose, settings exist, links lead somewhere."""

import contextlib
import io
import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from doc_commands import (
    CONFIG_CLASSES,
    PAGES,
    PROGRAMS,
    ROOT,
    SHELL,
    Command,
    blocks,
    commands,
    composed,
    is_shell,
    known_keys,
    launched,
    read,
    script_lines,
    setting_keys,
    settings,
    spans,
    unquoted,
)
from doc_stand_ins import named
from packaging.requirements import Requirement

from selfinstruct.errors import UserError

MARKDOWN = sorted(
    path.relative_to(ROOT)
    for path in ROOT.rglob("*.md")
    if not {".venv", "runs", "node_modules", ".git"} & set(path.relative_to(ROOT).parts)
)
LANGUAGES = {"", "bash", "sh", "python", "json", "yaml", "text"}


def every_command() -> list[Command]:
    found = [command for page in PAGES for command in commands(page)]
    return found + [line for command in found for line in script_lines(command)]


def test_the_pages_hold_commands() -> None:
    assert len(every_command()) > 60
    assert all(blocks(page) or page == "CONTRIBUTING.md" or "benchmarks" in page for page in PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_of_a_known_program_and_would_be_accepted(page: str) -> None:
    checked = [line for command in commands(page) for line in (command, *script_lines(command))]
    wrong = {}
    for command in checked:
        if reason := refusal(named(command)):
            wrong[command.where] = reason
    assert wrong == {}


def refusal(command: Command) -> str | None:
    """Why a reader's shell, launcher or command of ours would not take it; None where it would."""
    if re.fullmatch(r"\w+=\S+", command.text):
        return None  # a variable of the shell
    if command.program not in PROGRAMS:
        return f"{command.program!r} is no program that these tests know"
    match command.program:
        case "make":
            return None if re.search(rf"^{command.words[1]}:", read("Makefile"), re.M) else "no such target"
        case "pip":
            return _pip_refusal(command.words)
        case "accelerate" if command.words[1] == "launch":
            with contextlib.redirect_stderr(io.StringIO()) as said:
                try:
                    launched(command)
                except SystemExit:
                    return f"accelerate: {said.getvalue()}"
    if "-m" in command.words[:2] and command.program == "python":
        return None if find_spec(command.words[2]) else f"{command.words[2]}: no such module"
    if command.script is None:
        return None if command.program in SHELL else "runs no script"
    if not (ROOT / command.script).is_file() and command.program not in SHELL:
        return f"{command.script}: no such file"
    if command.script.startswith("scripts/bench/"):
        return _unknown_options(command)
    return _refused_settings(command)


def _pip_refusal(words: list[str]) -> str | None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    for word in words[2:]:
        if word.startswith("-"):
            continue
        requirement = Requirement(word.replace(".[", "selfinstruct[", 1) if word.startswith(".[") else word)
        unknown = requirement.extras - project["optional-dependencies"].keys()
        if requirement.name == "selfinstruct" and unknown:
            return f"{word}: no such extra"
    return None


def _unknown_options(command: Command) -> str | None:
    assert command.script is not None
    source = read(command.script)
    unknown = [word for word in command.words if word.startswith("--") and f'"{word}"' not in source]
    return f"{command.script} knows no {unknown[0]}" if unknown else None


def _refused_settings(command: Command) -> str | None:
    script = command.config_script
    if script not in CONFIG_CLASSES:
        return None
    try:
        # What an earlier command of the page fetches or makes.
        words = [re.sub(r"^(regeneration\.instances=).*", r"\1null", w) for w in command.overrides]
        words = [re.sub(r"^prompts=workshop$", "prompts=default", word) for word in words]
        for config in composed(script, tuple(words)):
            if command.is_whole and "--help" not in command.words:
                settings(script, config)
    except (UserError, Exception) as error:  # Hydra's are of many kinds
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.parametrize("page", PAGES)
def test_a_setting_with_brackets_is_quoted(page: str) -> None:
    """zsh, the shell of macOS, refuses the others: no matches found."""
    lines = [line for command in commands(page) for line in (command, *script_lines(command))]
    bare = {command.where: command.text for command in lines if unquoted(command.head)}
    named = {
        f"{page}:{line}": text for line, text in spans(page) if re.match(r"[\w@.]+=", text) and unquoted(text)
    }
    assert bare | named == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("frobnicate runs/mine", "no program that these tests know"),
        ("make nonsense", "no such target"),
        ("pip install 'selfinstruct[nonsense]'", "no such extra"),
        ("python scripts/nonsense.py run_dir=a", "no such file"),
        ("python -m selfinstruct.nonsense", "no such module"),
        ("python scripts/bench/predict.py --nonsense", "knows no --nonsense"),
        ("python scripts/generate.py sed=2", "sed"),
        ("python scripts/generate.py seed=two", "seed"),
        ("python scripts/generate.py llm=gpt", "llm/gpt"),
        ("accelerate launch --config_file configs/accelerate/cpu.yaml finetune/train.py epochs=2", "data"),
        ("accelerate launch --nonsense=3 finetune/train.py data=a.jsonl", "--nonsense"),
        ("sbatch --nodes 2 scripts/train_slurm.sh data=a.jsonl modle=b", "modle"),
        ("ACCELERATE_USE_CPU=true torchrun --nproc_per_node 2 finetune/train.py data=a epoch=1", "epoch"),
    ],
)
def test_a_command_that_is_wrong_is_found(text: str, reason: str) -> None:
    assert reason in (refusal(Command("a page", 1, text)) or "nothing")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("python x.py runs=[a]", "["),
        ("python x.py 'runs=[a]'", None),
        ('python x.py "runs=[a]" # or runs=[b]', None),
        ("python x.py data={path: a}", "{"),
        ("ls runs/*/table.md", None),
        ("echo a=$(( 1 )) b=${HOME}", None),
    ],
)
def test_the_check_for_brackets_sees_what_the_shell_sees(text: str, found: str | None) -> None:
    assert unquoted(text) == found


@pytest.mark.parametrize("page", PAGES)
def test_every_setting_named_exists(page: str) -> None:
    unknown = {f"{page}:{line}": key for line, key in setting_keys(page) if key not in known_keys()}
    assert unknown == {}


@pytest.mark.parametrize("page", PAGES)
def test_blocks_are_of_a_known_language(page: str) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES
    for block in blocks(page):
        if not is_shell(block):
            assert block.text.strip()


def anchors(text: str) -> set[str]:
    """What a renderer makes of the headings."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^ *```.*?^ *```", "", text, flags=re.S | re.M), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [str(path) for path in MARKDOWN])
def test_every_link_to_a_file_or_a_heading_leads_there(page: str) -> None:
    text = re.sub(r"^ *```.*?^ *```", "", read(page), flags=re.S | re.M)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)|<img[^>]*src=\"([^\"]+)\"", text):
        path, _, anchor = (target[0] or target[1]).partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = (ROOT / page).parent / path if path else ROOT / page
        is_there = file.exists() and (not anchor or anchor in anchors(file.read_text(encoding="utf-8")))
        broken += [] if is_there else [f"{path}#{anchor}"]
    assert broken == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    reached, new = set(), {"README.md"}
    while new:
        page = new.pop()
        reached.add(page)
        for target in re.findall(r"\]\(([^)#\s]+\.md)", read(page)):
            path = ((ROOT / page).parent / target).resolve()
            if path.is_file() and path.is_relative_to(ROOT):
                new |= {str(path.relative_to(ROOT))} - reached
    missing = {page for page in PAGES if page.startswith("docs/")} - {str(Path(p)) for p in reached}
    assert missing == set()
