"""Which tokens are trained, which form a row takes, and what is said about a bad row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from finetune_small import CHAT, byte_level_tokenizer, metaspace_tokenizer
from tokenizers import Tokenizer, models, trainers
from transformers import PreTrainedTokenizerFast

from finetune.config import DataSource, TemplateConfig
from finetune.examples import Example, TokenisedExample, preview, render, tokenise
from finetune.sources import Row, load_source
from selfinstruct.errors import UserError

INSTANCE = ("Sort these words.", "tree fish", "fish tree")


def row(
    pair: tuple[str, str] | None = None,
    instance: tuple[str, str, str] | None = None,
    messages: list[dict[str, str]] | None = None,
) -> Row:
    return Row("data.jsonl:1", pair, instance, messages)


def one(tokenizer: Any, prompt: str, completion: str, max_length: int = 100) -> tuple[list[str], list[str]]:
    """(given, trained) tokens of one example, as the tokenizer spells them."""
    examples, _ = tokenise(
        [Example("f:1", prompt, completion)], tokenizer, tokenizer.eos_token_id, max_length
    )
    spelled = tokenizer.convert_ids_to_tokens(examples[0].ids)
    return spelled[: examples[0].num_prompt], spelled[examples[0].num_prompt :]


def test_trained_tokens_are_the_completion_and_the_end_token_without_bos() -> None:
    given, trained = one(byte_level_tokenizer(), "red\nInput: cat\nOutput:", " dog yes")
    assert given == ["red", "Ċ", "Input", ":", "Ġcat", "Ċ", "Output", ":"]
    assert trained == ["Ġdog", "Ġyes", "<end>"]


def test_trained_tokens_are_the_completion_and_the_end_token_with_bos() -> None:
    given, trained = one(metaspace_tokenizer(), "Output: dog Output:", " dog yes")
    assert given == ["<s>", "▁Output:", "▁dog", "▁Output:"]
    assert trained == ["▁dog", "▁yes", "</s>"]  # one blank, as after the prompt in use; no second BOS


def test_a_merge_across_the_border_is_not_made() -> None:
    tokenizer = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=5, special_tokens=["<end>"], show_progress=False)
    tokenizer.train_from_iterator(["xyxyxyz"], trainer)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>")
    assert wrapped.tokenize("xyz") == ["xy", "z"]
    assert one(wrapped, "x", "yz") == (["x"], ["y", "z", "<end>"])


@pytest.mark.parametrize("completion", [" dog<|endoftext|>", " dog<|endoftext|>\n", " dog"])
def test_the_released_end_text_becomes_the_models_own_end_token(completion: str) -> None:
    tokenizer = byte_level_tokenizer()
    (example,) = render([row(pair=("Output:", completion))], TemplateConfig(), 1, tokenizer)
    assert one(tokenizer, example.prompt, example.completion)[1] == ["Ġdog", "<end>"]


def shortened(example: Example, max_length: int) -> tuple[list[str], dict[str, int]]:
    """The texts of what is left of an example, and the counts."""
    tokenizer = byte_level_tokenizer()
    kept, counts = tokenise([example], tokenizer, tokenizer.eos_token_id, max_length)
    return [tokenizer.decode(tokens.ids) for tokens in kept], counts


def test_however_short_the_room_only_the_input_is_cut_and_then_the_example_is_dropped() -> None:
    given = "tree fish moon sun cat dog"
    example = Example("f:1", f"Sort these words.\nInput: {given}\nOutput:", " cat", input=given)
    seen = set()
    for max_length in range(1, 60):
        texts, counts = shortened(example, max_length)
        for text in texts:
            before, frame, rest = text.partition("Sort these words.\nInput: ")
            left, output, target = rest.partition("\nOutput:")
            assert (before, target) == ("", " cat<end>") and frame and output and given.startswith(left)
            seen.add(left)
        dropped = counts["dropped_prompt_too_long"] + counts["dropped_completion_too_long"]
        assert dropped + counts["examples"] == 1
        assert counts["prompts_shortened"] == (texts != [] and given not in texts[0])
    assert {"tree", given} <= seen


@pytest.mark.parametrize("is_chat", [False, True])
@pytest.mark.parametrize("given", ["", "not in the prompt at all", "put"])
def test_a_long_prompt_whose_input_is_not_known_is_dropped_and_counted(given: str, is_chat: bool) -> None:
    example = Example("f:1", "Input: red blue cat dog tree fish put\nOutput:", " moon", is_chat, given)
    texts, counts = shortened(example, max_length=10)
    assert texts == []
    assert (counts["dropped_prompt_too_long"], counts["prompts_shortened"]) == (1, 0)


def test_a_completion_that_does_not_fit_and_an_empty_one_are_dropped_and_counted() -> None:
    tokenizer = byte_level_tokenizer()
    texts = [("red", " cat dog tree"), ("red", " "), ("red", " cat"), ("red blue cat dog", " cat")]
    texts += [("red blue", " cat")]
    examples = [Example("f:1", *text) for text in texts]
    kept, counts = tokenise(examples, tokenizer, tokenizer.eos_token_id, max_length=4)
    assert [len(example.ids) for example in kept] == [3, 4]
    assert counts == {
        "answers_joined": 0,
        "dropped_completion_too_long": 1,
        "dropped_empty_completion": 1,
        "dropped_prompt_too_long": 1,
        "examples": 2,
        "prompts_shortened": 0,
        "tokens": 7,
        "trained_tokens": 4,
    }


def test_random_uses_a_rows_own_prompt_as_it_is() -> None:
    rows = [row(pair=("my prompt", " x"), instance=INSTANCE)]
    assert [(e.prompt, e.completion) for e in render(rows, TemplateConfig(), 1, None)] == [
        ("my prompt", " x")
    ]


def test_random_draws_one_of_the_papers_forms_by_seed_and_index() -> None:
    rows = [row(instance=INSTANCE)] * 200
    first, again, other = (
        [e.prompt for e in render(rows, TemplateConfig(), seed, None)] for seed in (1, 1, 2)
    )
    assert first == again != other
    assert len(set(first)) == 7  # all the forms for an instance with an input


def test_several_templates_an_example_are_different_and_begin_with_the_rows_own() -> None:
    own = ("Sort these words.\n\ntree fish\n\n", "fish tree")
    template = TemplateConfig("random", templates_per_example=6)
    prompts = [(e.prompt, e.completion) for e in render([row(own, INSTANCE)], template, 1, None)]
    assert prompts[0] == own
    assert len(set(prompts)) == 6


def test_fixed_is_the_form_that_evaluation_asks_in() -> None:
    rows = [row(pair=("own", " x"), instance=INSTANCE), row(pair=("own", " x"))]
    texts = [(e.prompt, e.completion) for e in render(rows, TemplateConfig("fixed"), 1, None)]
    assert texts == [("Sort these words.\n\nInput: tree fish\nOutput:", " fish tree"), ("own", " x")]


def test_chat_trains_an_answer_and_its_end_mark_alone() -> None:
    tokenizer = byte_level_tokenizer()
    tokenizer.chat_template = CHAT
    turns = [("user", "red"), ("assistant", "blue"), ("user", "cat"), ("assistant", "dog")]
    messages = [{"role": role, "content": content} for role, content in turns]
    _, example = render([row(messages=messages)], TemplateConfig(), 1, tokenizer)
    assert example.prompt == "<|user|>red<turn>\n<|assistant|>blue<turn>\n<|user|>cat<turn>\n<|assistant|>"
    (tokens,), _ = tokenise([example], tokenizer, tokenizer.eos_token_id, 100)
    trained = tokenizer.convert_ids_to_tokens(tokens.ids[tokens.num_prompt :])
    assert trained == ["dog", "<turn>"]  # the template ends the turn; no second end token


def test_chat_makes_one_user_turn_of_an_instance() -> None:
    tokenizer = byte_level_tokenizer()
    tokenizer.chat_template = CHAT
    (example,) = render([row(instance=INSTANCE)], TemplateConfig("chat"), 1, tokenizer)
    assert example.prompt == "<|user|>Sort these words.\n\ntree fish<turn>\n<|assistant|>"
    assert example.completion == "fish tree<turn>"


def test_messages_without_a_chat_template_are_refused_by_line() -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    with pytest.raises(UserError, match=r"data\.jsonl:1: needs a chat template"):
        list(render([row(messages=messages)], TemplateConfig(), 1, byte_level_tokenizer()))


def test_the_preview_marks_each_run_of_trained_tokens() -> None:
    tokenizer = byte_level_tokenizer()
    ids = tokenizer("red dog yes cat moon sun")["input_ids"]
    example = TokenisedExample("f:1", ids, 1, given=[(3, 5)])
    assert preview(example, tokenizer).endswith(":\nred[[ dog yes]] cat moon[[ sun]]")


def write_jsonl(path: Path, records: list[Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def write_json(path: Path, records: list[Any]) -> None:
    path.write_text(json.dumps(records))


def write_parquet(path: Path, records: list[Any]) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(records), path)


@pytest.mark.parametrize(
    ("name", "write"), [("d.jsonl", write_jsonl), ("d.json", write_json), ("d.parquet", write_parquet)]
)
def test_the_same_rows_are_read_from_each_format(
    tmp_path: Path, name: str, write: Callable[[Path, list[Any]], None]
) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    records = [{"instruction": "i", "input": None, "output": "o", "messages": messages}] * 2
    write(tmp_path / name, records)
    rows = load_source(DataSource(str(tmp_path / name)), seed=1).rows
    assert [(r.pair, r.instance, r.messages) for r in rows] == [(None, ("i", "", "o"), messages)] * 2


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"prompt": "p"}, '"completion" is missing'),
        ({"instruction": "i", "input": ""}, '"output" is missing'),
        ({"text": "t"}, '"prompt" is missing'),
        ({"prompt": 3, "completion": "c"}, '"prompt" is a int; it must be text'),
        ({"prompt": " ", "completion": "c"}, '"prompt" is empty'),
        ({"messages": [{"role": "user", "content": "a"}]}, '"messages" must be a list of at least two'),
        ({"messages": [{"role": "user", "content": "a"}] * 2}, "must end with the assistant"),
        ({"messages": [{"role": "user"}] * 2}, '"messages"[0] must be {role, content}'),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(tmp_path: Path, record: Any, message: str) -> None:
    path = tmp_path / "d.jsonl"
    write_jsonl(path, [{"prompt": "p", "completion": "c"}, record])
    with pytest.raises(UserError) as caught:
        load_source(DataSource(str(path)), seed=1)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert message in str(caught.value)


def test_an_empty_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").touch()
    with pytest.raises(UserError, match="holds no example"):
        load_source(DataSource(str(tmp_path / "d.jsonl")), seed=1)
    with pytest.raises(UserError, match="is a folder"):
        load_source(DataSource(str(tmp_path)), seed=1)


@pytest.mark.parametrize("name", ["d.csv", "folder/absent.csv"])
def test_a_csv_file_is_refused_with_what_is_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.csv").write_text("instruction,input,output\n")
    with pytest.raises(UserError, match=r"csv: JSONL, JSON lists and Parquet are read, not \.csv; pandas"):
        load_source(DataSource(str(tmp_path / name)), seed=1)
    with pytest.raises(UserError, match=r"JSONL, JSON lists and Parquet are read"):
        load_source(DataSource(name), seed=1)  # no hub id


def test_samples_and_weights_are_drawn_by_the_seed(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    write_jsonl(path, [{"prompt": f"p{number}", "completion": "c"} for number in range(100)])

    def drawn(seed: int, **settings: Any) -> list[str]:
        return [row.where for row in load_source(DataSource(str(path), **settings), seed).rows]

    sample = drawn(1, sample=10)
    assert len(set(sample)) == 10
    assert sample == drawn(1, sample=10) != drawn(2, sample=10)
    weighted = drawn(1, weight=2.5)
    assert len(weighted) == 250
    assert {weighted.count(where) for where in weighted} == {2, 3}
    with pytest.raises(UserError, match=r"sample=101 is more than its 100 examples; .* sample=null for all"):
        drawn(1, sample=101)
