"""Phase 1 against a local server that answers after a fixed time: how near to the bound is the driver?

    python scripts/bench/throughput.py [--instructions 52000] [--concurrency 64] [--latency-ms 200]

Runs `selfinstruct.pipeline.generate` in this process, filters and novelty filter on, beside a server of its
own (`answering_server.py`), and prints a Markdown table of the three stages that ask. The bound is
concurrency / latency; "first" and "last" are the requests a second of a stage's first and last 1,000 answers,
as the response log has their times. CPU is this process's and that of the process that scores novelty for it,
server apart; that of the novelty filter is told from the rest by the time of the thread in its methods, of
the threads that it starts, and of that process. Memory is the sum of both processes' peaks.
"""

import argparse
import contextlib
import functools
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from selfinstruct import jsonl, pipeline
from selfinstruct.classification import ClassificationStage
from selfinstruct.entry import CONFIGS
from selfinstruct.generation_config import GenerateConfig
from selfinstruct.instances import InstanceStage
from selfinstruct.novelty import NoveltyFilter
from selfinstruct.settings import from_dict

FEW = 1000  # requests in the first and the last part


@dataclass
class Reading:
    """The clocks at one moment, in seconds, and the most memory so far, in bytes."""

    wall: float
    cpu: float
    filter_cpu: float
    peak_rss: int

    @classmethod
    def now(cls) -> "Reading":
        # Children that have ended: the process that scored; the server has not.
        own, child = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        child_cpu = child.ru_utime + child.ru_stime
        peak = 1024 * (own.ru_maxrss + child.ru_maxrss)
        cpu = time.process_time() + child_cpu
        return cls(time.perf_counter(), cpu, FilterClock.seconds() + child_cpu, peak)


