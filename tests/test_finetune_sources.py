"""Where training data comes from: SuperNI folders, the hub, renamed fields, subsets by instruction."""

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from finetune_small import write_superni

from finetune.config import DataSource, TrainConfig, decisive_settings
from finetune.hub import is_hub_id
from finetune.sources import load_source, load_sources, source_digest
from finetune.superni_train import equal_quotas
from selfinstruct import jsonl
from selfinstruct.errors import UserError

ROOT = Path(__file__).parents[1]
REAL = ROOT.parent / "shared" / "data" / "natural-instructions"


def drawn(folder: Path, seed: int = 1, **settings: Any) -> list[tuple[str, str, str]]:
    rows = load_source(DataSource(str(folder), **settings), seed).rows
    return [row.instance for row in rows if row.instance]


def test_each_superni_task_gives_as_many_instances_as_the_others_where_it_has_them(tmp_path: Path) -> None:
    folder = write_superni(tmp_path / "ni")
    rows = drawn(folder, sample=16)
    assert Counter(instruction for instruction, _, _ in rows) == {
        "Do task1_small.": 2,
        "Do task2_middle.": 6,
        "Do task3_large.": 8,
    }
    assert len(set(rows)) == 16
    source = load_source(DataSource(str(folder), sample=16), 1)
    assert (source.num_read, source.note) == (38, "3 of the 4 tasks of its training split")
    assert len(drawn(folder)) == 38


def test_superni_samples_are_drawn_by_the_seed_and_a_larger_one_holds_a_smaller(tmp_path: Path) -> None:
    folder = write_superni(tmp_path / "ni")
    assert drawn(folder, sample=12) == drawn(folder, sample=12) != drawn(folder, seed=2, sample=12)
    for size in range(1, 38):
        assert set(drawn(folder, sample=size)) < set(drawn(folder, sample=size + 1))
    outputs = Counter(output[0] for _, _, output in drawn(folder))
    assert set(outputs) == {"a", "b"}  # one of the acceptable outputs
    with pytest.raises(UserError, match="sample=39 is more than the 38 instances"):
        drawn(folder, sample=39)


def test_equal_quotas_fill_up_and_never_pass_a_size() -> None:
    assert equal_quotas([2, 6, 30], 38) == [2, 6, 30]
    assert equal_quotas([5, 5, 5], 7) == [3, 2, 2]
    assert equal_quotas([0, 1, 100], 50) == [0, 1, 49]


def test_a_split_that_trains_on_a_test_task_is_refused(tmp_path: Path) -> None:
    folder = write_superni(tmp_path / "ni", tests=("task2_middle",))
    with pytest.raises(UserError, match=r"train_tasks\.txt: names task2_middle, which is a test task too"):
        drawn(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Definition": "text"}, r"task2_middle\.json: Definition: must be a list"),
        ({"Instances": []}, r"task2_middle\.json: Instances: must be a list"),
        ({"Instances": [{"input": 1, "output": ["x"]}]}, r"Instances\[0\]: must be an object"),
        ({"Instances": [{"input": "i", "output": "x"}]}, r"Instances\[0\]\.output: must be a list"),
    ],
)
def test_a_broken_task_file_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    folder = write_superni(tmp_path / "ni")
    path = folder / "tasks" / "task2_middle.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=message):
        drawn(folder)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real task files are not beside the repository")
def test_a_real_task_file_is_read(tmp_path: Path) -> None:
    task = "task1393_superglue_copa_text_completion"
    (tmp_path / "splits" / "default").mkdir(parents=True)
    (tmp_path / "splits" / "default" / "train_tasks.txt").write_text(f"{task}\n")
    (tmp_path / "tasks").symlink_to(REAL / "tasks")
    record = json.loads((REAL / "tasks" / f"{task}.json").read_text())
    outputs = {instance["input"]: instance["output"] for instance in record["Instances"]}
    rows = drawn(tmp_path, sample=50)
    assert len(rows) == 50
    assert all(text == record["Definition"][0] and out in outputs[given] for text, given, out in rows)


def write_rows(path: Path, records: list[dict[str, Any]]) -> DataSource:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return DataSource(str(path))


def test_data_size_counts_instructions_and_a_larger_subset_holds_a_smaller(tmp_path: Path) -> None:
    records = [
        {"instruction": f"Do {number}.", "input": f"{k}", "output": "x"}
        for number in range(20)
        for k in range(3)
    ]
    source = write_rows(tmp_path / "d.jsonl", records)

    def subset(size: int, seed: int = 1) -> set[tuple[str, str, str]]:
        (loaded,) = load_sources([source], seed, size)
        assert len(loaded.rows) == 3 * size  # all the instances of an instruction
        return {row.instance for row in loaded.rows if row.instance}

    for size in range(1, 20):
        assert subset(size) < subset(size + 1)
    assert subset(7) == subset(7) != subset(7, seed=2)
    with pytest.raises(UserError, match="data_size=21: the data holds 20 instructions"):
        subset(21)


def test_data_size_needs_rows_that_name_their_instruction(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "d.jsonl", [{"prompt": "p", "completion": "c"}])
    with pytest.raises(UserError, match=r"d\.jsonl:1: data_size=1 counts instructions"):
        load_sources([source], 1, 1)


