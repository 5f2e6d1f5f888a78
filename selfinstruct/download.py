"""Fetches the paper's public files into a folder, each whole or not at all.

Command: `python scripts/download_data.py target=public`.

A file grows under another name (`.NAME.partial`) and is renamed when its length, its digest (where known) and
its form are right. What a broken connection leaves is continued, if the server says that the file is still
the same.
"""

import ast
import gzip
import json
import os
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

import requests
from requests.exceptions import InvalidSchema, InvalidURL, TooManyRedirects

from selfinstruct import jsonl
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.progress import note, progress_bar
from selfinstruct.public_files import GROUPS, PUBLIC_FILES, PublicFile
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest

_CHUNK = 2**14  # bytes; what a broken connection can cost at most
_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that another try may better
_LONGEST_PAUSE = 60.0  # seconds


@dataclass
class DownloadConfig:
    """`configs/download_data.yaml` as a dataclass."""

    target: Path
    source: str | None
    what: list[str]
    accept_changes: bool
    tries: int
    first_pause_seconds: float
    timeout_seconds: float

    def __post_init__(self) -> None:
        unknown = [group for group in self.what if group not in GROUPS]
        if unknown or not self.what:
            found = repr(unknown[0]) if unknown else "an empty list"
            raise UserError(f"what: {found}; choose from {', '.join(GROUPS)}")
        if self.tries < 1:
            raise UserError(f"tries: {self.tries} must be at least 1")
        if self.first_pause_seconds < 0 or self.timeout_seconds <= 0:
            raise UserError("first_pause_seconds must be 0 or more, timeout_seconds above 0")
        if self.source is not None:
            self._check_source(self.source)

    def _check_source(self, source: str) -> None:
        if _is_url(source):
            if urlsplit(source).username is not None:
                raise UserError(
                    "source: holds a user name, and would be written down; put it into ~/.netrc instead"
                )
        elif "://" in source:
            raise UserError(f"source: {source!r}; give an http:// or https:// address, or a folder")
        elif not Path(source).is_dir():
            raise UserError(f"source={source}: no such folder; give a folder, or an http(s):// address")


@dataclass(frozen=True)
class Received:
    """What the manifest keeps of a file: where it came from, and what it was."""

    source: str
    size: int
    sha256: str
    validator: str | None
    """The server's mark of this version (ETag or Last-Modified), if it gave one."""


