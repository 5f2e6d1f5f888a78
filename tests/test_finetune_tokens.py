"""Token by token, on a tokenizer of each family: what is given, what is trained, where a sequence ends."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import finetune_tokenizers as families
import pytest
import torch
from finetune_small import CHAT

from finetune.batching import collate
from finetune.config import DataSource, TemplateConfig
from finetune.examples import IGNORED, Example, TokenisedExample, render, tokenise
from finetune.sources import Row, load_source
from selfinstruct import jsonl
from selfinstruct.encoding import WITH_INPUT, WITHOUT_INPUT, evaluation_prompt, fill

FAMILIES: dict[str, Callable[[], Any]] = {
    "gpt2": families.gpt2,
    "llama_3": families.llama_3,
    "llama_2": families.llama_2,
    "llama_2 without BOS": lambda: families.llama_2(bos=False),
    "t5": families.t5,
    "xlnet": families.xlnet,
    "bert": families.bert,
    "merging": families.merging,
}
BEFORE = {"llama_3": ["<|begin_of_text|>"], "llama_2": ["<s>"], "bert": ["[CLS]"]}
TEXTS = [fill(form, "Sort these words.", "tree fish", "fish tree") for form in WITH_INPUT]
TEXTS += [fill(form, "Name two animals.", "", "fish and dog") for form in WITHOUT_INPUT]
TEXTS += [(evaluation_prompt("tk-def", "Name two animals.", ""), " fish and dog")]
# Forms in which a tokenizer merges the end of the prompt with the answer's first token.
MERGED = {"t5": 6, "xlnet": 6, "merging": 11}


def tokens_of(tokenizer: Any, prompt: str, completion: str) -> TokenisedExample:
    examples = [Example("f:1", prompt, completion)]
    (tokens,), _ = tokenise(examples, tokenizer, tokenizer.eos_token_id, max_length=200)
    return tokens


def in_use(tokenizer: Any, text: str) -> list[int]:
    """What a model is shown of a text: the tokenizer's own tokens, without those it puts behind it."""
    ids = tokenizer(text)["input_ids"]
    while ids[-1] in tokenizer.all_special_ids:
        ids.pop()
    return ids


@pytest.mark.parametrize("family", FAMILIES)
def test_given_is_the_prompt_as_in_use_and_trained_is_the_output_and_one_end_token(family: str) -> None:
    tokenizer = FAMILIES[family]()
    for prompt, completion in TEXTS:
        tokens = tokens_of(tokenizer, prompt, completion)
        given, trained = tokens.ids[: tokens.num_prompt], tokens.ids[tokens.num_prompt :]
        assert given == in_use(tokenizer, prompt)
        assert tokenizer.convert_ids_to_tokens(given)[: len(BEFORE.get(family, []))] == BEFORE.get(family, [])
        assert trained.count(tokenizer.eos_token_id) == 1 and trained[-1] == tokenizer.eos_token_id
        assert tokenizer.decode(trained[:-1]).split() == completion.split()
        assert tokens.labels == [IGNORED] * len(given) + trained
        if family not in ("t5", "xlnet", "bert"):  # those lose white space wherever it stands
            assert tokenizer.decode(trained[:-1]).lstrip(" ") == completion.lstrip(" ")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_whole_is_tokenised_as_one_text_unless_that_would_merge_across_the_border(family: str) -> None:
    tokenizer = FAMILIES[family]()
    merged = 0
    for prompt, completion in TEXTS:
        whole = in_use(tokenizer, prompt + completion)
        prompt_alone = in_use(tokenizer, prompt)
        merges = whole[: len(prompt_alone)] != prompt_alone
        merged += merges
        assert (tokens_of(tokenizer, prompt, completion).ids[:-1] == whole) != merges
    assert merged == MERGED.get(family, 0)


@pytest.mark.parametrize("family", ["gpt2", "llama_3", "llama_2", "merging"])
def test_behind_a_border_no_blank_is_made_up(family: str) -> None:
    tokenizer = FAMILIES[family]()
    tokens = tokens_of(tokenizer, "Output: fi", "sh tree")
    text = tokenizer.decode(tokens.ids, skip_special_tokens=True)
    assert text == "Output: fish tree"
    assert tokenizer.decode(tokens.ids[: tokens.num_prompt], skip_special_tokens=True) == "Output: fi"


