"""Fixtures that several test files share; heavy libraries are imported where a test asks for them."""

import shutil
import signal
from collections.abc import Iterator
from typing import Any

import download_server
import fake_server
import pytest

from selfinstruct.llm.base import LLM, LLMConfig, make_llm


def pytest_configure() -> None:
    """A shell has its background jobs ignore Ctrl-C, and every process below inherits that; tests send it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake_server.FakeServer]:
    """An OpenAI-compatible server that does as it is told, and a key for it."""
    monkeypatch.setenv("OPENAI_API_KEY", fake_server.KEY)
    with fake_server.running() as fake:
        yield fake


@pytest.fixture
def opened() -> Iterator[list[LLM]]:
    """Backends that are closed when the test ends."""
    llms: list[LLM] = []
    yield llms
    for llm in llms:
        llm.close()


@pytest.fixture
def connect(server: fake_server.FakeServer, opened: list[LLM]) -> Any:
    """Opens the backend `llm=openai` on the server, with settings that do not keep a test waiting."""

    def connect_with(**settings: Any) -> LLM:
        quick = {"base_url": server.url, "first_pause_seconds": 0.01, "timeout_seconds": 10.0}
        opened.append(make_llm(LLMConfig("openai", "some-model", **(quick | settings))))
        return opened[-1]

    return connect_with


@pytest.fixture
def file_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[download_server.Server]:
    """A server of files that does as it is told, past any proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with download_server.serving() as serving:
        yield serving
