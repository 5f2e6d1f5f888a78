"""Every YAML under configs/ is composed, and every command's config becomes its dataclass."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from selfinstruct.entry import CONFIGS, _short

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "generate": "scripts/generate.py",
    "train": "finetune/train.py",
    "eval_superni": "scripts/eval_superni.py",
    "reproduce": "scripts/reproduce.py",
    "make_report": "scripts/make_report.py",
    "check_seeds": "scripts/check_seeds.py",
    "eval_user_oriented": "scripts/eval_user_oriented.py",
    "make_controls": "scripts/make_controls.py",
    "download_data": "scripts/download_data.py",
    "review_little_world": "scripts/review_little_world.py",
    "annotate": "scripts/annotate.py",
    "report_ratings": "scripts/report_ratings.py",
    "rating_forms": "scripts/rating_forms.py",
    "judge": "scripts/judge.py",
    "filter_novel": "scripts/filter_novel.py",
    "export_lm_eval": "scripts/export_lm_eval.py",
}
# A group's options, with the command that uses it and what an option cannot do without.
GROUPS = {
    "llm": "generate",
    "prompts": "generate",
    "queries": "generate",
    "filters": "generate",
    "for_llm": "generate",
    "template": "train",
    "method": "train",
    "benchmark": "eval_superni",
    "rows": "reproduce",
}


def options() -> list[tuple[str, str]]:
    """(command, override) of every group file and experiment."""
    found = []
    for path in sorted(CONFIGS.rglob("*.yaml")):
        parts = path.relative_to(CONFIGS).with_suffix("").parts
        if parts[0] == "accelerate" or len(parts) == 1:
            continue
        if parts[0] == "experiment":
            found.append((parts[1], f"experiment/{parts[1]}={parts[2]}"))
        else:
            override = f"{parts[0]}={parts[1]}" if parts[0] != "for_llm" else f"llm={parts[1]}"
            override = f"+{override}" if parts[0] == "rows" else override  # experiments name it, users do not
            found.append((GROUPS[parts[0]], override))
    return found


@pytest.mark.parametrize(("command", "override"), options())
def test_every_group_file_composes(command: str, override: str) -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        assert compose(command, overrides=[override])


def test_every_primary_file_belongs_to_a_command() -> None:
    primary = {path.stem for path in CONFIGS.glob("*.yaml")} - {"common"}
    assert primary == set(COMMANDS)


@pytest.mark.parametrize("script", COMMANDS.values())
def test_help_is_quick_and_does_not_import_torch(script: str) -> None:
    spy = (
        f"import runpy, sys; sys.argv = [{script!r}, '--help']\n"
        f"try: runpy.run_path({script!r}, run_name='__main__')\n"
        "finally: assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", spy],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert "run_dir" in done.stdout or "seeds" in done.stdout
    assert time.perf_counter() - start < 30  # 3 s on an idle machine; what makes it slow is asserted above


def run_script(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, cwd=cwd)


def test_an_unknown_key_ends_with_2_and_one_message(tmp_path: Path) -> None:
    done = run_script(str(ROOT / "scripts/generate.py"), "sed=2", f"run_dir={tmp_path}/r", cwd=tmp_path)
    assert done.returncode == 2
    assert "sed" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_group_option_ends_with_2(tmp_path: Path) -> None:
    done = run_script(str(ROOT / "scripts/generate.py"), "llm=gpt", cwd=tmp_path)
    assert done.returncode == 2
    assert "llm=gpt: no such option; choose from" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_seed_file_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "my.jsonl").write_text('{"instruction": "Do it now, please.", "is_classification": false}\n')
    done = run_script(str(ROOT / "scripts/generate.py"), "seed_tasks=my.jsonl", "run_dir=r", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('error: my.jsonl:1: "instances" is missing')


def test_help_into_a_pipe_that_is_closed_early_is_quiet() -> None:
    script = str(ROOT / "scripts/generate.py")
    with subprocess.Popen(
        [sys.executable, script, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, b"")


def test_llm_vllm_is_a_server_on_this_machine_with_enough_asked_ahead() -> None:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        config = compose("generate", overrides=["llm=vllm", "llm.model=m"])
        served = compose("generate", overrides=["llm=openai", "llm.model=m"])
    assert (config.llm.backend, config.llm.base_url) == ("openai", "http://localhost:8000/v1")
    assert config.instructions.lookahead >= 2 * config.llm.max_concurrency
    assert (config.prompts, config.queries) == (served.prompts, served.queries)


def test_the_folder_of_a_multirun_job_has_a_name_that_disks_take() -> None:
    long = ["data=" + "d" * 600 + f",seed={seed}" for seed in (1, 2)]
    assert _short("seed=1") == "seed=1"
    assert _short("s" * 255) == "s" * 255
    assert len({_short(name) for name in long}) == 2
    assert all(len(_short(name).encode()) <= 255 for name in [*long, "ü" * 300])
