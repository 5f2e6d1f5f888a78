"""Downloads of files that are not what they should be, or that are archives, from a real local server."""

import io
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from download_server import CHUNK, CONTENT, SEEDS, Server, fetch, leftovers

from selfinstruct import download
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.public_files import PUBLIC_FILES


def test_a_missing_file_names_the_address_and_the_others_come_all_the_same(
    file_server: Server, tmp_path: Path
) -> None:
    code = "self-instruct/self_instruct/bootstrap_instructions.py"
    file_server.files[code] = b"x = 1\n"
    with pytest.raises(UserError) as refused:
        fetch(tmp_path / "t", file_server.url, "prompts")
    assert str(refused.value).count("the server answered 404") == 2
    assert "clf_task_template.py" in str(refused.value)
    assert "leave prompts out of what" in str(refused.value)
    assert (tmp_path / "t" / code).read_bytes() == b"x = 1\n"


def test_a_refusal_leaves_nothing_behind(file_server: Server, tmp_path: Path) -> None:
    file_server.files.clear()
    with pytest.raises(UserError, match="404"):
        fetch(tmp_path / "t", file_server.url)
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
    file_server: Server, tmp_path: Path, content: bytes, reason: str
) -> None:
    file_server.files[SEEDS] = content
    with pytest.raises(UserError, match=reason):
        fetch(tmp_path / "t", file_server.url)
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_answer_is_refused(file_server: Server, tmp_path: Path) -> None:
    file_server.tricks = [("gzip", 0)]
    with pytest.raises(UserError, match=r"sent compressed \(gzip\)"):
        fetch(tmp_path / "t", file_server.url)


def known(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    files = tuple(replace(file, **facts) for file in PUBLIC_FILES if file.group == "seeds")
    monkeypatch.setattr(download, "PUBLIC_FILES", files)


def test_a_known_digest_is_held_to(
    file_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, sha256=sha256(CONTENT).hexdigest(), size=len(CONTENT))
    fetch(tmp_path / "a", file_server.url)
    known(monkeypatch, sha256="0" * 64)
    with pytest.raises(UserError, match="is another file than expected"):
        fetch(tmp_path / "b", file_server.url)
    with pytest.raises(UserError, match="is another file than expected"):
        fetch(tmp_path / "b", str(tmp_path / "a"))
    assert not (tmp_path / "b").exists()


def test_a_known_size_is_held_to(
    file_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, size=len(CONTENT) + 1)
    with pytest.raises(UserError, match="it is another file"):
        fetch(tmp_path / "t", file_server.url)
    assert not (tmp_path / "t").exists()


def test_bytes_damaged_on_disk_are_found_and_fetched_anew(
    file_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(monkeypatch, sha256=sha256(CONTENT).hexdigest())
    file_server.tricks = [("cut", 3 * CHUNK), ("status", 503), ("status", 503)]
    with pytest.raises(StoppedEarly):
        fetch(tmp_path / "t", file_server.url)
    path = tmp_path / "t" / SEEDS
    path.with_name(f".{path.name}.partial").write_bytes(b"\0" * 3 * CHUNK)
    fetch(tmp_path / "t", file_server.url)
    assert path.read_bytes() == CONTENT


def test_a_later_change_at_the_source_is_seen(file_server: Server, tmp_path: Path) -> None:
    fetch(tmp_path / "t", file_server.url)
    (tmp_path / "t" / SEEDS).unlink()
    file_server.files[SEEDS] = CONTENT.replace(b"seed", b"SEED")
    with pytest.raises(UserError, match=r"has changed since .*accept_changes=true"):
        fetch(tmp_path / "t", file_server.url)
    assert not (tmp_path / "t" / SEEDS).exists()
    fetch(tmp_path / "t", file_server.url, accept_changes=True)
    assert (tmp_path / "t" / SEEDS).read_bytes() == file_server.files[SEEDS]
    fetch(tmp_path / "t", file_server.url)


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


def test_the_archives_tasks_and_splits_are_unpacked_and_nothing_else(
    file_server: Server, tmp_path: Path
) -> None:
    outside = ("ni-master/../../evil.json", "ni-master/tasks/../../evil.json", "/etc/evil.json")
    wanted = (SPLIT, "ni-master/tasks/task1.json", "ni-master/LICENSE")
    file_server.files[NATURAL] = archive(*wanted, "ni-master/src/run.py", "ni-master/tasks/run.sh", *outside)
    fetch(tmp_path / "t", file_server.url, "natural_instructions")
    folder = tmp_path / "t" / "natural-instructions"
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert found == ["LICENSE", "splits/default/test_tasks.txt", "tasks/task1.json"]
    assert list(tmp_path.rglob("evil.json")) == []
    fetch(tmp_path / "t", file_server.url, "natural_instructions")
    assert len(file_server.requests) == 1


def test_a_damaged_archive_is_refused(file_server: Server, tmp_path: Path) -> None:
    file_server.files[NATURAL] = archive(SPLIT, damage=True)
    with pytest.raises(UserError, match="is not the file it should be"):
        fetch(tmp_path / "t", file_server.url, "natural_instructions")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_half_unpacked_is_unpacked_anew(file_server: Server, tmp_path: Path) -> None:
    file_server.files[NATURAL] = archive(SPLIT, "ni-master/tasks/task1.json")
    fetch(tmp_path / "t", file_server.url, "natural_instructions")
    folder = tmp_path / "t" / "natural-instructions"
    (folder / "tasks" / "task1.json").unlink()
    folder.rename(folder.with_name(".natural-instructions.partial"))
    fetch(tmp_path / "t", file_server.url, "natural_instructions")
    assert (folder / "tasks" / "task1.json").exists()
    assert leftovers(tmp_path) == []


def test_a_clone_of_ones_own_is_not_written_into(file_server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "t" / "natural-instructions" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("x")
    file_server.files[NATURAL] = archive(SPLIT)
    with pytest.raises(UserError, match="move it away"):
        fetch(tmp_path / "t", file_server.url, "natural_instructions")
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]
