"""Fetching a file over HTTP: what a broken connection leaves is continued, if the file is still the same."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import Any

import requests
from requests.exceptions import InvalidSchema, InvalidURL, TooManyRedirects

from selfinstruct.download_partial import CHUNK_BYTES, PartialFile, not_as_known
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.progress import note, progress_bar
from selfinstruct.public_files import PublicFile

_PASSING = (408, 425, 429, 500, 502, 503, 504)  # answers that another try may better
_LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True)
class Patience:
    """How many tries in a row may fail, the pause after the first, how long a silent server is waited for."""

    tries: int
    first_pause_seconds: float
    timeout_seconds: float


class _TryAgain(Exception):
    """An attempt failed in a way that another one may not."""

    def __init__(self, reason: str, pause_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.pause_seconds = pause_seconds


def fetch(
    url: str, partial: PartialFile, file: PublicFile, patience: Patience, session: requests.Session
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
            _attempt(url, partial, file, patience.timeout_seconds, session)
        except _TryAgain as error:
            failures = 1 if partial.size() > best else failures + 1
            best = max(best, partial.size())
            if failures >= patience.tries:
                raise StoppedEarly(f"{url}: {error}; {_what_comes_next(url, partial)}") from error
            doubled = patience.first_pause_seconds * 2 ** (failures - 1)
            pause = min(_LONGEST_PAUSE, doubled if error.pause_seconds is None else error.pause_seconds)
            note(f"{url}: {error}; trying again in {pause:g} s")
            time.sleep(pause)
            continue
        if (reason := not_as_known(partial, file)) is None:
            return
        partial.discard()
        damaged += 1
        if damaged == 2:  # damaged on the way the first time, perhaps; not twice
            raise UserError(f"{url}: {reason}; it has changed, or source is not a mirror of it")
        note(f"{url}: {reason}; fetching it once more")


def _what_comes_next(url: str, partial: PartialFile) -> str:
    if partial.resumable(url)[0]:
        return f"the {partial.size():,} bytes that arrived are kept; the same words go on"
    if partial.size():
        reason = (
            "the server does not say which version of the file it sent (no ETag), so what arrived is no use"
        )
        return f"{reason}: the same words begin again with this file"
    return "the same words go on"


def _attempt(
    url: str, partial: PartialFile, file: PublicFile, timeout_seconds: float, session: requests.Session
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
                offset, size = 0, _size_of_whole(response, url, file)
                partial.begin(url, _validator(response), size)
            with progress_bar(PurePosixPath(file.path).name, size, offset, unit="B") as bar:
                _append(partial.path, response.iter_content(CHUNK_BYTES), bar.update)
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


def _check_status(response: requests.Response, url: str, file: PublicFile, partial: PartialFile) -> None:
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


def _size_of_whole(response: requests.Response, url: str, file: PublicFile) -> int | None:
    """The length of the file that begins here, None where only its last chunk will tell."""
    size = _length(response)
    if size is None and not _is_chunked(response) and file.sha256 is None:
        reason = "the server does not say how long the file is, so a part could pass for all"
        raise UserError(f"{url}: {reason}; choose another source")
    if None not in (size, file.size) and size != file.size:
        raise UserError(f"{url}: is {size:,} bytes long, not {file.size:,}; it is another file")
    return size


def _size_of_rest(
    response: requests.Response, offset: int, state: dict[str, Any], partial: PartialFile
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
