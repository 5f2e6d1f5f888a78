"""The commands of the documentation as a reader copies them: found in the pages, taken apart, composed."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from accelerate.commands.launch import launch_command_parser
from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf

from selfinstruct.entry import CONFIGS
from selfinstruct.settings import from_dict

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")))
# What each command's settings become, by its script.
CONFIG_CLASSES = {
    "scripts/annotate.py": "eval.annotate.command.AnnotateConfig",
    "scripts/check_seeds.py": "selfinstruct.seed_check.CheckSeedsConfig",
    "scripts/download_data.py": "selfinstruct.download.DownloadConfig",
    "scripts/eval_superni.py": "eval.superni_run.EvalSuperNIConfig",
    "scripts/eval_user_oriented.py": "eval.user_oriented_run.EvalUserOrientedConfig",
    "scripts/export_lm_eval.py": "eval.lm_eval_export.ExportLmEvalConfig",
    "scripts/filter_novel.py": "selfinstruct.filter_novel.FilterNovelConfig",
    "scripts/generate.py": "selfinstruct.generation_config.GenerateConfig",
    "scripts/judge.py": "eval.judge_run.JudgeConfig",
    "scripts/make_controls.py": "selfinstruct.controls.ControlsConfig",
    "scripts/make_report.py": "eval.report.command.MakeReportConfig",
    "scripts/rating_forms.py": "eval.annotate.forms_command.RatingFormsConfig",
    "scripts/report_ratings.py": "eval.rating_report.ReportRatingsConfig",
    "scripts/reproduce.py": "eval.experiment.config.ReproduceConfig",
    "scripts/review_little_world.py": "eval.little_world_review.ReviewConfig",
    "finetune/train.py": "finetune.config.TrainConfig",
}
# Programs of the shell and of others that pages may call.
_KEYWORDS = ". set until wait kill true cd".split()
SHELL = (
    *_KEYWORDS,
    *"printf export cat mkdir cp ls grep head tail wc git rsync ssh curl hf lm_eval".split(),
    *"sbatch srun scancel squeue ray transformers pre-commit".split(),
)
AMBIGUOUS = (*_KEYWORDS, "cat", "head", "transformers")  # in a sentence these are mostly something else
PROGRAMS = (*SHELL, "python", "accelerate", "torchrun", "make", "pip", "scripts/serve_vllm.sh")
# Blocks without a language that hold no shell commands, by page and first word.
NOT_SHELL = {
    ("README.md", "configs/"): "the tree of the repository",
    ("docs/finetuning.md", "data=train.jsonl"): "settings of finetune/train.py, checked as such",
    ("docs/finetuning.md", "data=[a.jsonl,natural-instructions]"): "settings of finetune/train.py",
}
_BLOCK = re.compile(r"^( *)```([\w+-]*)\n(.*?)^ *```", re.S | re.M)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_HEREDOC = re.compile(r"<<-?\s*'?(\w+)'?")
_SETTING = re.compile(r"'?(\+?[a-z_]\w*(?:[@.][a-z_]\w*)*)=")


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line its text begins on, and what it is in."""

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command with the lines that belong to it (continuations, a here-document)."""

    page: str
    line: int
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def head(self) -> str:
        """The command without the text of a here-document."""
        return self.text.split("\n", 1)[0] if _HEREDOC.search(self.text) else self.text

    @property
    def all_words(self) -> list[str]:
        return shlex.split(self.head, comments=True)

    @property
    def words(self) -> list[str]:
        """Without the environment variables before it."""
        words = self.all_words
        while len(words) > 1 and re.match(r"[A-Z][A-Z0-9_]*=", words[0]):
            words = words[1:]
        return words

    @property
    def program(self) -> str:
        return self.words[0].removeprefix(".venv/bin/") if self.words else ""

    @property
    def script(self) -> str | None:
        """The script of ours that it runs, whatever launches it."""
        scripts = [word for word in self.words if word.endswith((".py", ".sh")) and "=" not in word]
        return scripts[0] if scripts and not _HEREDOC.search(self.text) else None

    @property
    def overrides(self) -> list[str]:
        """The settings it gives to its script; `...`, which stands for more of them, left out."""
        script = self.script
        assert script is not None
        words = self.words[self.words.index(script) + 1 :]
        if "--cfg" in words:  # Hydra's own option, and its value
            del words[words.index("--cfg") : words.index("--cfg") + 2]
        return [word for word in words if word != "..." and not word.startswith("--")]

    @property
    def is_whole(self) -> bool:
        return "..." not in self.head and "--cfg" not in self.words

    @property
    def config_script(self) -> str | None:
        """The script whose settings `overrides` are."""
        return "finetune/train.py" if self.script == "scripts/train_slurm.sh" else self.script


def read(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, their indentation taken off."""
    text = read(page)
    found = []
    for match in _BLOCK.finditer(text):
        indent, language, inside = match.groups()
        lines = [line.removeprefix(indent) for line in inside.splitlines()]
        start = text.count("\n", 0, match.start(3)) + 1
        found.append(Block(page, start, language, "\n".join(lines) + "\n"))
    return found


