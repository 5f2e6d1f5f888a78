"""Fetches the paper's public files into a folder, each whole or not at all.

Command: `python scripts/download_data.py target=public`.

A file grows under another name (`.NAME.partial`) and is renamed when its length, its digest (where known) and
its form are right. What a broken connection leaves is continued, if the server says that the file is still
the same.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import requests

from selfinstruct.download_contents import check_form, unpack
from selfinstruct.download_http import Patience, fetch
from selfinstruct.download_partial import PartialFile, copy_file
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.public_files import GROUPS, PUBLIC_FILES, PublicFile
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import file_digest

_NOT_COMPARED = " (not compared: no digest of this file is known, only its form was checked)"


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

    @property
    def patience(self) -> Patience:
        """The keys that say when a server is given up."""
        return Patience(self.tries, self.first_pause_seconds, self.timeout_seconds)


@dataclass(frozen=True)
class Received:
    """What the manifest keeps of a file: where it came from, and what it was."""

    source: str
    size: int
    sha256: str
    validator: str | None
    """The server's mark of this version (ETag or Last-Modified), if it gave one."""


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
                state, received = _bring(run, file, config, session)
                if file.unpacked is not None:
                    unpack(run, file, received.sha256)
            except UserError as error:
                refused.append(str(error))
            except StoppedEarly as error:
                stopped.append(str(error))
            else:
                unknown = "" if file.sha256 or state == "unchanged" else _NOT_COMPARED
                digest = f"sha256 {received.sha256[:16]}..."
                print(f"{state:<9} {file.path}  {received.size:,} bytes  {digest}{unknown}")
        if stopped:
            raise StoppedEarly("\n".join([*stopped, *refused]))
        if refused:
            raise UserError("\n".join(refused))


def _bring(
    run: RunFolder, file: PublicFile, config: DownloadConfig, session: requests.Session
) -> tuple[str, Received]:
    """Have a file in place; returns in a word how it came there, and what it is."""
    path = run.path / file.path
    run.prepare(file.path, {})
    before = _received(run, file)
    if path.exists():
        return "unchanged", _check_present(path, before)
    partial = PartialFile(path)
    location = _location(file, config.source)
    if isinstance(location, Path):
        copy_file(location, partial, file)
    else:
        fetch(location, partial, file, config.patience, session)
    digest = file_digest(partial.path)
    check_form(partial, file, str(location))
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
    return "fetched", received


def _received(run: RunFolder, file: PublicFile) -> Received | None:
    step = run.steps.get(file.path, {})
    return Received(**step["counts"]) if step.get("status") == "complete" else None


def _check_present(path: Path, before: Received | None) -> Received:
    if before is None:
        raise UserError(
            f"{path}: is there, but this command has not fetched it; move it away, or choose another target"
        )
    if path.stat().st_size != before.size or file_digest(path) != before.sha256:
        raise UserError(
            f"{path}: is not as it was received (sha256 {before.sha256}); move it away to fetch it again"
        )
    return before


def _is_url(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _location(file: PublicFile, source: str | None) -> str | Path:
    """Where a file is fetched from: its own address, or its path under a mirror or a folder."""
    if source is None:
        return file.url
    if _is_url(source):
        return f"{source.rstrip('/')}/{quote(file.path)}"
    return Path(source) / file.path
