"""From files of training data to tokens with the completion marked (paper, section 2.3).

A file (JSONL, JSON list or Parquet) holds rows of `{prompt, completion}`, `{instruction, input, output}` or
`{messages}`; a row may hold several of them, and the template says which is used (`render`).
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.config import DataSource, TemplateConfig
from selfinstruct import jsonl
from selfinstruct.encoding import evaluation_prompt, fill, forms
from selfinstruct.errors import UserError
from selfinstruct.settings import file_digest

RELEASED_END = "<|endoftext|>"  # how the released files end a completion; each model has its own end token
NEEDED = "a row needs {prompt, completion}, {instruction, input, output} or {messages}"


@dataclass(frozen=True)
class Row:
    """A line of training data, checked; `where` is file:line."""

    where: str
    pair: tuple[str, str] | None  # prompt, completion
    instance: tuple[str, str, str] | None  # instruction, input, output
    messages: list[dict[str, str]] | None


@dataclass(frozen=True)
class LoadedSource:
    """A data file's rows, sampled and repeated as asked for."""

    path: str
    sha256: str
    num_read: int
    rows: list[Row]


@dataclass(frozen=True)
class Example:
    """Text to train on; in a chat text the template has written the special tokens itself."""

    where: str
    prompt: str
    completion: str
    is_chat: bool = False


@dataclass(frozen=True)
class TokenisedExample:
    """Token ids, of which the first `num_prompt` are given and the rest, end token included, are trained."""

    where: str
    ids: list[int]
    num_prompt: int

    @property
    def num_trained(self) -> int:
        """Number of tokens that the loss counts."""
        return len(self.ids) - self.num_prompt


def load_source(source: DataSource, seed: int) -> LoadedSource:
    """Read a file, draw `sample` of its rows, and repeat them so that each comes `weight` times on average.

    Raises:
        UserError: `file:line: field: reason` for the first bad row; an empty file; a sample larger than it.
    """
    path = Path(source.path)
    if path.is_dir():
        raise UserError(f"data: {path} is a folder; give one JSONL, JSON or Parquet file (or a list of them)")
    read = [_row(record, where) for where, record in _records(path)]
    if not read:
        raise UserError(f"{path}: holds no example; {NEEDED}")
    rows = read
    if source.sample is not None:
        if source.sample > len(read):
            raise UserError(f"{path}: sample={source.sample} is more than its {len(read)} examples")
        rows = random.Random(f"{seed}:sample").sample(read, source.sample)
    repeats, rest = divmod(round(source.weight * len(rows)), len(rows))
    rows = rows * repeats + random.Random(f"{seed}:weight").sample(rows, rest)
    return LoadedSource(source.path, file_digest(path), len(read), rows)


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix == ".parquet":
        yield from _parquet_records(path)
    elif path.suffix == ".json" and _starts_a_list(path):
        yield from _json_list_records(path)
    else:
        yield from ((f"{path}:{number}", record) for number, record in jsonl.numbered_records(path))


