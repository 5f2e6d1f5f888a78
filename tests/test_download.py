"""Downloads from a real local server that breaks off, forgets ranges, changes files, lies about lengths."""

import gzip
import http.server
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from email.utils import formatdate
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from selfinstruct import download
from selfinstruct.download import DownloadConfig, download_data
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.public_files import GROUPS, PUBLIC_FILES

ROOT = Path(__file__).parents[1]
SEEDS = "self-instruct/data/seed_tasks.jsonl"
SEED_LINE = {"id": "a", "instruction": "Do it.", "instances": [], "is_classification": False}
CHUNK = 2**14  # bytes that arrive in one piece
CONTENT = b"".join(json.dumps(SEED_LINE | {"id": f"seed {n}"}).encode() + b"\n" for n in range(2000))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves `server.files` with ETag and Range, unless the next trick of `server.tricks` says otherwise."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        trick, number = self.server.tricks.pop(0) if self.server.tricks else ("", 0)
        body = self.server.files.get(self.path.lstrip("/"))
        if trick == "status":
            return self.send_body(number, b"broken", {"Retry-After": "0"})
        if body is None:
            return self.send_body(404, b"nothing here", {})
        if trick == "redirect":
            return self.send_body(302, b"", {"Location": "/elsewhere" + self.path})
        headers = {"ETag": f'"{sha256(body).hexdigest()}"'} if self.server.etags else {}
        headers |= {"Last-Modified": self.server.modified} if self.server.modified else {}
        if trick == "gzip":
            return self.send_body(200, gzip.compress(body), headers | {"Content-Encoding": "gzip"})
        if trick == "endless":  # HTTP/1.0: the end of the connection is the end of the file
            self.protocol_version = "HTTP/1.0"
            return self.send_body(200, body[:number], {"Content-Length": None})
        if trick == "chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            part = body[: number or None]
            self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            self.wfile.write(b"" if number else b"0\r\n\r\n")
            self.close_connection = True
            return None
        status, part = 200, body
        condition = self.headers.get("If-Range")
        self.server.conditions.append(condition)
        if asked and trick != "ignore_range" and condition in (None, *headers.values()):
            offset = int(asked.removeprefix("bytes=").removesuffix("-"))
            if offset >= len(body):
                return self.send_body(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            start = offset + (number if trick == "wrong_part" else 0)
            status, part = 206, body[start:]
            part = part[:number] if trick == "short_part" else part
            headers["Content-Range"] = f"bytes {start}-{start + len(part) - 1}/{len(body)}"
        sent = part[:number] if trick in ("cut", "slow") else part
        self.send_body(status, sent, headers | {"Content-Length": str(len(part))})
        if trick == "slow":
            self.wfile.flush()
            self.server.stuck.set()
            self.server.released.wait(30)
        self.close_connection = True
        return None

    def send_body(self, status: int, body: bytes, headers: dict[str, Any]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    """What it serves, the tricks of the next requests, and the requests it had: (path, range)."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {SEEDS: CONTENT}
        self.tricks: list[tuple[str, int]] = []
        self.requests: list[tuple[str, str | None]] = []
        self.conditions: list[str | None] = []
        self.etags = True
        self.modified: str | None = None
        self.stuck, self.released = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def ranges(self) -> list[str | None]:
        return [asked for _, asked in self.requests]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def fetch(target: Path, source: str | None, what: str = "seeds", **changes: Any) -> None:
    settings: dict[str, Any] = {"accept_changes": False, "tries": 3, "first_pause_seconds": 0.0}
    settings |= {"timeout_seconds": 20.0} | changes
    download_data(DownloadConfig(target, source, [what], **settings))


def manifest(target: Path) -> dict[str, Any]:
    return json.loads((target / "manifest.json").read_text())["steps"]


def leftovers(target: Path) -> list[str]:
    return sorted(path.name for path in target.rglob("*partial*"))


# ---- whole files


def test_a_file_is_fetched_and_its_size_and_digest_are_written_down(server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", f"{server.url}/")
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    received = manifest(tmp_path / "t")[SEEDS]["counts"]
    assert (received["size"], received["sha256"]) == (len(CONTENT), sha256(CONTENT).hexdigest())
    assert received["source"] == f"{server.url}/{SEEDS}"
    assert leftovers(tmp_path) == []


def test_what_is_there_is_checked_and_not_fetched_again(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(tmp_path / "t", server.url)
    fetch(tmp_path / "t", server.url)
    assert len(server.requests) == 1
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["fetched", "unchanged"]


def test_a_file_edited_since_is_refused_and_left_alone(server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", server.url)
    (tmp_path / "t" / SEEDS).write_bytes(b"mine")
    with pytest.raises(UserError, match="not as it was received"):
        fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == b"mine"


def test_a_file_that_this_command_did_not_fetch_is_refused(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "t" / SEEDS
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:100])
    with pytest.raises(UserError, match="this command has not fetched it"):
        fetch(tmp_path / "t", server.url)
    assert path.read_bytes() == CONTENT[:100]
    assert server.requests == []


def test_one_targets_folder_is_anothers_source(server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "a", server.url)
    fetch(tmp_path / "b", str(tmp_path / "a"))
    assert (tmp_path / "b" / SEEDS).read_bytes() == CONTENT
    assert leftovers(tmp_path) == []


def test_a_chunked_answer_without_a_length_is_whole_at_its_last_chunk(server: Server, tmp_path: Path) -> None:
    server.tricks = [("chunked", 0)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.files[f"elsewhere/{SEEDS}"] = CONTENT
    server.tricks = [("redirect", 0)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


# ---- broken connections


def test_a_cut_connection_is_continued_where_it_broke(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("cut", 2 * CHUNK)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=49152-", "bytes=81920-"]
    version = f'"{sha256(CONTENT).hexdigest()}"'
    assert server.conditions == [None, version, version]


def test_a_smaller_part_than_asked_for_is_not_the_end(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("short_part", 2 * CHUNK)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=49152-", "bytes=81920-"]


def test_tries_that_bring_something_do_not_count(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", CHUNK)] * 8
    fetch(tmp_path / "t", server.url, tries=2)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_when_all_tries_fail_no_file_is_there_and_the_next_start_goes_on(
    server: Server, tmp_path: Path
) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 500)]
    with pytest.raises(StoppedEarly, match=r"500.*the 49,152 bytes that arrived are kept; the same words"):
        fetch(tmp_path / "t", server.url)
    assert not (tmp_path / "t" / SEEDS).exists()
    assert manifest(tmp_path / "t")[SEEDS]["status"] == "running"
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges[-1] == "bytes=49152-"


def test_a_server_that_ignores_the_range_is_taken_from_the_start(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("ignore_range", 0)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_a_file_that_changes_between_tries_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    other = CONTENT.replace(b"seed", b"SEED")
    server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", server.url)
    server.files[SEEDS] = other
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == other


def test_a_file_that_became_shorter_is_fetched_whole(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", server.url)
    server.files[SEEDS] = CONTENT.splitlines(keepends=True)[0]
    server.etags = False
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == server.files[SEEDS]


def test_another_part_than_asked_for_is_not_taken(server: Server, tmp_path: Path) -> None:
    server.tricks = [("cut", 3 * CHUNK), ("wrong_part", 7)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=49152-", None]


def test_without_a_mark_of_the_version_nothing_is_continued(server: Server, tmp_path: Path) -> None:
    server.etags = False
    server.tricks = [("cut", 3 * CHUNK)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, None]


@pytest.mark.parametrize(("age_seconds", "is_continued"), [(3600, True), (5, False)])
def test_a_date_marks_a_version_once_it_is_a_minute_old(
    server: Server, tmp_path: Path, age_seconds: int, is_continued: bool
) -> None:
    server.etags, server.modified = False, formatdate(time.time() - age_seconds, usegmt=True)
    server.tricks = [("cut", 3 * CHUNK)]
    fetch(tmp_path / "t", server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=49152-" if is_continued else None]


def test_bytes_of_another_source_are_not_built_on(server: Server, tmp_path: Path) -> None:
    server.files[f"mirror/{SEEDS}"] = CONTENT
    server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", server.url)
    fetch(tmp_path / "t", f"{server.url}/mirror")
    assert server.ranges[-1] is None
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


@pytest.mark.parametrize("trick", [("cut", 0), ("cut", len(CONTENT) - 1), ("chunked", 70_000)])
def test_fewer_bytes_than_promised_never_make_a_file(
    server: Server, tmp_path: Path, trick: tuple[str, int]
) -> None:
    server.etags = False
    server.tricks = [trick] * 3
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", server.url)
    assert not (tmp_path / "t" / SEEDS).exists()


def test_a_server_that_falls_silent_is_given_up(server: Server, tmp_path: Path) -> None:
    server.tricks = [("slow", 3 * CHUNK)]
    start = time.monotonic()
    with pytest.raises(StoppedEarly, match="49,152 bytes that arrived are kept"):
        fetch(tmp_path / "t", server.url, tries=1, timeout_seconds=0.3)
    assert time.monotonic() - start < 10


def test_a_length_that_nobody_knows_is_refused(server: Server, tmp_path: Path) -> None:
    server.tricks = [("endless", len(CONTENT) // 2)]
    with pytest.raises(UserError, match="does not say how long"):
        fetch(tmp_path / "t", server.url)
    assert not (tmp_path / "t").exists()


def test_no_server_at_all_ends_resumable(tmp_path: Path) -> None:
    with pytest.raises(StoppedEarly, match="the connection failed"):
        fetch(tmp_path / "t", "http://127.0.0.1:9", tries=2)


def test_killed_in_the_middle_the_same_words_go_on(server: Server, tmp_path: Path) -> None:
    server.tricks = [("slow", 6 * CHUNK)]
    script = str(ROOT / "scripts" / "download_data.py")
    words = [sys.executable, script, f"target={tmp_path}/t", f"source={server.url}", "what=[seeds]"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE)
    try:
        partial = tmp_path / "t" / SEEDS
        partial = partial.with_name(f".{partial.name}.partial")
        assert server.stuck.wait(60)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not (partial.exists() and partial.stat().st_size):
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    server.released.set()
    assert not (tmp_path / "t" / SEEDS).exists()
    had = partial.stat().st_size
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={had}-"]


def test_killed_before_the_last_rename_the_file_is_put_in_place(server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", server.url)
    path = tmp_path / "t" / SEEDS
    state = {"location": f"{server.url}/{SEEDS}", "validator": '"x"', "size": len(CONTENT)}
    path.with_name(f".{path.name}.partial.json").write_text(json.dumps(state))
    os.replace(path, path.with_name(f".{path.name}.partial"))
    fetch(tmp_path / "t", server.url)
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 1


# ---- files that are not what they should be


def test_a_missing_file_names_the_address_and_the_others_come_all_the_same(
    server: Server, tmp_path: Path
) -> None:
    code = "self-instruct/self_instruct/bootstrap_instructions.py"
    server.files[code] = b"x = 1\n"
    with pytest.raises(UserError) as refused:
        fetch(tmp_path / "t", server.url, "prompts")
    assert str(refused.value).count("the server answered 404") == 2
    assert "clf_task_template.py" in str(refused.value)
    assert "leave prompts out of what" in str(refused.value)
    assert (tmp_path / "t" / code).read_bytes() == b"x = 1\n"


def test_a_refusal_leaves_nothing_behind(server: Server, tmp_path: Path) -> None:
    server.files.clear()
    with pytest.raises(UserError, match="404"):
        fetch(tmp_path / "t", server.url)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<html>Please log in</html>\n", "line 1 is not JSON"),
        (CONTENT + b'{"id": "torn", "instr', "line 2001 is not JSON"),
        (b"[]\n", "line 1 is not a JSON object"),
        (b'{"id": "a"}\n', 'line 1 has no "instruction"'),
        (b"", "it is empty"),
    ],
)
def test_content_of_another_kind_is_refused(
    server: Server, tmp_path: Path, content: bytes, reason: str
) -> None:
    server.files[SEEDS] = content
    with pytest.raises(UserError, match=reason):
        fetch(tmp_path / "t", server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_answer_is_refused(server: Server, tmp_path: Path) -> None:
    server.tricks = [("gzip", 0)]
    with pytest.raises(UserError, match=r"sent compressed \(gzip\)"):
        fetch(tmp_path / "t", server.url)


def known(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    files = tuple(replace(file, **facts) for file in PUBLIC_FILES if file.group == "seeds")
    monkeypatch.setattr(download, "PUBLIC_FILES", files)


def test_a_known_digest_is_held_to(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, sha256=sha256(CONTENT).hexdigest(), size=len(CONTENT))
    fetch(tmp_path / "a", server.url)
    known(monkeypatch, sha256="0" * 64)
    with pytest.raises(UserError, match="is another file than expected"):
        fetch(tmp_path / "b", server.url)
    with pytest.raises(UserError, match="is another file than expected"):
        fetch(tmp_path / "b", str(tmp_path / "a"))
    assert not (tmp_path / "b").exists()


def test_a_known_size_is_held_to(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, size=len(CONTENT) + 1)
    with pytest.raises(UserError, match="it is another file"):
        fetch(tmp_path / "t", server.url)
    assert not (tmp_path / "t").exists()


def test_bytes_damaged_on_disk_are_found_and_fetched_anew(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, sha256=sha256(CONTENT).hexdigest())
    server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", server.url)
    path = tmp_path / "t" / SEEDS
    path.with_name(f".{path.name}.partial").write_bytes(b"\0" * 3 * CHUNK)
    fetch(tmp_path / "t", server.url)
    assert path.read_bytes() == CONTENT


def test_a_later_change_at_the_source_is_seen(server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", server.url)
    (tmp_path / "t" / SEEDS).unlink()
    server.files[SEEDS] = CONTENT.replace(b"seed", b"SEED")
    with pytest.raises(UserError, match=r"has changed since .*accept_changes=true"):
        fetch(tmp_path / "t", server.url)
    assert not (tmp_path / "t" / SEEDS).exists()
    fetch(tmp_path / "t", server.url, accept_changes=True)
    assert (tmp_path / "t" / SEEDS).read_bytes() == server.files[SEEDS]
    fetch(tmp_path / "t", server.url)


# ---- the archive


def archive(*names: str, damage: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    content = bytearray(buffer.getvalue())
    if damage:
        content[-6] ^= 1  # in the checksum at the end
    return bytes(content)


SPLIT = "ni-master/splits/default/test_tasks.txt"
NATURAL = "natural-instructions.tar.gz"


def test_the_archives_tasks_and_splits_are_unpacked_and_nothing_else(server: Server, tmp_path: Path) -> None:
    outside = ("ni-master/../../evil.json", "ni-master/tasks/../../evil.json", "/etc/evil.json")
    wanted = (SPLIT, "ni-master/tasks/task1.json", "ni-master/LICENSE")
    server.files[NATURAL] = archive(*wanted, "ni-master/src/run.py", "ni-master/tasks/run.sh", *outside)
    fetch(tmp_path / "t", server.url, "natural_instructions")
    folder = tmp_path / "t" / "natural-instructions"
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["LICENSE", "splits/default/test_tasks.txt", "tasks/task1.json"]
    assert list(tmp_path.rglob("evil.json")) == []
    fetch(tmp_path / "t", server.url, "natural_instructions")
    assert len(server.requests) == 1


def test_a_damaged_archive_is_refused(server: Server, tmp_path: Path) -> None:
    server.files[NATURAL] = archive(SPLIT, damage=True)
    with pytest.raises(UserError, match="is not the file it should be"):
        fetch(tmp_path / "t", server.url, "natural_instructions")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_half_unpacked_is_unpacked_anew(server: Server, tmp_path: Path) -> None:
    server.files[NATURAL] = archive(SPLIT, "ni-master/tasks/task1.json")
    fetch(tmp_path / "t", server.url, "natural_instructions")
    folder = tmp_path / "t" / "natural-instructions"
    (folder / "tasks" / "task1.json").unlink()
    folder.rename(folder.with_name(".natural-instructions.partial"))
    fetch(tmp_path / "t", server.url, "natural_instructions")
    assert (folder / "tasks" / "task1.json").exists()
    assert leftovers(tmp_path) == []


def test_a_clone_of_ones_own_is_not_written_into(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "t" / "natural-instructions" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("x")
    server.files[NATURAL] = archive(SPLIT)
    with pytest.raises(UserError, match="move it away"):
        fetch(tmp_path / "t", server.url, "natural_instructions")
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


# ---- settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"what": ["seed"]}, "what: 'seed'; choose from seeds, instances"),
        ({"what": []}, "what: an empty list"),
        ({"source": "ftp://host/x"}, "give an http:// or https:// address, or a folder"),
        ({"source": "https://me:secret@host/x"}, "put it into ~/.netrc"),
        ({"source": "no/such/folder"}, "no such folder"),
        ({"tries": 0}, "tries: 0 must be at least 1"),
        ({"timeout_seconds": 0.0}, "timeout_seconds above 0"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"target": tmp_path, "source": None, "what": ["seeds"], "tries": 1}
    settings |= {"accept_changes": False, "first_pause_seconds": 0.0, "timeout_seconds": 1.0}
    with pytest.raises(UserError, match=message) as refused:
        DownloadConfig(**settings | changes)
    assert "secret" not in str(refused.value)


def test_the_table_names_every_file_once_and_only_secure_addresses() -> None:
    paths = [file.path for file in PUBLIC_FILES]
    assert len(set(paths)) == len(paths) == 20
    assert all(file.url.startswith("https://") for file in PUBLIC_FILES)
    assert sum(file.group == "predictions" for file in PUBLIC_FILES) == 8
    assert len(GROUPS) == 8


def test_the_command_ends_with_2_and_one_message(server: Server, tmp_path: Path) -> None:
    server.files.clear()
    script = str(ROOT / "scripts" / "download_data.py")
    words = [sys.executable, script, f"target={tmp_path}/t", f"source={server.url}", "what=[seeds]"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {server.url}/{SEEDS}: the server answered 404")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
