"""A small OpenAI-compatible server for tests, which goes wrong as it is told to."""

import hashlib
import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

KEY = "sk-a-very-secret-key-1234567890"  # what the tests put into OPENAI_API_KEY
Behaviour = Callable[["Handler", dict[str, Any]], None]


def text_of(prompt: str) -> str:
    """The server's answer to a prompt, unless told otherwise."""
    return f" answer {hashlib.sha256(prompt.encode()).hexdigest()[:12]}"


@dataclass
class FakeServer:
    """What it is to do, and what it has seen.

    `script` holds one behaviour a request, in the order they come; when it is used up, `default` answers.
    """

    script: deque[Behaviour] = field(default_factory=deque)
    default: Behaviour = lambda handler, body: answer()(handler, body)
    asked: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)  # ends what hangs

    @property
    def prompts(self) -> list[str]:
        return [prompt_of(body) for body in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake = self.fake
        with fake.lock:
            fake.asked.append(body)
            fake.paths.append(self.path)
            fake.headers.append({name.lower(): value for name, value in self.headers.items()})
            fake.times.append(time.monotonic())
            fake.at_once += 1
            fake.most_at_once = max(fake.most_at_once, fake.at_once)
            behaviour = fake.script.popleft() if fake.script else fake.default
        try:
            behaviour(self, body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has given up
        finally:
            with fake.lock:
                fake.at_once -= 1

    def reply(self, status: int, content: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", headers.pop("length", str(len(content))))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with self.fake.lock:  # answered, as the client sees it
            self.fake.at_once -= 1
        self.wfile.write(content)
        self.wfile.flush()
        with self.fake.lock:
            self.fake.at_once += 1

    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def running() -> Iterator[FakeServer]:
    """A server on a free port of this machine."""
    fake = FakeServer()
    handler = type("BoundHandler", (Handler,), {"fake": fake})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def prompt_of(body: dict[str, Any]) -> str:
    return body["prompt"] if "prompt" in body else body["messages"][0]["content"]


def content(body: dict[str, Any], text: str, finish_reason: str | None = "stop") -> bytes:
    """The JSON of an answer, in the endpoint's form."""
    if "messages" in body:
        choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}}
    else:
        choice = {"text": text}
    usage = {"prompt_tokens": len(prompt_of(body).split()), "completion_tokens": max(1, len(text.split()))}
    return json.dumps({"choices": [choice | {"finish_reason": finish_reason}], "usage": usage}).encode()


def pipeline_text(prompt: str) -> str:
    """What a model could write in phase 1: the same to the same prompt, new words to another."""
    rng = Random(prompt)
    words = ["".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(40)]
    if prompt.endswith("Is it classification?"):
        return " No"
    if prompt.startswith("Write worked examples"):
        return f"Example 1\n{words[0]}\nOutput: {words[1]}\n\nExample 2\n{words[2]}\nOutput: {words[3]}\n"
    lines = [f"Explain {' '.join(words[i : i + 6])} now." for i in (0, 8, 16)]
    return f" {lines[0]}\n10. {lines[1]}\n11. {lines[2]}"


# ---- behaviours


def answer(text: str | None = None, finish_reason: str | None = "stop", after: float = 0.0) -> Behaviour:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        time.sleep(after)
        said = text_of(prompt_of(body)) if text is None else text
        handler.reply(200, content(body, said, finish_reason))

    return behave


def answer_with(text: Callable[[str], str], after: float) -> Behaviour:
    return lambda handler, body: answer(text(prompt_of(body)), after=after)(handler, body)


writes_like_a_model = answer_with(pipeline_text, after=0.01)


def error(status: int, message: str = "it went wrong", code: str | None = None, **headers: str) -> Behaviour:
    said = {"error": {"message": message, "type": "some_error", "code": code}}
    return lambda handler, body: handler.reply(status, json.dumps(said).encode(), **headers)


def raw(text: str, kind: str = "application/json", status: int = 200) -> Behaviour:
    return lambda handler, body: handler.reply(status, text.encode(), kind)


def truncated_json(handler: Handler, body: dict[str, Any]) -> None:
    handler.reply(200, content(body, "half an answer")[:30])


def body_cut_off(handler: Handler, body: dict[str, Any]) -> None:
    whole = content(body, "half an answer")
    handler.reply(200, whole[:30], length=str(len(whole)))
    handler.close_connection = True


def connection_reset(handler: Handler, body: dict[str, Any]) -> None:
    # Lingering for no time makes the close a reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def connection_closed(handler: Handler, body: dict[str, Any]) -> None:
    handler.close_connection = True


def not_http(handler: Handler, body: dict[str, Any]) -> None:
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
    handler.close_connection = True


def half_a_chunk(handler: Handler, body: dict[str, Any]) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b'20\r\n{"choices": [{"tex')
    handler.close_connection = True


def no_gzip(handler: Handler, body: dict[str, Any]) -> None:
    handler.reply(200, content(body, "plain"), Content_Encoding="gzip")


def hang(handler: Handler, body: dict[str, Any]) -> None:
    handler.fake.released.wait(60)
    handler.close_connection = True


def stall_in_the_middle(handler: Handler, body: dict[str, Any]) -> None:
    whole = content(body, "half an answer")
    handler.reply(200, whole[:30], length=str(len(whole)))
    hang(handler, body)


def trickle(handler: Handler, body: dict[str, Any]) -> None:
    """A byte now and then: no pause is long, the whole takes for ever."""
    whole = content(body, "half an answer")
    handler.reply(200, whole[:1], length=str(len(whole)))
    for place in range(1, len(whole)):
        if handler.fake.released.wait(0.05):
            break
        handler.wfile.write(whole[place : place + 1])
        handler.wfile.flush()
