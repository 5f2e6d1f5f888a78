"""The settings of an experiment's steps are looked at before the first one runs."""

import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra import initialize_config_dir

from eval.experiment.check import check_steps
from eval.experiment.config import ReproduceConfig
from eval.experiment.steps import override_value
from selfinstruct import jsonl
from selfinstruct.entry import CONFIGS, composed
from selfinstruct.errors import UserError

ROOT = Path(__file__).parents[1]
SCRIPT = str(ROOT / "scripts" / "reproduce.py")
COMMANDS: dict[str, type] = runpy.run_path(SCRIPT)["CONFIG_CLASSES"]
WRONG = {
    "++steps.generate.settings.num_instructions=none": (
        "generate (scripts/generate.py): num_instructions: 'none' must be a whole number"
    ),
    "+steps.train.settings.max_stepss=3": (
        "train (finetune/train.py): max_stepss: no such setting; --help lists those there are "
        "(did you mean max_steps?)"
    ),
    "+steps.train_seeds_only.settings.method=loraa": (
        "train_seeds_only (finetune/train.py): method=loraa: no such option; choose from "
    ),
    "++steps.train_little_world.settings.data=null": "train_little_world (finetune/train.py): data: None",
    "++steps.controls.settings.controls=[no]": "controls (scripts/make_controls.py): controls: 'no': choose",
    "+steps.review.settings.seed_tasks=x": "review (scripts/review_little_world.py): seed_tasks: no such",
    "+steps.self_instruct.settings.track=defualt": "self_instruct (scripts/eval_superni.py): track: ",
    "++steps.vanilla.settings.llm=null": "vanilla (scripts/eval_superni.py): llm=null: Config group override",
    "+steps.seeds_only.settings.budget.max_request=5": (
        "seeds_only (scripts/eval_superni.py): budget.max_request: no such setting"
    ),
}


@pytest.mark.parametrize("more", [["dry_run=true"], ["seeds=[1,2]"], []])
def test_wrong_settings_of_all_steps_are_refused_before_the_first_one_runs(
    tmp_path: Path, more: list[str]
) -> None:
    words = ["experiment=demo", f"run_dir={tmp_path / 'run'}", *WRONG, *more]
    done = subprocess.run([sys.executable, SCRIPT, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    head, *lines, last = done.stderr.splitlines()
    assert head == "error: nothing was run, for these steps would refuse their settings:"
    assert last == "A step's setting KEY is steps.NAME.settings.KEY here."
    assert len(lines) == len(WRONG)
    for expected in WRONG.values():
        assert any(line.startswith(f"  {expected}") for line in lines), (expected, done.stderr)
    assert not (tmp_path / "run").exists()


def composed_demo(folder: Path, *words: str) -> ReproduceConfig:
    words = ("experiment/reproduce=demo", f"run_dir={folder}", *words)
    return composed("reproduce", ReproduceConfig, list(words))


@pytest.fixture
def hydra_is_there() -> Iterator[None]:
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        yield


@pytest.mark.usefixtures("hydra_is_there")
@pytest.mark.parametrize("path", sorted((CONFIGS / "experiment" / "reproduce").glob("*.yaml")))
def test_the_steps_of_each_experiment_take_their_settings_and_demand_nothing_that_a_step_makes(
    path: Path, tmp_path: Path
) -> None:
    folder = override_value(str(tmp_path / "it's (mine)"))
    words = [f"experiment/reproduce={path.stem}", f"run_dir={folder}", "accelerate_config=cpu"]
    config = composed("reproduce", ReproduceConfig, words)
    check_steps(config, COMMANDS)
    for name in config.steps:  # begun, and not complete
        jsonl.replace_json(config.seed_dir / name / "manifest.json", {})
    check_steps(config, COMMANDS)


@pytest.mark.usefixtures("hydra_is_there")
def test_steps_with_the_same_wrong_setting_are_named_in_a_line(tmp_path: Path) -> None:
    steps = composed_demo(tmp_path).steps
    evaluated = [name for name, step in steps.items() if step.command == "scripts/eval_superni.py"]
    words = [f"++steps.{name}.settings.num_examples=-1" for name in evaluated]
    with pytest.raises(UserError) as refused:
        check_steps(composed_demo(tmp_path, *words), COMMANDS)
    lines = str(refused.value).splitlines()
    assert lines[1].startswith(
        "  vanilla, vanilla_2_examples and 4 more (scripts/eval_superni.py): num_examples"
    )
    assert len(lines) == 3


@pytest.mark.usefixtures("hydra_is_there")
def test_a_step_of_no_command_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"steps\.train\.command: 'finetune/trian\.py' is no such .* choose from"
    ):
        check_steps(composed_demo(tmp_path, "steps.train.command=finetune/trian.py"), COMMANDS)


def test_the_check_imports_no_torch() -> None:
    code = f"import runpy, sys; runpy.run_path({SCRIPT!r}); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