@pytest.mark.parametrize("family", FAMILIES)
def test_a_shortened_prompt_keeps_instruction_and_frame_and_loses_the_end_of_its_input(family: str) -> None:
    tokenizer = FAMILIES[family]()
    given = "fish tree " * 40 + "moon"
    row = Row("f:1", None, ("Sort these words.", given, "yellow"), None)
    whole = tokens_of(tokenizer, evaluation_prompt("self-instruct", *row.instance[:2]), " yellow")  # type: ignore[index]
    for max_length in range(30, 60):
        examples = render([row], TemplateConfig("fixed"), 1, tokenizer)
        (tokens,), counts = tokenise(examples, tokenizer, tokenizer.eos_token_id, max_length)
        text = tokenizer.decode(tokens.ids[: tokens.num_prompt], skip_special_tokens=True)
        frame = r"sort these words\.\s*input\s?:\s*(fi?s?h?|fish.*)\s*output\s?:"
        assert re.fullmatch(frame, text.strip(), re.IGNORECASE | re.DOTALL)
        assert "moon" not in text
        assert counts["prompts_shortened"] == 1
        assert max_length - 6 < len(tokens.ids) <= max_length < len(whole.ids)
        assert tokens.ids[tokens.num_prompt :] == whole.ids[whole.num_prompt :]  # the target is whole


def test_a_pair_with_its_input_named_is_shortened_too(tmp_path: Path) -> None:
    given = "fish tree " * 40 + "moon"
    line = {"prompt": f"Sort these words: {given}\nSorted:", "completion": " yellow", "input": given}
    jsonl.replace(tmp_path / "pairs.jsonl", [line])
    rows = load_source(DataSource(str(tmp_path / "pairs.jsonl")), seed=1).rows
    tokenizer = FAMILIES["gpt2"]()
    (tokens,), counts = tokenise(
        render(rows, TemplateConfig(), 1, tokenizer), tokenizer, tokenizer.eos_token_id, 50
    )
    text = tokenizer.decode(tokens.ids[: tokens.num_prompt])
    assert text.startswith("Sort these words: fish tree") and text.endswith("\nSorted:")
    assert "moon" not in text and counts["prompts_shortened"] == 1


@pytest.mark.parametrize("family", ["gpt2", "llama_3", "llama_2", "bert"])
def test_in_a_conversation_every_answer_is_trained_and_nothing_else(family: str) -> None:
    tokenizer = FAMILIES[family]()
    tokenizer.add_special_tokens({"additional_special_tokens": ["<turn>", "<|user|>", "<|assistant|>"]})
    tokenizer.chat_template = CHAT
    words = ["fish", "tree", "dog", "moon", "sun", "cat"]
    roles = ["user", "assistant"]
    messages = [{"role": roles[n % 2], "content": word} for n, word in enumerate(words)]
    examples = list(render([Row("f:1", None, None, messages)], TemplateConfig(), 1, tokenizer))
    (tokens,), counts = tokenise(examples, tokenizer, tokenizer.eos_token_id, 200)
    assert counts["answers_joined"] == 2
    trained = [id for id, label in zip(tokens.ids, tokens.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(trained).replace(" ", "") == "tree<turn>moon<turn>cat<turn>"
    assert tokens.num_trained == len(trained)
    for packing in (False, True):
        batch = collate([tokens], torch.device("cpu"), packing)
        assert batch.labels[0].tolist() == tokens.labels
    # One sequence says the same as the answers one by one, each behind what stood before it.
    alone = [tokenise([example], tokenizer, tokenizer.eos_token_id, 200)[0][0] for example in examples]
    assert tokens.ids == alone[-1].ids
    assert trained == [id for each in alone for id in each.ids[each.num_prompt :]]


def test_a_template_that_rewrites_what_was_said_keeps_its_answers_apart() -> None:
    tokenizer = families.gpt2()
    # As models that think: the last answer opens with a mark that history has not.
    tokenizer.chat_template = (
        "{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' and loop.last %}(think) {% endif %}"
        "{{ m.content }}\n{% endfor %}{% if add_generation_prompt %}assistant: (think) {% endif %}"
    )
    turns = [("user", "fish"), ("assistant", "tree"), ("user", "dog"), ("assistant", "moon")]
    messages = [{"role": role, "content": content} for role, content in turns]
    examples = render([Row("f:1", None, None, messages)], TemplateConfig(), 1, tokenizer)
    first, second = tokenise(examples, tokenizer, tokenizer.eos_token_id, 200)[0]
    spelled = [tokenizer.decode(each.ids[: each.num_prompt]) for each in (first, second)]
    assert spelled == [
        "user: fish\nassistant: (think) ",
        "user: fish\nassistant: tree\nuser: dog\nassistant: (think) ",
    ]
    assert [tokenizer.decode(each.ids[each.num_prompt :]) for each in (first, second)] == [
        "tree<|endoftext|>",
        "moon<|endoftext|>",
    ]


def test_a_conversation_too_long_is_dropped_not_cut_through_its_marks() -> None:
    tokenizer = families.gpt2()
    tokenizer.chat_template = CHAT
    messages = [{"role": "user", "content": "fish " * 50}, {"role": "assistant", "content": "tree"}]
    examples = render([Row("f:1", None, None, messages)], TemplateConfig(), 1, tokenizer)
    kept, counts = tokenise(examples, tokenizer, tokenizer.eos_token_id, 30)
    assert (kept, counts["dropped_prompt_too_long"]) == ([], 1)