class _TryAgain(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, reason: str, pause_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds


def download_data(config: DownloadConfig) -> None:
    """Fetch the files of the groups asked for; those that are there already are checked, not fetched.

    Raises:
        UserError: a file is missing at the source, is not what it should be, or differs from what was
            received before; the others are fetched all the same.
        StoppedEarly: a file could not be fetched to its end; the same words go on.
    """
    files = [file for file in PUBLIC_FILES if file.group in config.what]
    settings = asdict(config) | {"target": str(config.target)}
    stopped: list[str] = []
    refused: list[str] = []
    with (
        open_run(config.target, "download_data", settings, adopts=("*",)) as run,
        requests.Session() as session,
    ):
        for file in files:
            try:
                state = _bring(run, file, config, session)
                if file.unpacked is not None:
                    _unpack(run, file)
            except UserError as error:
                refused.append(str(error))
            except StoppedEarly as error:
                stopped.append(str(error))
            else:
                record = _received(run, file)
                assert record is not None
                print(f"{state:<9} {file.path}  {record.size:,} bytes  sha256 {record.sha256[:16]}...")
        if stopped:
            raise StoppedEarly("\n".join([*stopped, *refused]))
        if refused:
            raise UserError("\n".join(refused))


def _bring(run: RunFolder, file: PublicFile, config: DownloadConfig, session: requests.Session) -> str:
    """Have a file in place; returns in a word how it came there."""
    path = run.path / file.path
    run.prepare(file.path, {})
    before = _received(run, file)
    if path.exists():
        _check_present(path, before)
        return "unchanged"
    partial = _Partial(path)
    location = _location(file, config.source)
    if isinstance(location, Path):
        _copy(location, partial, file)
    else:
        _fetch(location, partial, file, config, session)
    digest = file_digest(partial.path)
    _check_form(partial, file, str(location))
    if before is not None and before.sha256 != digest and not config.accept_changes:
        raise UserError(
            f"{location}: has changed since {path} was fetched (sha256 was {before.sha256}, is now "
            f"{digest}); accept_changes=true takes the new one"
        )
    validator = partial.read_state().get("validator")
    received = Received(str(location), partial.size(), digest, validator)
    # The manifest first: a file that is in place is always one that the manifest knows.
    run.complete(file.path, **asdict(received))
    partial.finish()
    return "fetched"


def _received(run: RunFolder, file: PublicFile) -> Received | None:
    step = run.steps.get(file.path, {})
    return Received(**step["counts"]) if step.get("status") == "complete" else None


def _check_present(path: Path, before: Received | None) -> None:
    if before is None:
        raise UserError(
            f"{path}: is there, but this command has not fetched it; move it away, or choose another target"
        )
    if path.stat().st_size != before.size or file_digest(path) != before.sha256:
        raise UserError(
            f"{path}: is not as it was received (sha256 {before.sha256}); move it away to fetch it again"
        )


class _Partial:
    """A file on its way: what has arrived, and beside it of which version that is."""

    def __init__(self, path: Path) -> None:
        self._final = path
        self.path = path.with_name(f".{path.name}.partial")
        self._state_path = path.with_name(f".{path.name}.partial.json")

    def read_state(self) -> dict[str, Any]:
        """Where the bytes are from: location, validator, size; empty if nobody knows."""
        with suppress(OSError, ValueError):
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
            if isinstance(state, dict):
                return state
        return {}

    def size(self) -> int:
        """Bytes that have arrived."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, location: str) -> tuple[int, dict[str, Any]]:
        """How many bytes can be built on, and their state; (0, {}) where none can."""
        state = self.read_state()
        # Without the server's mark nobody can say that the rest would belong to the same version.
        if state.get("location") == location and state.get("validator") and self.size():
            return self.size(), state
        return 0, {}

    def begin(self, location: str, validator: str | None, size: int | None) -> None:
        """Forget what was there, and note of which version the next bytes are."""
        self.discard()
        jsonl.replace_json(self._state_path, {"location": location, "validator": validator, "size": size})

    def discard(self) -> None:
        """Remove all of it."""
        self.path.unlink(missing_ok=True)
        self._state_path.unlink(missing_ok=True)
        with suppress(OSError):  # up to the first folder that holds something
            for folder in self.path.parents:
                folder.rmdir()

    def finish(self) -> None:
        """Make it the file."""
        with open(self.path, "rb") as file:
            os.fsync(file.fileno())
        os.replace(self.path, self._final)
        self._state_path.unlink(missing_ok=True)


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _location(file: PublicFile, source: str | None) -> str | Path:
    """Where a file is fetched from: its own address, or its path under a mirror or a folder."""
    if source is None:
        return file.url
    if _is_url(source):
        return f"{source.rstrip('/')}/{quote(file.path)}"
    return Path(source) / file.path


def _copy(source: Path, partial: _Partial, file: PublicFile) -> None:
    """Copy from a folder.

    Raises:
        UserError: it is not there, not the file wanted, or changes while it is read.
    """
    if not source.is_file():
        raise UserError(f"{source}: not there; check source, or leave {file.group} out of what")
    partial.begin(str(source), None, None)
    with open(source, "rb") as original, open(partial.path, "wb") as copy:
        shutil.copyfileobj(original, copy, _CHUNK)
    if file_digest(partial.path) != file_digest(source):
        partial.discard()
        raise UserError(f"{source}: changed while it was copied; start again with the same words")
    if (reason := _not_as_known(partial, file)) is not None:
        partial.discard()
        raise UserError(f"{source}: {reason}")


def _not_as_known(partial: _Partial, file: PublicFile) -> str | None:
    if file.size is not None and partial.size() != file.size:
        return f"holds {partial.size():,} bytes, not {file.size:,}"
    if file.sha256 is not None and (digest := file_digest(partial.path)) != file.sha256:
        return f"is another file than expected (sha256 {digest}, not {file.sha256})"
    return None


def _fetch(
    url: str, partial: _Partial, file: PublicFile, config: DownloadConfig, session: requests.Session
) -> None:
    """Fetch over HTTP, with as many tries in a row as may fail without a byte more.

    Raises:
        UserError: the server has no such file, or not the one wanted.
        StoppedEarly: all tries failed; what arrived is kept.
    """
    failures = damaged = 0
    best = partial.size()
    while True:
        try:
            _attempt(url, partial, file, config.timeout_seconds, session)
        except _TryAgain as error:
            failures = 1 if partial.size() > best else failures + 1
            best = max(best, partial.size())
            if failures >= config.tries:
                kept = f"; the {partial.size():,} bytes that arrived are kept" if partial.size() else ""
                raise StoppedEarly(f"{url}: {error}{kept}; the same words go on") from error
            doubled = config.first_pause_seconds * 2 ** (failures - 1)
            pause = min(_LONGEST_PAUSE, doubled if error.pause_seconds is None else error.pause_seconds)
            note(f"{url}: {error}; trying again in {pause:g} s")
            time.sleep(pause)
            continue
        if (reason := _not_as_known(partial, file)) is None:
            return
        partial.discard()
        damaged += 1
        if damaged == 2:  # damaged on the way the first time, perhaps; not twice
            raise UserError(f"{url}: {reason}; it has changed, or source is not a mirror of it")
        note(f"{url}: {reason}; fetching it once more")


def _attempt(
    url: str, partial: _Partial, file: PublicFile, timeout_seconds: float, session: requests.Session
) -> None:
    """One request, and the bytes it brings, to the end of the file.

    Raises:
        UserError: no use to ask again.
        _TryAgain: it may help.
    """
    offset, state = partial.resumable(url)
    if offset and offset == state.get("size"):
        return  # complete, but for the checks
    # Lengths and ranges are those of the file itself only where it is sent as it is.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers |= {"Range": f"bytes={offset}-", "If-Range": state["validator"]}
    try:
        with session.get(url, headers=headers, stream=True, timeout=timeout_seconds) as response:
            _check_status(response, url, file, partial)
            if response.status_code == 206:
                size = _size_of_rest(response, offset, state, partial)
            else:
                offset, size = 0, _length(response)
                if size is None and not _is_chunked(response) and file.sha256 is None:
                    reason = "the server does not say how long the file is, so a part could pass for all"
                    raise UserError(f"{url}: {reason}; choose another source")
                if None not in (size, file.size) and size != file.size:
                    raise UserError(f"{url}: is {size:,} bytes long, not {file.size:,}; it is another file")
                partial.begin(url, _validator(response), size)
            with progress_bar(PurePosixPath(file.path).name, size, offset, unit="B") as bar:
                _append(partial.path, response.iter_content(_CHUNK), bar.update)
    except (InvalidURL, InvalidSchema, TooManyRedirects) as error:
        raise UserError(f"{url}: cannot be fetched ({error}); check source") from error
    except requests.RequestException as error:
        raise _TryAgain(f"the connection failed ({_cause(error)})") from error
    if size is not None and partial.size() != size:
        found = f"{partial.size():,} of {size:,} bytes"
        if partial.size() > size:
            partial.discard()
        raise _TryAgain(f"the connection ended after {found}")


def _append(path: Path, chunks: Iterator[bytes], report: Callable[[int], object]) -> None:
    with open(path, "ab", buffering=0) as output:
        for chunk in chunks:
            view = memoryview(chunk)
            while view:
                view = view[output.write(view) :]
            report(len(chunk))


def _check_status(response: requests.Response, url: str, file: PublicFile, partial: _Partial) -> None:
    status = f"{response.status_code} {response.reason or ''}".strip()
    if response.status_code in _PASSING:
        given = response.headers.get("Retry-After", "")
        raise _TryAgain(f"the server answered {status}", float(given) if given.isdecimal() else None)
    if response.status_code == 416:
        partial.discard()
        raise _TryAgain("the server has no more than what had arrived: the file has changed")
    if response.status_code not in (200, 206):
        advice = f"check source, or leave {file.group} out of what"
        raise UserError(f"{url}: the server answered {status}; {advice}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        encoding = response.headers["Content-Encoding"]
        raise UserError(f"{url}: is sent compressed ({encoding}) though not asked for; choose another source")


def _size_of_rest(
    response: requests.Response, offset: int, state: dict[str, Any], partial: _Partial
) -> int | None:
    """The whole file's length as the answer to our range gives it; what does not fit starts again."""
    unit, _, given = response.headers.get("Content-Range", "").partition(" ")
    span, _, total = given.partition("/")
    size = int(total) if total.isdecimal() else None
    same = _validator(response) in (None, state.get("validator")) and size in (
        None,
        state.get("size") or size,
    )
    if unit != "bytes" or not span.startswith(f"{offset}-") or not same:
        partial.discard()
        raise _TryAgain("the server sent another part than asked for")
    return size if size is not None else state.get("size")


def _validator(response: requests.Response) -> str | None:
    """A mark that is the same only for the same bytes.

    A weak ETag does not promise that, nor does a date less than a minute old (RFC 9110, section 8.8.2.2).
    """
    etag, modified = response.headers.get("ETag", ""), response.headers.get("Last-Modified", "")
    if etag.startswith('"'):
        return etag
    with suppress(ValueError, TypeError):
        now = parsedate_to_datetime(response.headers.get("Date", ""))
        if now - parsedate_to_datetime(modified) >= timedelta(minutes=1):
            return modified
    return None


def _length(response: requests.Response) -> int | None:
    given = response.headers.get("Content-Length", "")
    return int(given) if given.isdecimal() and not _is_chunked(response) else None


def _is_chunked(response: requests.Response) -> bool:
    return response.headers.get("Transfer-Encoding", "").lower() == "chunked"


def _cause(error: BaseException) -> str:
    """The innermost reason, in the words of whoever gave it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error) or type(error).__name__


def _check_form(partial: _Partial, file: PublicFile, location: str) -> None:
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
                while archive.read(_CHUNK):
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


def _unpack(run: RunFolder, file: PublicFile) -> None:
    """Put an archive's tasks and splits into their folder, whole or not at all."""
    assert file.unpacked is not None
    archive, folder = run.path / file.path, run.path / file.unpacked
    step, received = f"{file.path}: unpacked", _received(run, file)
    assert received is not None
    run.prepare(step, {})
    of_this_archive = run.steps[step].get("counts", {}).get("sha256") == received.sha256
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
    run.complete(step, sha256=received.sha256, files=count)
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
