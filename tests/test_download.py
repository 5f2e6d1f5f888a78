"""Downloads from a real local server: whole files, what is there already, settings, the command."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from download_server import CONTENT, SEEDS, Server, fetch, leftovers, manifest

from selfinstruct.download import DownloadConfig
from selfinstruct.errors import UserError
from selfinstruct.public_files import GROUPS, PUBLIC_FILES

ROOT = Path(__file__).parents[1]


def test_a_file_is_fetched_and_its_size_and_digest_are_written_down(
    file_server: Server, tmp_path: Path
) -> None:
    fetch(tmp_path / "t", f"{file_server.url}/")
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT
    received = manifest(tmp_path / "t")[SEEDS]["counts"]
    assert (received["size"], received["sha256"]) == (len(CONTENT), sha256(CONTENT).hexdigest())
    assert received["source"] == f"{file_server.url}/{SEEDS}"
    assert leftovers(tmp_path) == []


def test_what_is_there_is_checked_and_not_fetched_again(
    file_server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(tmp_path / "t", file_server.url)
    fetch(tmp_path / "t", file_server.url)
    assert len(file_server.requests) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["fetched", "unchanged"]
    assert ["not compared: no digest of this file is known" in line for line in lines] == [True, False]


def test_a_file_edited_since_is_refused_and_left_alone(file_server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", file_server.url)
    (tmp_path / "t" / SEEDS).write_bytes(b"mine")
    with pytest.raises(UserError, match="not as it was received"):
        fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == b"mine"


def test_a_file_that_this_command_did_not_fetch_is_refused(file_server: Server, tmp_path: Path) -> None:
    path = tmp_path / "t" / SEEDS
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT[:100])
    with pytest.raises(UserError, match="this command has not fetched it"):
        fetch(tmp_path / "t", file_server.url)
    assert path.read_bytes() == CONTENT[:100]
    assert file_server.requests == []


def test_one_targets_folder_is_anothers_source(file_server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "a", file_server.url)
    fetch(tmp_path / "b", str(tmp_path / "a"))
    assert (tmp_path / "b" / SEEDS).read_bytes() == CONTENT
    assert leftovers(tmp_path) == []


def test_a_chunked_answer_without_a_length_is_whole_at_its_last_chunk(
    file_server: Server, tmp_path: Path
) -> None:
    file_server.tricks = [("chunked", 0)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


def test_a_redirect_is_followed(file_server: Server, tmp_path: Path) -> None:
    file_server.files[f"elsewhere/{SEEDS}"] = CONTENT
    file_server.tricks = [("redirect", 0)]
    fetch(tmp_path / "t", file_server.url)
    assert (tmp_path / "t" / SEEDS).read_bytes() == CONTENT


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


def test_the_command_ends_with_2_and_one_message(file_server: Server, tmp_path: Path) -> None:
    file_server.files.clear()
    script = str(ROOT / "scripts" / "download_data.py")
    words = [sys.executable, script, f"target={tmp_path}/t", f"source={file_server.url}", "what=[seeds]"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {file_server.url}/{SEEDS}: the server answered 404")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
