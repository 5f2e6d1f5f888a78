"""A server of files that breaks off, forgets ranges and lies about lengths when told to; fetching from it."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from selfinstruct.download import DownloadConfig, download_data

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


@contextmanager
def serving() -> Iterator[Server]:
    """A server that answers until the end of the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
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
