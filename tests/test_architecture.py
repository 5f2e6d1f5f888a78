"""Imports run one way: scripts -> finetune | eval -> selfinstruct; finetune and eval meet on disk only."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FORBIDDEN = {"selfinstruct": {"finetune", "eval", "scripts"}, "finetune": {"eval", "scripts"}}
FORBIDDEN |= {"eval": {"finetune", "scripts"}, "scripts": {"scripts"}}
TAKEN_NAMES = {"evaluate", "eval", "datasets", "accelerate", "peft", "logging", "types", "tokenizers"}


def imported_packages(path: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            packages.add(node.module.split(".")[0])
    return packages


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    wrong = {str(f.relative_to(ROOT)): imported_packages(f) & FORBIDDEN[package] for f in files}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("folder", ["scripts", "finetune"])
def test_no_file_beside_an_entry_point_hides_a_library(folder: str) -> None:
    # `python scripts/x.py` puts scripts/ first on the path.
    assert {file.stem for file in (ROOT / folder).glob("*.py")} & TAKEN_NAMES == set()


def test_no_module_name_is_a_drawer_for_anything() -> None:
    assert [str(f) for d in FORBIDDEN for f in (ROOT / d).rglob("utils.py")] == []
