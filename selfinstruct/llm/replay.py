"""Recorded responses instead of a model's, from a run folder of ours or of the released code."""

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from selfinstruct import jsonl
from selfinstruct.errors import RecordingUsedUp, UserError
from selfinstruct.llm.base import LLM, Completion, Request
from selfinstruct.llm.response_log import logged_completion
from selfinstruct.settings import file_digest

RESPONSE_LOG = "response_log.jsonl"
# Where the released code keeps the answers of a stage.
RELEASED = {
    "instructions": "machine_generated_instructions.jsonl",
    "classification": "is_clf_or_not*.jsonl",
    "instances": "machine_generated_instances.jsonl",
}
# Stages whose questions depend on what stage 1 accepted. Other filters accept other instructions, so an
# answer is looked up by what was asked; elsewhere (in stage 1, whose prompts then differ) the order counts.
LOOKED_UP = ("classification", "instances", "regeneration")


@dataclass(frozen=True)
class Recorded:
    """A recorded answer, and what it was asked for as far as the recording says so."""

    completion: Completion
    subject: str | None = None
    prompt: str | None = None

    @property
    def key(self) -> "Key":
        """What the answer is found by."""
        if self.subject is None:
            return self.prompt or None, None
        return _heading(self.prompt), _folded(self.subject)


# (whole prompt, None), or (heading of the prompt if there is one, subject); both None where neither is said.
Key = tuple[str | None, str | None]


class ReplayLLM(LLM):
    """Hands out the answers recorded for one stage, from number `start_index` on; no model is asked.

    Where the questions may be others than the recording's (see `LOOKED_UP`), each gets the answer recorded
    for it: several recorded for one question are handed out in their order. Else the order recorded counts.

    `path` is a run folder (its response log if it has one, else the released code's file of the stage) or one
    such file. Token counts are those of the recording, 0 where it has none.
    """

    def __init__(self, path: Path, stage: str = "instructions", start_index: int = 0) -> None:
        if not path.exists():
            raise UserError(
                f"llm.responses={path}: no such file or folder; give a run folder or a file of one"
            )
        self._path, self._stage, self._next_index = path, stage, start_index
        self._waiting: deque[Request] = deque()
        self._handed_out: set[int] = set()

    @property
    def description(self) -> dict[str, object]:
        """The recorded files by name and digest."""
        return {"backend": "replay", "files": self._digests}

    @cached_property
    def _digests(self) -> dict[str, str]:
        if self._path.is_file():
            files = [self._path]
        else:
            patterns = [RESPONSE_LOG, *RELEASED.values()]
            files = sorted(file for pattern in patterns for file in self._path.glob(pattern))
        return {file.name: file_digest(file) for file in files}

    @cached_property
    def _answers(self) -> list[Recorded]:
        return recorded_answers(self._path, self._stage)

    @cached_property
    def _places(self) -> dict[Key, list[int]]:
        places: dict[Key, list[int]] = defaultdict(list)
        for place, answer in enumerate(self._answers):
            places[answer.key].append(place)
        return places

    def for_stage(self, stage: str, start_index: int = 0) -> LLM:
        """The answers of another stage of the same recording.

        Raises:
            UserError: it holds none for that stage, or a broken line; said here, before a stage has begun.
        """
        replay = ReplayLLM(self._path, stage, start_index)
        _ = replay._answers
        return replay

    def count_tokens(self, text: str) -> int:
        """Words of the text: the recording's tokenizer is not known."""
        return len(text.split())

    def submit(self, request: Request) -> None:
        """Take a request."""
        self._waiting.append(request)

    def next_completion(self) -> Completion:
        """The answer recorded for the oldest request.

        Raises:
            RecordingUsedUp: the recording has no more.
            UserError: none was recorded for what the request asks.
        """
        if not self._waiting:
            raise LookupError("no request is waiting for an answer")
        request = self._waiting[0]
        # Its own number: what a restart reads from the run's log is not asked for here.
        index = self._next_index if request.index is None else request.index
        place = self._place_of(request, index) if self._stage in LOOKED_UP else index
        if place >= len(self._answers):
            raise RecordingUsedUp(
                f"llm.responses={self._path}: all {len(self._answers)} recorded answers for {self._stage} "
                "are used up"
            )
        self._waiting.popleft()
        self._handed_out.add(place)
        self._next_index = index + 1
        return self._answers[place].completion

    def _place_of(self, request: Request, index: int) -> int:
        """The place in the recording of the answer to a request that is number `index` of this run.

        Of several answers to one question the one with that number is taken (so a restart hands out the same
        ones), else the first not handed out yet.
        """
        places = next((self._places[key] for key in _keys(request) if key in self._places), [])
        if index in places:
            return index
        if left := [place for place in places if place not in self._handed_out]:
            return left[0]
        asked = request.subject or request.prompt
        reason = (
            f"{len(places)} answers are recorded for {self._stage} of {asked!r}, but more are asked"
            if places
            else f"no answer is recorded for {self._stage} of {asked!r}"
        )
        raise UserError(
            f"llm.responses={self._path}: {reason}; replay with settings that accept and ask nothing else "
            "than the recording did (stricter filters, the same prompts), or ask a model"
        )

    def close(self) -> None:
        """Drop outstanding requests."""
        self._waiting.clear()


