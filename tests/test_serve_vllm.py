"""`scripts/serve_vllm.sh` hands vLLM what it was asked for (a stand-in takes its words: vLLM needs a GPU)."""

import os
import subprocess
from pathlib import Path

import pytest

from selfinstruct.settings import REPOSITORY

SCRIPT = str(REPOSITORY / "scripts" / "serve_vllm.sh")


@pytest.fixture
def vllm(tmp_path: Path) -> dict[str, str]:
    """An environment whose `vllm` prints its arguments, one a line."""
    (tmp_path / "vllm").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "vllm").chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}"}


def serve(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([SCRIPT, *words], env=environment, capture_output=True, text=True, check=False)


def test_one_gpu_and_own_options(vllm: dict[str, str]) -> None:
    words = serve(vllm, "some/model", "--max-model-len", "4096").stdout.split()
    assert words[:2] == ["serve", "some/model"]
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert words[words.index("--data-parallel-size") + 1] == "1"
    assert words[-2:] == ["--max-model-len", "4096"]
    assert "ray" not in words


def test_many_gpus_over_several_nodes(vllm: dict[str, str]) -> None:
    environment = vllm | {"TENSOR_PARALLEL": "2", "DATA_PARALLEL": "16", "RAY": "1"}
    words = serve(environment, "m").stdout.split()
    assert words[words.index("--tensor-parallel-size") + 1] == "2"
    assert words[words.index("--data-parallel-size") + 1] == "16"
    assert words[words.index("--data-parallel-backend") + 1] == "ray"


@pytest.mark.parametrize("words", [(), ("--port", "1")])
def test_without_a_model_it_says_how_to_call_it(vllm: dict[str, str], words: tuple[str, ...]) -> None:
    done = serve(vllm, *words)
    assert done.returncode == 2 and done.stderr.startswith("usage: ")


def test_without_vllm_it_says_what_to_install() -> None:
    done = serve({"PATH": "/usr/bin:/bin"}, "m")
    assert done.returncode == 2 and "pip install vllm" in done.stderr