def is_shell(block: Block) -> bool:
    first = (block.text.split() or [""])[0]
    plain = block.language == "" and (block.page, first) not in NOT_SHELL
    return plain or block.language in ("bash", "sh", "shell")


def spans(page: str) -> list[tuple[int, str]]:
    """(line, text) of each piece of inline code, on one line."""
    text = _BLOCK.sub(lambda m: "\n" * m[0].count("\n"), read(page))
    return [(text.count("\n", 0, m.start()) + 1, " ".join(m[1].split())) for m in _SPAN.finditer(text)]


def commands(page: str) -> list[Command]:
    """Every command of a page in the order of the page: those of its blocks, and inline ones."""
    found = [command for block in blocks(page) if is_shell(block) for command in in_block(block)]
    found += [Command(page, line, text) for line, text in spans(page) if _is_command(text)]
    return sorted(found, key=lambda command: command.line)


def _is_command(span: str) -> bool:
    words = span.split()
    while words and re.match(r"[A-Z][A-Z0-9_]*=", words[0]):
        words = words[1:]
    if len(words) < 2 or (words[:2] in (["accelerate", "launch"], ["ray", "start"]) and len(words) == 2):
        return False
    named = words[0].removeprefix(".venv/bin/")
    # Of the shell's words only those that are nothing else in a sentence.
    return named in PROGRAMS and named not in AMBIGUOUS


