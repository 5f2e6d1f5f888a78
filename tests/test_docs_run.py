"""Every command of the documentation is run, page by page, as a reader would, in a copy of the repository."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmark_folders import task, write_benchmark
from doc_commands import PAGES, ROOT, Block, Command, blocks, commands, in_block, is_shell, read, script_lines
from doc_stand_ins import COMPOSED_ONLY, GENERATED, NAMES, RUN, composed_only, named, runnable
from fake_server import running
from generation_server import GenerationServer
from test_released_prompts import released

from selfinstruct import jsonl
from selfinstruct.public_files import PUBLIC_FILES

PROGRAMS = Path(__file__).parent / "doc_programs"
# Run in `make test`: seconds each, no model.
QUICK = ("scripts/check_seeds.py", "scripts/filter_novel.py", "--help", "dry_run=true")
WRITES = ("cat", "mkdir", "cp", "printf")  # a page's own files
SLOW = ("reproduce.py", "ray=", "torchrun", "regeneration", "finetune/train.py data", "llm=local")
# What must be there before a page begins, where no command of the page makes it; the pages' own commands.
MADE_BEFORE = """
python scripts/reproduce.py experiment=demo run_dir=runs/demo
python scripts/generate.py llm=local llm.model=PATH_OR_HUB_ID run_dir=runs/mine
python finetune/train.py model=PATH_OR_HUB_ID data=runs/mine/finetuning_data/train.jsonl run_dir=runs/tuned
python scripts/eval_superni.py model=PATH_OR_HUB_ID \\
  superni_dir=natural-instructions run_dir=runs/eval_vanilla
python scripts/eval_superni.py model=PATH_OR_HUB_ID adapter=runs/tuned/adapter \\
  superni_dir=natural-instructions run_dir=runs/eval_tuned
python scripts/eval_user_oriented.py model=PATH_OR_HUB_ID run_dir=runs/user_vanilla
python scripts/eval_user_oriented.py model=PATH_OR_HUB_ID adapter=runs/tuned/adapter \\
  run_dir=runs/user_tuned
