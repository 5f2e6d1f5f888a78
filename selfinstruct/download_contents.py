"""What a fetched file holds: whether it is of the kind its name says, and what an archive is unpacked to."""

import ast
import gzip
import json
import os
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from selfinstruct.download_partial import CHUNK_BYTES, PartialFile
from selfinstruct.errors import UserError
from selfinstruct.public_files import PublicFile
from selfinstruct.runs import RunFolder


def check_form(partial: PartialFile, file: PublicFile, location: str) -> None:
    """Look into a file, which may be a server's error page.

    Raises:
        UserError: it is not of the kind that its name says; it is removed.
    """
    try:
        if file.path.endswith(".jsonl"):
            _check_lines(partial.path, file.fields)
        elif file.path.endswith(".py"):
            ast.parse(partial.path.read_text(encoding="utf-8"))  # parsed, never run
        elif file.path.endswith(".gz"):
            with gzip.open(partial.path) as archive:
                while archive.read(CHUNK_BYTES):
                    pass
    except (ValueError, SyntaxError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        partial.discard()
        raise UserError(
            f"{location}: is not the file it should be ({error}); check source, or what stands there"
        ) from error


def _check_lines(path: Path, fields: tuple[str, ...]) -> None:
    number = 0
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise ValueError(f"line {number} is not JSON") from error
            if not isinstance(record, dict):
                raise ValueError(f"line {number} is not a JSON object")
            if missing := [field for field in fields if field not in record]:
                raise ValueError(f'line {number} has no "{missing[0]}"')
    if not number:
        raise ValueError("it is empty")


def unpack(run: RunFolder, file: PublicFile, sha256: str) -> None:
    """Put the tasks and splits of the archive with this digest into their folder, whole or not at all.

    Raises:
        UserError: the folder is not of this archive, or the archive is none of tasks.
    """
    assert file.unpacked is not None
    archive, folder = run.path / file.path, run.path / file.unpacked
    step = f"{file.path}: unpacked"
    run.prepare(step, {})
    of_this_archive = run.steps[step].get("counts", {}).get("sha256") == sha256
    if folder.exists():
        if of_this_archive:
            return
        raise UserError(f"{folder}: is not of {archive}; move it away, and it is unpacked anew")
    growing = folder.with_name(f".{folder.name}.partial")
    if growing.exists():
        shutil.rmtree(growing)
    count = 0
    try:
        with tarfile.open(archive, "r:gz") as members:
            for member in members:
                if member.isreg() and (place := _place(member.name)) is not None:
                    content = members.extractfile(member)
                    assert content is not None
                    (growing / place).parent.mkdir(parents=True, exist_ok=True)
                    (growing / place).write_bytes(content.read())
                    count += 1
    except tarfile.TarError as error:
        raise UserError(f"{archive}: is no tar archive ({error}); move it away and check source") from error
    if not (growing / "splits" / "default" / "test_tasks.txt").exists():
        raise UserError(f"{archive}: holds no splits/default/test_tasks.txt; move it away and check source")
    run.complete(step, sha256=sha256, files=count)
    os.replace(growing, folder)


def _place(member: str) -> Path | None:
    """Where an archive's member goes, without the archive's top folder; None for what is not wanted."""
    parts = PurePosixPath(member).parts[1:]
    match parts:
        case ("tasks", name) if name.endswith(".json"):
            return Path(*parts)
        case ("splits", track, name) if name.endswith(".txt") and track not in (".", ".."):
            return Path(*parts)
        case ("README.md" | "LICENSE",):
            return Path(*parts)
    return None