def _starts_a_list(path: Path) -> bool:
    try:
        with open(path, encoding="utf-8-sig", errors="replace") as file:
            return file.read(4096).lstrip().startswith("[")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _json_list_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        records = json.loads(path.read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        place = f"{path}:{error.lineno}" if isinstance(error, json.JSONDecodeError) else str(path)
        raise UserError(f"{place}: not valid JSON ({error}); give a list of objects in UTF-8") from error
    for number, record in enumerate(records, start=1):
        if not isinstance(record, dict):
            raise UserError(f"{path}: record {number}: a {type(record).__name__}; {NEEDED}")
        yield f"{path}: record {number}", record


def _parquet_records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    import pyarrow
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        advice = "copy it again, whole, or write it anew"
        raise UserError(f"{path}: cannot be read as Parquet ({error}); {advice}") from error
    for number, record in enumerate(table.to_pylist(), start=1):
        yield f"{path}: record {number}", record


def _row(record: dict[str, Any], where: str) -> Row:
    pair = instance = messages = None
    if "prompt" in record and "completion" in record:
        pair = (_text(record, "prompt", where), _text(record, "completion", where, may_be_empty=True))
    if "instruction" in record and "output" in record:
        given = _text(record | {"input": record.get("input") or ""}, "input", where, may_be_empty=True)
        output = _text(record, "output", where, may_be_empty=True)
        instance = (_text(record, "instruction", where), given, output)
    if "messages" in record:
        messages = _messages(record["messages"], where)
    if pair is None and instance is None and messages is None:
        partners = [("prompt", "completion"), ("completion", "prompt")]
        partners += [("instruction", "output"), ("output", "instruction")]
        missing = next((missing for there, missing in partners if there in record), "prompt")
        raise UserError(f'{where}: "{missing}" is missing ({NEEDED})')
    return Row(where, pair, instance, messages)


def _text(record: dict[str, Any], field: str, where: str, may_be_empty: bool = False) -> str:
    value = record[field]
    if not isinstance(value, str):
        raise UserError(f'{where}: "{field}" is a {type(value).__name__}; it must be text')
    if not may_be_empty and not value.strip():
        raise UserError(f'{where}: "{field}" is empty; the model needs something to answer')
    return value


def _messages(value: Any, where: str) -> list[dict[str, str]]:
    if not isinstance(value, list) or len(value) < 2:
        raise UserError(f'{where}: "messages" must be a list of at least two turns of {{role, content}}')
    for position, turn in enumerate(value):
        if not (
            isinstance(turn, dict)
            and isinstance(turn.get("role"), str)
            and isinstance(turn.get("content"), str)
        ):
            raise UserError(f'{where}: "messages"[{position}] must be {{role, content}}, both text')
    if value[-1]["role"] != "assistant":
        raise UserError(f'{where}: "messages" must end with the assistant\'s turn, which is what is learnt')
    return [{"role": turn["role"], "content": turn["content"]} for turn in value]


def render(rows: Iterable[Row], template: TemplateConfig, seed: int, tokenizer: Any) -> Iterator[Example]:
    """Put each row into its text form, by the template.

    `random`: a row's own prompt and completion where it has them (stage 4 has drawn the form already), else
    one of the paper's thirteen forms by `Random(f"{seed}:{index}")`; with `templates_per_example` k > 1 each
    row gives k examples of different forms, its own prompt counting as the first.
    `fixed`: instruction and input in evaluation's own form; a row without them as it is written.
    `chat`: everything through the tokenizer's chat template, as one user turn unless it has messages.
    Messages always go through the chat template; only their last turn is trained.

    Raises:
        UserError: a chat template is needed and the tokenizer has none.
    """
    for index, row in enumerate(rows):
        where = row.where
        if template.name == "chat" or (row.pair is None and row.instance is None):
            yield _chat_example(where, row.messages or _turns(row), tokenizer)
        elif template.name == "fixed" and row.instance:
            instruction, given, output = row.instance
            prompt = evaluation_prompt("self-instruct", instruction, given)
            yield Example(where, prompt, " " + output.strip())
        else:
            for prompt, completion in _random_forms(row, template.templates_per_example, f"{seed}:{index}"):
                yield Example(where, prompt, completion)


def _random_forms(row: Row, count: int, stream: str) -> list[tuple[str, str]]:
    given = [(row.pair[0], _without_released_end(row.pair[1]))] if row.pair else []
    if row.instance is None or len(given) >= count:
        return given
    choices = [fill(form, *row.instance) for form in forms(row.instance[1])]
    fresh = [choice for choice in choices if choice not in given]
    drawn = random.Random(stream).sample(fresh, min(count - len(given), len(fresh)))
    return given + [(prompt, _without_released_end(completion)) for prompt, completion in drawn]


def _without_released_end(completion: str) -> str:
    text = completion.rstrip()
    return text.removesuffix(RELEASED_END) if text.endswith(RELEASED_END) else completion


def _turns(row: Row) -> list[dict[str, str]]:
    if row.instance:
        prompt, completion = evaluation_prompt("chat", *row.instance[:2]), row.instance[2]
    else:
        assert row.pair is not None
        prompt, completion = row.pair
    answer = _without_released_end(completion).strip()
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


def _chat_example(where: str, messages: list[dict[str, str]], tokenizer: Any) -> Example:
    if not tokenizer.chat_template:
        advice = "use template=random or template=fixed, and data without messages"
        raise UserError(f"{where}: needs a chat template, which the model's tokenizer has not; {advice}")
    if not messages[-1]["content"].strip():
        return Example(where, "", "", is_chat=True)
    prompt = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    whole = tokenizer.apply_chat_template(messages, tokenize=False).rstrip()
    # Some templates open the answer differently when they render it as history; use speaks the prompt's way.
    completion = whole.removeprefix(prompt) if whole.startswith(prompt) else messages[-1]["content"]
    return Example(where, prompt, completion, is_chat=True)


def tokenise(
    examples: Iterable[Example], tokenizer: Any, end_token: int, max_length: int
) -> tuple[list[TokenisedExample], dict[str, int]]:
    """Token ids of each example, at most `max_length`, and counts of what was shortened or dropped.

    The prompt's tokens are those of the prompt alone, as in use. The completion's are what the whole text
    adds to them; where the tokenizer would merge across the border, those of the completion alone. A prompt
    that is too long loses its middle (the input, in most forms); a completion is never cut: an example whose
    completion does not fit is dropped.
    """
    first = _tokens_before_text(tokenizer)
    special = {*tokenizer.all_special_ids, *_special_added_tokens(tokenizer)}
    kept: list[TokenisedExample] = []
    counts = Counter(prompts_shortened=0, dropped_completion_too_long=0, dropped_empty_completion=0)
    for example, prompt, completion in _in_chunks(list(examples), tokenizer):
        if not completion:
            counts["dropped_empty_completion"] += 1
            continue
        ended = completion[-1] == end_token or (example.is_chat and completion[-1] in special)
        completion = completion if ended else [*completion, end_token]
        start = [] if example.is_chat else first
        room = max_length - len(start) - len(completion)
        if room < 1:
            counts["dropped_completion_too_long"] += 1
            continue
        if len(prompt) > room:
            counts["prompts_shortened"] += 1
            prompt = prompt[: room // 2] + prompt[len(prompt) - (room - room // 2) :]
        ids = start + prompt + completion
        kept.append(TokenisedExample(example.where, ids, len(ids) - len(completion)))
    counts["examples"] = len(kept)
    counts["tokens"] = sum(len(example.ids) for example in kept)
    counts["trained_tokens"] = sum(example.num_trained for example in kept)
    return kept, dict(sorted(counts.items()))


def _in_chunks(examples: list[Example], tokenizer: Any) -> Iterator[tuple[Example, list[int], list[int]]]:
    def encode(texts: list[str]) -> list[list[int]]:
        return tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]

    for start in range(0, len(examples), 1000):
        chunk = [example for example in examples[start : start + 1000]]
        prompts = encode([example.prompt for example in chunk])
        wholes = encode([example.prompt + example.completion for example in chunk])
        for example, prompt, whole in zip(chunk, prompts, wholes, strict=True):
            if not example.completion.strip():
                yield example, prompt, []
            elif whole[: len(prompt)] == prompt:
                yield example, prompt, whole[len(prompt) :]
            else:
                yield example, prompt, encode([example.completion])[0]


def _tokens_before_text(tokenizer: Any) -> list[int]:
    # The BOS token of tokenizers that put one, and nothing of what some put behind a text.
    plain = tokenizer("a", add_special_tokens=False)["input_ids"]
    whole = tokenizer("a")["input_ids"]
    for position in range(len(whole) - len(plain) + 1):
        if whole[position : position + len(plain)] == plain:
            return whole[:position]
    return []


def _special_added_tokens(tokenizer: Any) -> list[int]:
    return [token for token, added in tokenizer.added_tokens_decoder.items() if added.special]


def preview(example: TokenisedExample, tokenizer: Any) -> str:
    """The example as text, each trained token in double brackets."""
    given = tokenizer.decode(example.ids[: example.num_prompt])
    trained = "".join(f"[[{tokenizer.decode([token])}]]" for token in example.ids[example.num_prompt :])
    return f"{example.where}, trained tokens in [[ ]]:\n{given}{trained}"