class FilterClock:
    """CPU seconds in the novelty filter: in its methods, whoever calls them, and in threads of its own."""

    _lock = threading.Lock()
    _within = threading.local()
    _seconds = 0.0

    @classmethod
    def seconds(cls) -> float:
        return cls._seconds

    @classmethod
    def _count(cls, work: Callable[[], Any]) -> Any:
        if getattr(cls._within, "counting", False):  # a method that calls another
            return work()
        cls._within.counting, start = True, time.thread_time()
        try:
            return work()
        finally:
            cls._within.counting = False
            with cls._lock:
                cls._seconds += time.thread_time() - start

    @classmethod
    def wrap(cls) -> None:
        """From here on all filters are timed."""
        for name in ("check", "admit", "add", "extend", "similarity"):
            setattr(NoveltyFilter, name, cls._timed(getattr(NoveltyFilter, name)))
        NoveltyFilter.similarities = cls._timed_rows(NoveltyFilter.similarities)  # type: ignore[method-assign]

    @classmethod
    def _timed(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(method)(lambda *args: cls._count(lambda: method(*args)))

    @classmethod
    def _timed_rows(cls, method: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        """`similarities` starts threads: their time is the process's less that of the threads before them."""

        @functools.wraps(method)
        def timed(*args: Any) -> Iterator[Any]:
            others = [
                time.pthread_getcpuclockid(thread.ident)
                for thread in threading.enumerate()
                if thread.ident is not None and thread is not threading.current_thread()
            ]

            def not_mine() -> float:
                return sum(map(time.clock_gettime, others))

            start, between = time.process_time() - not_mine(), 0.0
            try:
                for row in method(*args):
                    handed_out = time.thread_time()
                    yield row
                    between += time.thread_time() - handed_out
            finally:  # whoever takes just as many rows as there are does not come back for the end
                with cls._lock:
                    cls._seconds += time.process_time() - not_mine() - start - between

        return timed


@contextlib.contextmanager
def server(latency_ms: float) -> Iterator[str]:
    """The answering server in a process of its own; gives its address."""
    script = Path(__file__).with_name("answering_server.py")
    process = subprocess.Popen(
        [sys.executable, str(script), f"--latency-ms={latency_ms}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin and process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()


def config(url: str, run_dir: Path, instructions: int, concurrency: int) -> GenerateConfig:
    """`configs/generate.yaml` with a served model."""
    words = ["llm=openai", f"llm.base_url={url}", "llm.model=made-up", f"llm.max_concurrency={concurrency}"]
    words += [f"run_dir={run_dir}", f"num_instructions={instructions}", "statistics.parser=rules"]
    with initialize_config_dir(str(CONFIGS), version_base="1.3"):
        composed = OmegaConf.to_container(compose("generate", words), resolve=True)
    assert isinstance(composed, dict)
    return from_dict(GenerateConfig, {str(key): value for key, value in composed.items()})


@contextlib.contextmanager
def readings() -> Iterator[dict[str, tuple[Reading, Reading]]]:
    """Readings before and after each stage that asks, by its name, while `generate` runs."""
    taken: dict[str, tuple[Reading, Reading]] = {}

    def measured(stage: str, run: Callable[..., None]) -> Callable[..., None]:
        def run_measured(*args: Any, **kwargs: Any) -> None:
            before = Reading.now()
            run(*args, **kwargs)
            taken[stage] = before, Reading.now()

        return run_measured

    FilterClock.wrap()
    pipeline._instructions = measured("instructions", pipeline._instructions)
    ClassificationStage.run = measured("classification", ClassificationStage.run)  # type: ignore[method-assign]
    InstanceStage.run = measured("instances", InstanceStage.run)  # type: ignore[method-assign]
    yield taken


def answer_times(log: Path) -> dict[str, list[float]]:
    """The moments at which the answers of each stage came to the log."""
    times: dict[str, list[float]] = {}
    for _, record in jsonl.numbered_records(log):
        times.setdefault(record["stage"], []).append(record["time"])
    return {stage: sorted(moments) for stage, moments in times.items()}


def per_second(moments: list[float]) -> str:
    """Answers a second in so many moments."""
    return f"{(len(moments) - 1) / (moments[-1] - moments[0]):.0f}" if len(moments) > 1 else "-"


def table(taken: dict[str, tuple[Reading, Reading]], times: dict[str, list[float]], bound: float) -> str:
    """A line for each stage, and one for all of them."""
    heading = (
        "| stage | requests | seconds | requests/s | of the bound | first / last requests/s "
        "| CPU ms a request | without the filter | peak RSS |"
    )
    lines = [heading, "|---" * 9 + "|"]
    rows = [(stage, [before], [after], times[stage]) for stage, (before, after) in taken.items()]
    befores, afters = ([each[side] for each in taken.values()] for side in (0, 1))
    rows.append(("all", befores, afters, [moment for stage in taken for moment in times[stage]]))
    for stage, starts, ends, moments in rows:
        wall, cpu, filtering = (
            sum(getattr(end, name) - getattr(start, name) for start, end in zip(starts, ends, strict=True))
            for name in ("wall", "cpu", "filter_cpu")
        )
        count = len(moments)
        few = min(FEW, count // 2)
        ends_of_it = f"{per_second(moments[:few])} / {per_second(moments[-few:])}" if len(starts) == 1 else ""
        lines.append(
            f"| {stage} | {count:,} | {wall:.1f} | {count / wall:.0f} | {count / wall / bound:.1%} "
            f"| {ends_of_it} | {1000 * cpu / count:.2f} | {1000 * (cpu - filtering) / count:.2f} "
            f"| {max(end.peak_rss for end in ends) / 2**30:.2f} GiB |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--instructions", type=int, default=52_000, help="accepted ones; 2000 for a try")
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--run-dir", type=Path, help="an empty folder to keep; default: a temporary one")
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    bound = arguments.concurrency / (arguments.latency_ms / 1000)
    with contextlib.ExitStack() as stack:
        folder = arguments.run_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()), "run")
        url = stack.enter_context(server(arguments.latency_ms))
        taken = stack.enter_context(readings())
        load = os.getloadavg()[0]
        start = time.perf_counter()
        pipeline.generate(config(url, folder, arguments.instructions, arguments.concurrency))
        whole = time.perf_counter() - start
        statistics = json.loads((folder / "statistics.json").read_text(encoding="utf-8"))
        print(table(taken, answer_times(folder / "response_log.jsonl"), bound))
        peak = Reading.now().peak_rss / 2**30
    print(
        f"\nbound {bound:.0f} requests/s; {statistics['instructions']['count']:,} instructions, funnel "
        f"{statistics['funnel']}; whole command {whole:.0f} s, peak RSS {peak:.2f} GiB; "
        f"load before {load:.1f}, {os.cpu_count()} cores"
    )


if __name__ == "__main__":
    main()