def recorded_answers(path: Path, stage: str) -> list[Recorded]:
    """Every answer of a stage in a recording, in order.

    Raises:
        UserError: nothing of that stage is recorded there, or a line lacks a field (`file:line: reason`).
    """
    file = path if path.is_file() else _file_of(path, stage)
    answers: dict[int, Recorded] = {}  # by index in our log, by line number in a released file
    previous: object = None
    for number, record in jsonl.numbered_records(file):
        try:
            if "key" in record:
                if record["stage"] == stage:
                    # Asked again: the last one counts.
                    asked = record.get("subject"), record["prompt"]
                    answers[record["index"]] = Recorded(logged_completion(record), *asked)
                continue
            answer = _released(record, stage)
        except (KeyError, IndexError, TypeError) as error:
            reason = f"not a recorded answer of ours or of the released code ({error!r})"
            raise UserError(f"{file}:{number}: {reason}; give a run folder or a file of one") from error
        # One line an instruction: the lines of one response repeat its metadata.
        is_repeated = stage == "instructions" and record.get("metadata") == previous
        previous = record.get("metadata")
        if answer is not None and not is_repeated:
            answers[number] = answer
    if not answers:
        raise UserError(f"{file}: holds no recorded answer for {stage}; leave that stage out (stages=[...])")
    return [answers[place] for place in sorted(answers)]


def _released(record: jsonl.Record, stage: str) -> Recorded | None:
    """The answer in a line of the released code's file of that stage; None where the line has none."""
    metadata = record.get("metadata")
    match stage:
        case "instructions" if metadata and metadata["response"]:
            return Recorded(_finished(metadata["response"]["choices"][0]["text"], metadata))
        case "classification" if "is_classification" in record:
            return Recorded(_finished(record["is_classification"], None), record["instruction"])
        case "instances" if "raw_instances" in record:
            spoken = _finished(record["raw_instances"], record.get("instance_metadata"))
            return Recorded(spoken, record["instruction"])
    return None


def _file_of(folder: Path, stage: str) -> Path:
    if (folder / RESPONSE_LOG).exists():
        return folder / RESPONSE_LOG
    files = sorted(folder.glob(RELEASED[stage])) if stage in RELEASED else []
    if len(files) != 1:
        names = ", ".join(file.name for file in files) or f"none ({RESPONSE_LOG} and {RELEASED.get(stage)})"
        raise UserError(
            f"llm.responses={folder}: one file with recorded answers for {stage} is needed, found {names}; "
            "name a file instead of the folder, or leave that stage out (stages=[...])"
        )
    return files[0]


def _finished(text: str, metadata: jsonl.Record | None) -> Completion:
    """A released answer; without metadata it counts as finished normally."""
    response = (metadata or {}).get("response")
    reason = response["choices"][0].get("finish_reason") if response else None
    return Completion(text, "length" if reason == "length" else "stop", 0, 0)


def _keys(request: Request) -> Iterator[Key]:
    """The keys under which an answer to a request may be recorded, best first.

    A model with a smaller context, or one that chats, was asked for the same in another prompt.
    """
    if request.subject is not None:
        subject = _folded(request.subject)
        yield _heading(request.prompt), subject
        yield None, subject
    shorter: Request | None = request
    while shorter is not None:
        yield shorter.prompt, None
        shorter = shorter.shorter() if shorter.shorter is not None else None
    yield None, None  # a recording that does not say what was asked: its order counts


def _heading(prompt: str | None) -> str | None:
    """What tells one kind of question about an instruction from another (output-first, say)."""
    return None if prompt is None else prompt.partition("\n")[0]


def _folded(text: str) -> str:
    """White space and case folded: they may differ in both from what was recorded."""
    return " ".join(text.split()).casefold()
