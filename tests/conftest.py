"""Fixtures that several test files share; heavy libraries are imported where a test asks for them."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def same_threads_afterwards() -> Iterator[None]:
    """PyTorch has as many threads after the test as before; a run sets them for the whole process."""
    import torch

    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a window, driven by playwright; where either is missing, the test is skipped."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()
