"""A server for benches: answers the prompts of phase 1 after a fixed time, with varied made-up text.

    python scripts/bench/answering_server.py [--latency-ms 200] [--port 0]

Prints its address. Completions only; the same request always gets the same answer. It reads of HTTP and JSON
just what it must, so that on a machine of two cores the client has one for itself. Ends when its standard
input does.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import zlib

_SYLLABLES = (
    "ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu bra cle dri flo gru pla sti tro".split()
)
_VERBS = (
    "Write Describe Explain Summarize Rewrite Translate Compare List Suggest Compose Outline Draft Classify "
    "Identify Correct Edit Design Plan Estimate Compute Sort Rank Choose Recommend Predict Answer Simplify "
    "Shorten Expand Convert Name Review Criticize Defend Justify Paraphrase Extract Find Count Complete"
).split()
_KINDS = (
    "story poem letter recipe lecture report speech summary review dialogue riddle headline slogan memo note "
    "question reply definition proposal paragraph sentence table formula schedule budget menu joke lesson"
).split()
_LINKS = "about for of with without against under near before after between from on in behind beyond".split()
_SMALL = "the a this that some any each every no one its their our your his her two three many few".split()
_SHORT = ("Say it.", "Do that again.", "Hello", "Yes, of course.")
_BARRED = "Look at this picture of {} and describe {} for {} in detail."
_LABELS = "positive negative neutral urgent spam sports politics science fiction true false".split()


def _word(rng: random.Random) -> str:
    """One of some 22,000 made-up words, the first syllables more often."""
    count = len(_SYLLABLES)
    return "".join(_SYLLABLES[int(count * rng.random() ** 1.3)] for _ in range(3))


def _phrase(rng: random.Random, count: int) -> str:
    """So many words, about half of them small ones."""
    words = []
    while len(words) < count:
        words += [rng.choice(_LINKS), rng.choice(_SMALL)] if rng.random() < 0.35 else [_word(rng)]
    return " ".join(words[:count])


def instruction(rng: random.Random) -> str:
    """A task of 5 to 30 words, 15 or so on average; one in nine is nothing to keep."""
    fate = rng.random()
    if fate < 0.04:
        return rng.choice(_SHORT)
    if fate < 0.07:
        return _BARRED.format(_word(rng), _word(rng), _word(rng))
    if fate < 0.11:  # few words, of which most are always the same: near copies
        return f"Write a {rng.choice(_KINDS)} about the {rng.choice(_KINDS)} that you like best."
    length = min(30, max(3, round(rng.gauss(12, 5))))
    return f"{rng.choice(_VERBS)} a {rng.choice(_KINDS)} {_phrase(rng, length)}."


def answer(prompt: bytes, rng: random.Random) -> str:
    """What a model could write after a prompt."""
    if prompt.endswith(b"classification?"):
        return rng.choice((" No", " No", " No", " Yes"))
    if prompt[-2:-1].isdigit() and prompt.endswith(b"."):  # a numbered list to go on with
        first, *others = (instruction(rng) for _ in range(rng.randint(2, 5)))
        return f" {first}" + "".join(f"\n{n}. {text}" for n, text in enumerate(others, start=10))
    if b"Class label:" in prompt:
        return "\n".join(f"Class label: {rng.choice(_LABELS)}\n{_phrase(rng, 14)}" for _ in range(3))
    return "\n\n".join(
        f"Example {n}\n{_phrase(rng, 12)}\nOutput: {_phrase(rng, 19)}" for n in range(1, rng.randint(2, 4))
    )


def reply(body: bytes) -> bytes:
    """The whole HTTP answer to a request's body."""
    rng = random.Random(zlib.crc32(body))
    end = body.index(b'"prompt"')
    end = body.index(b'"', end + 9) + 1
    stop = body.find(b'","', end)
    if stop < 0:
        stop = body.rindex(b'"')
    prompt = body[end:stop].removesuffix(b"\\n")
    choice = {"text": answer(prompt, rng), "finish_reason": "length" if rng.random() < 0.01 else "stop"}
    said: dict[str, object] = {"choices": [choice]}
    if rng.random() < 0.75:  # some servers count, some do not
        said["usage"] = {"prompt_tokens": len(prompt) // 4, "completion_tokens": len(choice["text"]) // 4 + 1}
    content = json.dumps(said).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(content),
        content,
    )


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time on it."""

    def __init__(self, latency_seconds: float) -> None:
        self._latency_seconds = latency_seconds
        self._received = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        start = self._received.find(b"\r\n\r\n") + 4
        if start < 4:
            return
        place = self._received.lower().index(b"content-length:", 0, start) + 15
        length = int(self._received[place : self._received.index(b"\r", place)])
        if len(self._received) >= start + length:
            content = reply(bytes(self._received[start : start + length]))
            self._received.clear()
            asyncio.get_running_loop().call_later(self._latency_seconds, self._transport.write, content)


async def serve(latency_seconds: float, port: int) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency_seconds), "127.0.0.1", port)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    ended = asyncio.Event()

    def wait() -> None:
        sys.stdin.buffer.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=wait, daemon=True).start()
    await ended.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.latency_ms / 1000, arguments.port))


if __name__ == "__main__":
    main()