def test_fields_rename_those_of_the_source(tmp_path: Path) -> None:
    source = write_rows(tmp_path / "d.jsonl", [{"instruction": "i", "context": "c", "response": "r"}])
    source.fields = {"input": "context", "output": "response"}
    assert load_source(source, 1).rows[0].instance == ("i", "c", "r")
    source.fields = {"input": "nothing"}
    with pytest.raises(
        UserError, match=r"d\.jsonl:1: has no 'nothing'.*it has instruction, context, response"
    ):
        load_source(source, 1)
    with pytest.raises(UserError, match="data: fields=question: must be one of prompt"):
        DataSource("d", fields={"question": "q"})


def test_where_data_lies_does_not_decide_but_what_it_holds_does(tmp_path: Path) -> None:
    one = write_superni(tmp_path / "one")
    two = write_superni(tmp_path / "two")
    assert source_digest(DataSource(str(one))) == source_digest(DataSource(str(two)))
    (two / "tasks" / "task1_small.json").write_text((one / "tasks" / "task2_middle.json").read_text())
    assert source_digest(DataSource(str(one))) != source_digest(DataSource(str(two)))
    model = str(ROOT / "selfinstruct/llm/tiny/model")
    named = TrainConfig(Path("r"), {"a": {"path": str(one), "sample": 4}}, model)
    listed = TrainConfig(Path("elsewhere"), [DataSource(str(one), sample=4)], model)
    assert decisive_settings(named, source_digest) == decisive_settings(listed, source_digest)


def test_what_is_no_path_may_be_the_id_of_a_hub_dataset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["owner/name", "train.jsonl", "runs/train.jsonl", "./owner/name", "a/b/c", "name"]
    assert [is_hub_id(name) for name in names] == [True, False, False, False, False, False]
    (tmp_path / "owner" / "name").mkdir(parents=True)
    assert not is_hub_id("owner/name")


COMMIT = "a" * 40
HUB_ROWS = [{"instruction": f"Say {word}.", "input": "", "output": word} for word in ("red", "blue", "moon")]


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of the dataset hub as `load_dataset` asks for: one dataset of one file."""

    file = "".join(json.dumps(row) + "\n" for row in HUB_ROWS).encode()

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        path = self.path.partition("?")[0]
        digest = hashlib.sha1(self.file if path.endswith(".jsonl") else b"").hexdigest()
        if path == f"/api/datasets/owner/name/tree/{COMMIT}":
            entry = {"type": "file", "path": "train.jsonl", "size": len(self.file), "oid": digest}
            status, body = 200, json.dumps([entry]).encode()
        elif path in ("/api/datasets/owner/name", f"/api/datasets/owner/name/revision/{COMMIT}"):
            files = [{"rfilename": "train.jsonl"}]
            known = {"id": "owner/name", "sha": COMMIT, "private": False, "gated": False, "tags": []}
            status, body = 200, json.dumps(known | {"siblings": files}).encode()
        elif path.startswith("/datasets/owner/name/resolve/") and path.endswith("train.jsonl"):
            status, body = 200, self.file
        elif path.startswith("/datasets/owner/name/resolve/main/README.md"):
            status, body = 200, b"# A dataset\n"
        else:
            status, body = 404, b"{}"
        self.send_response(status)
        headers = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "Content-Length": str(len(body))}
        for name, value in headers.items():
            self.send_header(name, value)
        if status == 404:
            self.send_header("X-Error-Code", "EntryNotFound")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[dict[str, str]]:
    """An environment whose hub is a server of this test."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        online = {"HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}", "HF_HOME": str(tmp_path / "cache")}
        offline = {"HF_HUB_OFFLINE": "0", "HF_DATASETS_OFFLINE": "0"}
        yield os.environ | online | offline
        server.shutdown()


def dry_run(environment: dict[str, str], folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / "finetune/train.py"),
        f"run_dir={folder}/run",
        "dry_run=true",
        *words,
    ]
    return subprocess.run(command, env=environment, capture_output=True, text=True, cwd=folder)


def test_a_hub_dataset_is_read_by_its_id(hub: dict[str, str], tmp_path: Path) -> None:
    done = dry_run(hub, tmp_path, "data=owner/name")
    assert done.returncode == 0, done.stderr
    assert "owner/name: 3 of 3 examples" in done.stdout
    assert "owner/name, train: record 2, trained tokens in [[ ]]:" in done.stdout
    missing = dry_run(hub, tmp_path, "data={path: owner/name, split: test}")
    assert missing.returncode == 2
    assert missing.stderr.splitlines()[-1].startswith(
        "error: data: owner/name: no such file, and not to be had"
    )
    assert "Unknown split" in missing.stderr and "Traceback" not in missing.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"split": "test"}, "split=test is for hub datasets"),
        ({"subset": "x"}, "subset=x is for hub datasets"),
    ],
)
def test_settings_of_hub_datasets_are_refused_for_a_file(
    tmp_path: Path, given: dict[str, str], message: str
) -> None:
    jsonl.replace(tmp_path / "train.jsonl", [{"prompt": "Name a tree.", "completion": " Oak"}])
    with pytest.raises(UserError, match=message):
        source_digest(DataSource(str(tmp_path / "train.jsonl"), **given))
