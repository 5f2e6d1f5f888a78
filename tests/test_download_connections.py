"""Downloads from a real local server that breaks off, forgets ranges, changes files, lies about lengths."""

import json
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path

import pytest
from download_server import CHUNK, CONTENT, SEEDS, Server, fetch, manifest

from selfinstruct.errors import StoppedEarly, UserError

ROOT = Path(__file__).parents[1]


def test_a_cut_connection_is_continued_where_it_broke(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("cut", 2 * CHUNK)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, "bytes=49152-", "bytes=81920-"]
    version = f'"{sha256(CONTENT).hexdigest()}"'
    assert file_server.conditions == [None, version, version]


def test_a_smaller_part_than_asked_for_is_not_the_end(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("short_part", 2 * CHUNK)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, "bytes=49152-", "bytes=81920-"]


def test_tries_that_bring_something_do_not_count(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", CHUNK)] * 8
    fetch(tmp_path / "t", file_server.url, tries=2)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_when_all_tries_fail_no_file_is_there_and_the_next_start_goes_on(
    file_server: Server, tmp_path: Path
) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 500)]
    with pytest.raises(StoppedEarly, match=r"500.*the 49,152 bytes that arrived are kept; the same words"):
        fetch(tmp_path / "t", file_server.url)
    assert not (tmp_path / "t" / SEEDS).exists()
    assert manifest(tmp_path / "t")[SEEDS]["status"] == "running"
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges[-1] == "bytes=49152-"


def test_without_a_mark_of_the_version_the_message_does_not_promise_to_go_on(
    file_server: Server, tmp_path: Path
) -> None:
    file_server.etags = False
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 500)]
    with pytest.raises(StoppedEarly, match=r"no ETag.*begin again with this file") as stop:
        fetch(tmp_path / "t", file_server.url)
    assert "kept" not in str(stop.value)
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert set(file_server.ranges) == {None}


def test_a_server_that_ignores_the_range_is_taken_from_the_start(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("ignore_range", 0)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_a_file_that_changes_between_tries_is_fetched_whole(file_server: Server, tmp_path: Path) -> None:
    other = CONTENT.replace(b"seed", b"SEED")
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", file_server.url)
    file_server.files[SEEDS] = other
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == other


def test_a_file_that_became_shorter_is_fetched_whole(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", file_server.url)
    file_server.files[SEEDS] = CONTENT.splitlines(keepends=True)[0]
    file_server.etags = False
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == file_server.files[SEEDS]


def test_another_part_than_asked_for_is_not_taken(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("cut", 3 * CHUNK), ("wrong_part", 7)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, "bytes=49152-", None]


def test_without_a_mark_of_the_version_nothing_is_continued(file_server: Server, tmp_path: Path) -> None:
    file_server.etags = False
    file_server.tricks = [("cut", 3 * CHUNK)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, None]


@pytest.mark.parametrize(("age_seconds", "is_continued"), [(3600, True), (5, False)])
def test_a_date_marks_a_version_once_it_is_a_minute_old(
    file_server: Server, tmp_path: Path, age_seconds: int, is_continued: bool
) -> None:
    file_server.etags, file_server.modified = False, formatdate(time.time() - age_seconds, usegmt=True)
    file_server.tricks = [("cut", 3 * CHUNK)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, "bytes=49152-" if is_continued else None]


def test_bytes_of_another_source_are_not_built_on(file_server: Server, tmp_path: Path) -> None:
    file_server.files[f"mirror/{SEEDS}"] = CONTENT
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", file_server.url)
    fetch(tmp_path / "t", f"{file_server.url}/mirror")
    assert file_server.ranges[-1] is None
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


@pytest.mark.parametrize("trick", [("cut", 0), ("cut", len(CONTENT) - 1), ("chunked", 70_000)])
def test_fewer_bytes_than_promised_never_make_a_file(
    file_server: Server, tmp_path: Path, trick: tuple[str, int]
) -> None:
    file_server.etags = False
    file_server.tricks = [trick] * 3
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", file_server.url)
    assert not (tmp_path / "t" / SEEDS).exists()


def test_a_server_that_falls_silent_is_given_up(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("slow", 3 * CHUNK)]
    start = time.monotonic()
    with pytest.raises(StoppedEarly, match="49,152 bytes that arrived are kept"):
        fetch(tmp_path / "t", file_server.url, tries=1, timeout_seconds=0.3)
    assert time.monotonic() - start < 10


def test_a_length_that_nobody_knows_is_refused(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("endless", len(CONTENT) // 2)]
    with pytest.raises(UserError, match="does not say how long"):
        fetch(tmp_path / "t", file_server.url)
    assert not (tmp_path / "t").exists()


def test_no_server_at_all_ends_resumable(tmp_path: Path) -> None:
    with pytest.raises(StoppedEarly, match="the connection failed"):
        fetch(tmp_path / "t", "http://127.0.0.1:9", tries=2)


def test_killed_in_the_middle_the_same_words_go_on(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("slow", 6 * CHUNK)]
    script = str(ROOT / "scripts" / "download_data.py")
    words = [sys.executable, script, f"target={tmp_path}/t", f"source={file_server.url}", "what=[seeds]"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        partial = tmp_path / "t" / SEEDS
        partial = partial.with_name(f".{partial.name}.partial")
        assert file_server.stuck.wait(60)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size):
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    file_server.released.set()
    assert not (tmp_path / "t" / SEEDS).exists()
    had = partial.stat().st_size
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert file_server.ranges == [None, f"bytes={had}-"]


def test_killed_before_the_last_rename_the_file_is_put_in_place(file_server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", file_server.url)
    path = tmp_path / "t" / SEEDS
    state = {"location": f"{file_server.url}/{SEEDS}", "validator": '"x"', "size": len(CONTENT)}
    path.with_name(f".{path.name}.partial.json").write_text(json.dumps(state))
    os.replace(path, path.with_name(f".{path.name}.partial"))
    fetch(tmp_path / "t", file_server.url)
    assert path.read_bytes() == CONTENT
    assert len(file_server.requests) == 1