python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
python scripts/download_data.py target=public
cp -r runs/demo runs/data_size
"""
# Folders that a page goes on with, though one of its commands names them as run_dir.
GOES_ON_WITH = {("docs/regeneration.md", "runs/mine"), ("docs/experiments.md", "runs/demo")}
# What the Python of a page takes for granted.
PREAMBLES = {
    "docs/novelty.md": "seeds, candidates = ['Name a river.'], ['Name a red river.', 'Sort it by age.']\n"
    "text, texts = candidates[0], candidates\n",
}
NOVEL = ("Plan a week of meals for two.", "Name a river in the north.", "Say if the letter is rude.")


class Reader:
    """A copy of the repository, and a shell in it."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def run(self, page: str, lines: list[str]) -> subprocess.CompletedProcess[str]:
        """Run one page's commands in one shell, which stops at the first that fails."""
        script = "\n".join(["set -euo pipefail", *lines])
        virtual, copy = Path(sys.executable).parent, str(self.folder)
        environment = os.environ | {
            "PATH": f"{PROGRAMS}:{virtual}:{os.environ['PATH']}",
            "PYTHONPATH": copy,
            "HF_HUB_OFFLINE": "1",
            "OPENAI_API_KEY": "none",
        }
        return subprocess.run(
            ["bash", "-c", script, page],
            cwd=copy,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def copy_of_the_repository(folder: Path) -> None:
    """What git would clone, with the changes that are not committed yet; `.venv` is the tests' own."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix))
    _write_data(folder)


def _write_data(folder: Path) -> None:
    """The reader's own files, a benchmark in miniature, and a mirror of the public files."""
    shutil.copy(folder / "seeds/german/seed_tasks.jsonl", folder / "mine.jsonl")
    rows = [{"instruction": text, "input": "", "output": f"Answer {n}."} for n, text in enumerate(NOVEL)]
    for name in ("new.jsonl", "train.jsonl"):
        jsonl.replace(folder / name, rows)
    benchmark = folder / "natural-instructions"
    tests = {f"task{n}_of_tests": task(f"task{n}") for n in range(2)}
    write_benchmark(benchmark, tests | {"task9_of_training": task("task9", 30)})
    split = benchmark / "splits/default"
    (split / "test_tasks.txt").write_text("".join(f"{name}\n" for name in tests))
    (split / "train_tasks.txt").write_text("task9_of_training\n")
    systems = [f"runs/user_{name}/predictions.jsonl" for name in ("vanilla", "tuned")]
    ratings = [
        {
            "rater": rater,
            "item": f"task {n}",
            "system": system,
            "rating": "ABCD"[n % 4],
            "note": "",
            "time": "",
        }
        for rater in ("ann", "ben")
        for n in range(8)
        for system in systems
    ]
    jsonl.replace(folder / "rated.jsonl", ratings)
    _write_mirror(folder, folder / "mirror")


def _write_mirror(folder: Path, mirror: Path) -> None:
    """Files of our own in the form of each public one."""
    released(mirror / "self-instruct")
    instance = {"instruction": "Name a red fruit.", "input": "", "output": "A cherry."}
    for file in PUBLIC_FILES:
        path = mirror / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        match file.group:
            case "seeds":
                shutil.copy(folder / "seeds/seed_tasks.jsonl", path)
            case "user_oriented":
                shutil.copy(folder / "eval/data/user_oriented.jsonl", path)
            case "natural_instructions":
                with tarfile.open(path, "w:gz") as archive:
                    archive.add(folder / "natural-instructions", "natural-instructions-master")
            case "predictions":
                line = instance | {
                    "prompt": "Name a red fruit.",
                    "response": "A plum.",
                    "target": "A cherry.",
                }
                jsonl.replace(path, [line])
            case "prompts":
                pass  # written above
            case _:
                jsonl.replace(path, [instance | {"prompt": "Name a red fruit.", "completion": " A cherry."}])


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with running() as fake:
        fake.default = GenerationServer()
        yield fake.url


@pytest.fixture(scope="session")
def unused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy that a reader begins with."""
    folder = tmp_path_factory.mktemp("reader") / "repository"
    copy_of_the_repository(folder)
    return folder


@pytest.fixture(scope="session")
def used(unused: Path, server: str) -> Path:
    """The same with the runs that pages speak of, made once."""
    folder = unused.with_name("used")
    shutil.copytree(unused, folder, symlinks=True)
    made = in_block(Block("made before", 1, "sh", MADE_BEFORE.strip("\n") + "\n"))
    lines = [runnable(command, server) for command in made]
    done = Reader(folder, server).run("made before", lines)
    assert done.returncode == 0, done.stdout[-4000:]
    return folder


def page_lines(page: str, url: str, quick: bool) -> list[str]:
    """The page's commands and its Python, in its order, each after a line that says where it stands."""
    parts: list[tuple[int, str]] = []
    for command in commands(page):
        if composed_only(command) or (quick and not _is_quick(command)):
            continue
        parts.append((command.line, runnable(command, url)))
    for block in blocks(page) if not quick else ():
        if block.language == "python":
            parts.append((block.line, _python(block)))
        elif not is_shell(block):
            continue
    return [line for number, text in sorted(parts) for line in (f"echo '@@ {page}:{number}'", text)]


def _python(block: Block) -> str:
    return f"python - <<'END OF PYTHON'\n{PREAMBLES.get(block.page, '')}{block.text}END OF PYTHON"


def _is_quick(command: Command) -> bool:
    if command.program in WRITES and "runs/" not in command.text:
        return True
    is_slow = any(word in command.text for word in SLOW)
    return not is_slow and any(word in command.text for word in QUICK)


def check(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        last = done.stdout.rpartition("@@ ")[2]
        pytest.fail(f"exit code {done.returncode} at {last[-3500:]}", pytrace=False)


@pytest.mark.parametrize("page", [page for page in PAGES if page_lines(page, "", quick=True)])
def test_the_quick_commands_of_a_page_run(page: str, unused: Path, server: str) -> None:
    check(Reader(unused, server).run(page, page_lines(page, server, quick=True)))


def test_a_page_stops_at_the_command_that_fails(unused: Path, server: str) -> None:
    lines = ["echo '@@ page:1'", "true", "echo '@@ page:2'", "python scripts/check_seeds.py seeds=no.jsonl"]
    done = Reader(unused, server).run("page", [*lines, "echo '@@ page:3'"])
    with pytest.raises(pytest.fail.Exception, match="exit code 2 at page:2"):
        check(done)


def test_python_of_a_page_runs() -> None:
    """The snippets that need no run folder."""
    for page in PREAMBLES:
        snippets = [block for block in blocks(page) if block.language == "python"]
        assert snippets, page
        for block in snippets:
            exec(compile(PREAMBLES[page] + block.text, f"{page}:{block.line}", "exec"), {})


@pytest.mark.soak
@pytest.mark.parametrize("page", [page for page in PAGES if page_lines(page, "", quick=False)])
def test_every_command_of_a_page_runs(page: str, used: Path, server: str, tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    shutil.copytree(used, folder, symlinks=True)
    for name in _run_dirs(page) - {kept for on, kept in GOES_ON_WITH if on == page}:
        shutil.rmtree(folder / name, ignore_errors=True)
    done = Reader(folder, server).run(page, page_lines(page, server, quick=False))
    (tmp_path / "output.txt").write_text(done.stdout)
    check(done)


def _run_dirs(page: str) -> set[str]:
    """The folders that the page's own commands make."""
    text = "\n".join(command.text for command in commands(page))
    return set(re.findall(r"\b(?:run_dir|target)=([\w./-]+)", text))


def test_every_entry_of_the_tables_is_of_use() -> None:
    """A reason for not running something does not outlive the command it was given for."""
    found = [named(command) for page in PAGES for command in commands(page)]
    found += [named(line) for command in found for line in script_lines(command)]
    texts = [command.text for command in found] + [" ".join(command.words) for command in found]
    stale = [
        each.pattern for each in COMPOSED_ONLY + RUN if not any(re.search(each.pattern, t) for t in texts)
    ]
    unnamed = [text for page in PAGES for text in read(page).split("\n")]
    stale += [each.pattern for each in NAMES if not any(re.search(each.pattern, t) for t in unnamed)]
    assert stale == []
    assert set(GENERATED) <= set(PAGES)


def test_most_commands_are_run() -> None:
    run = [c for page in PAGES for c in commands(page) if not composed_only(c)]
    assert len(run) > 80