def in_block(block: Block) -> Iterator[Command]:
    """The commands of a block; lines of a script that a here-document writes are commands too."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        start = number
        text = lines[number]
        number += 1
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        while text.endswith("\\"):
            text = text[:-1].rstrip() + " " + lines[number].strip()
            number += 1
        if heredoc := _HEREDOC.search(text):
            end = lines.index(heredoc[1], number)
            text = "\n".join([text, *lines[number : end + 1]])
            number = end + 1
        yield Command(block.page, block.line + start, text)


def script_lines(command: Command) -> list[Command]:
    """The commands of a shell script that a here-document of this command writes."""
    if not (_HEREDOC.search(command.text) and re.search(r"\.(sh|sbatch)$", command.words[-2])):
        return []
    body = "\n".join(command.text.split("\n")[1:-1])
    return list(in_block(Block(command.page, command.line + 1, "sh", body)))


def config_name(script: str) -> str:
    return Path(script).stem


@cache
def composed(script: str, overrides: tuple[str, ...]) -> list[DictConfig]:
    """The config of a command with these settings; several where one of them is a sweep (--multirun)."""
    sweeps: list[list[str]] = [[]]
    for word in overrides:
        key, equals, name = word.partition("=")
        word = f"experiment/{config_name(script)}={name}" if equals and key == "experiment" else word
        override = OverridesParser.create().parse_override(word)
        options = [word]
        if override.is_sweep_override():
            options = [f"{key}={value}" for value in override.sweep_string_iterator()]
        sweeps = [[*before, option] for before in sweeps for option in options]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return [compose(config_name(script), words) for words in sweeps]


def settings(script: str, config: DictConfig) -> Any:
    """The dataclass that a command makes of its config: refuses what the command would refuse."""
    module, _, name = CONFIG_CLASSES[script].rpartition(".")
    values = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    assert isinstance(values, dict)
    return from_dict(getattr(import_module(module), name), {str(key): v for key, v in values.items()})


def launched(command: Command) -> list[str]:
    """The words that `accelerate launch` hands on, as its own parser sees them."""
    words = [re.sub(r"^[A-Z]$", "0", word) for word in command.words[2:] if word != "..."]
    arguments = launch_command_parser().parse_args(words)
    assert Path(ROOT / arguments.config_file).is_file() if arguments.config_file else True
    return [arguments.training_script, *arguments.training_script_args]


def unquoted(text: str) -> str | None:
    """The first character that zsh (or bash) would take for a pattern in a setting outside quotes."""
    quote, word = "", ""
    for character in re.sub(r"\$\{[^}]*\}", "", text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character.isspace():
            word = ""
            continue
        elif character == "#" and not word:
            return None
        elif character in "[]{}*?" and "=" in word:
            return character
        word += character
    return None


@cache
def known_keys() -> frozenset[str]:
    """Every key of every command, under any backend, experiment and method, with dots."""
    llms = [["llm=tiny"], ["llm=local"], ["llm=openai"], ["llm=replay"]]
    more: dict[str, list[list[str]]] = {
        "generate": [["llm@regeneration.llm=openai"], ["llm@regeneration.llm=local"], ["prompts=released"]],
        "train": [["template=fixed"], *_experiments("train")],
        "reproduce": [*_experiments("reproduce")],
    }
    keys: set[str] = set()
    for script in CONFIG_CLASSES:
        name = config_name(script)
        plain: list[list[str]] = [[], *more.get(name, [])]
        primary = (CONFIGS / f"{name}.yaml").read_text(encoding="utf-8")
        for words in plain + (llms if "llm: " in primary else []):
            for config in composed(script, tuple(words)):
                keys.update(_flat(OmegaConf.to_container(config, resolve=False)))
        keys.update(re.findall(r"^  - (?:optional )?([\w@./]+):", primary, re.M))
    groups = {path.name for path in CONFIGS.iterdir() if path.is_dir()}
    return frozenset(keys | groups)


def _experiments(name: str) -> list[list[str]]:
    folder = CONFIGS / "experiment" / name
    return [[f"experiment/{name}={path.stem}"] for path in sorted(folder.glob("*.yaml"))]


def _flat(values: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(values, dict):
        for key, value in values.items():
            yield f"{prefix}{key}"
            yield from _flat(value, f"{prefix}{key}.")


def setting_keys(page: str) -> list[tuple[int, str]]:
    """(line, key) of every `key=...` in inline code, and in blocks that hold settings alone."""
    texts = [(line, text) for line, text in spans(page) if _SETTING.match(text)]
    for block in blocks(page):
        if (block.page, (block.text.split() or [""])[0]) in NOT_SHELL:
            texts += [(block.line + n, line) for n, line in enumerate(block.text.splitlines())]
    found = []
    for line, text in texts:
        for word in re.findall(r"(?:^|\s)([^\s]+)", text):
            if match := _SETTING.match(word):
                found.append((line, match[1].lstrip("+")))
    return found


def environment() -> dict[str, str]:
    """Where a reader's commands run: python and its tools are those of the tests."""
    return os.environ | {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "passive", "HYDRA_FULL_ERROR": "0"}
