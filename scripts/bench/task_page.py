"""How quick the page of all tasks is at the paper's size: first view, a search, a choice, scrolling.

python scripts/bench/task_page.py --tasks 52445 --rejected 100000   # about a minute; needs chromium
"""

import argparse
import json
import random
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from eval.report.command import MakeReportConfig, make_report
from selfinstruct import jsonl

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def write_run(folder: Path, num_tasks: int, num_rejected: int) -> None:
    """A made-up run folder of generate.py: texts as long as the paper's, 1.57 instances a task."""
    rng = random.Random(1)
    words = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 9))) for _ in range(20_000)]

    def text(mean: int) -> str:
        return " ".join(rng.choices(words, k=max(4, round(rng.expovariate(1 / mean)))))

    tasks = [f"{text(16).capitalize()} {number}." for number in range(num_tasks)]
    near = [{rng.choice(tasks): round(rng.random(), 4)} for _ in tasks]
    lines: list[jsonl.Record] = [
        {"instruction": task, "most_similar": similar} for task, similar in zip(tasks, near, strict=True)
    ]
    jsonl.replace(folder / "machine_generated_instructions.jsonl", lines)
    labels = [{"instruction": t, "is_classification": rng.choice([" Yes", " No", " No"])} for t in tasks]
    jsonl.replace(folder / "is_clf_or_not.jsonl", labels)
    owners = [*tasks, *rng.choices(tasks, k=round(0.57 * num_tasks))]
    instances = [{"instruction": t, "input": text(13), "output": text(19)} for t in owners]
    jsonl.replace(folder / "finetuning_data" / "all_generated_instances.jsonl", instances)
    jsonl.replace(folder / "rejected.jsonl", (_rejected(rng, tasks, text(16)) for _ in range(num_rejected)))
    manifest = {"command": "generate", "status": "complete", "config": {}, "steps": {}, "seconds": 1.0}
    jsonl.replace_json(folder / "manifest.json", manifest | {"versions": {}, "git_commit": ""})


def _rejected(rng: random.Random, tasks: list[str], text: str) -> jsonl.Record:
    found: dict[str, Any] = {"stage": "instructions", "text": text, "request_idx": 0}
    if rng.random() < 0.2:
        return found | {"reason": rng.choice(["too_short", "too_long", "not_english"])}
    near = {"nearest": rng.choice(tasks), "score": round(0.7 + 0.3 * rng.random(), 4)}
    return found | {"reason": "too_similar"} | near


def measure(page: Page, url: str) -> dict[str, float]:
    """Milliseconds from the call to what is named being on the screen."""
    found: dict[str, float] = {}

    def timed(name: str, action: Any, until: str) -> None:
        start = time.perf_counter()
        action()
        page.wait_for_function(until, polling="raf")
        found[name] = round(1000 * (time.perf_counter() - start))

    status = "document.querySelector('.browser:not([hidden]) [role=status]').textContent"
    start = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_function("document.querySelectorAll('.samples > li').length > 0", polling="raf")
    found["first view"] = round(1000 * (time.perf_counter() - start))
    page.wait_for_function("document.querySelectorAll('script[data-of]').length === 0")
    found["all read"] = round(1000 * (time.perf_counter() - start))
    form = page.locator("#list-accepted form")
    box, kind = form.get_by_role("searchbox"), form.get_by_label("Kind")
    timed("search for a word", lambda: box.fill("52"), f"/fit.*searched all/.test({status})")
    timed("search for none", lambda: box.fill("no such text"), f"/No text/.test({status})")
    timed("search undone", lambda: box.fill(""), f"/^[0-9,]* texts/.test({status})")
    timed("a choice", lambda: kind.select_option("classification"), f"/fit.*searched all/.test({status})")
    sort = form.get_by_label("Sort")
    timed("sorted", lambda: sort.select_option("near"), "location.hash.includes('sort=near')")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=52_445)
    parser.add_argument("--rejected", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        run, report = Path(scratch, "made_up"), Path(scratch, "report")
        write_run(run, given.tasks, given.rejected)
        start = time.perf_counter()
        make_report(MakeReportConfig(report, [run], 300, None))
        seconds = time.perf_counter() - start
        page_file = report / "tasks.html"
        print(f"made in {seconds:.1f} s; {page_file.stat().st_size / 1e6:.1f} MB")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(
            viewport={"width": 1280, "height": 900}, bypass_csp=True
        )  # it is asked from outside
        print(json.dumps(measure(page, page_file.as_uri()), indent=2))
        heap = page.evaluate("performance.memory?.usedJSHeapSize / 1e6")
        print(
            f"script's memory: {heap:.0f} MB; {page.locator('.samples > li').count()} entries in the document"
        )
        browser.close()


if __name__ == "__main__":
    main()
