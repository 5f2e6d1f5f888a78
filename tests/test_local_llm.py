"""`LocalLLM` and its decoding loop: right for every architecture, and errors that say what to do."""

import json
import random
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from small_models import byte_level_tokenizer, random_model, save_model
from transformers import AutoModelForCausalLM, PreTrainedModel

from selfinstruct.errors import UserError
from selfinstruct.llm.base import Completion, FinishReason, LLMConfig, Request, complete_in_order
from selfinstruct.llm.cache import GrowingLayer
from selfinstruct.llm.decoding import Decoder, Row, Sampler
from selfinstruct.llm.half_characters import unfinished_bytes
from selfinstruct.llm.local import LocalLLM, StopWatch
from selfinstruct.llm.prefixes import by_length, families, shared_prefix

EOS = 2
ARCHITECTURES = ["llama", "gpt2", "qwen3", "lfm2"]
ARCHITECTURES += ["lfm2 with biases", "sliding window", "linear attention", "mamba"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("model") / "llama", chat=True)


@pytest.fixture(scope="module")
def llm(folder: Path) -> LocalLLM:
    return open_local(folder)


def open_local(folder: Path, **settings: Any) -> LocalLLM:
    return LocalLLM(LLMConfig("local", str(folder), **settings), model=str(folder))


def ask(llm: LocalLLM, prompt: str, **settings: Any) -> Completion:
    return next(complete_in_order(llm, [Request(prompt, **({"max_tokens": 20} | settings))]))


def rows_of(prompts: list[list[int]], limits: list[int], **settings: Any) -> list[Row]:
    requests = [Request("", limit, **settings) for limit in limits]
    return [Row(r, p, limit) for r, p, limit in zip(requests, prompts, limits, strict=True)]


def ending(row: Row) -> FinishReason | None:
    if row.generated[-1] == EOS:
        return "stop"
    return "length" if len(row.generated) >= row.limit else None


def random_prompts(shared: int, longest: int = 24) -> tuple[list[list[int]], list[int]]:
    rng = random.Random(1)
    prefix = [rng.randrange(5, 400) for _ in range(shared)]
    own = [[rng.randrange(5, 400) for _ in range(n)] for n in (5, 30, 11, 1, 17, longest)]
    return [prefix + prompt for prompt in own], [25, 4, 30, 12, 30, 30]


# ---- decoding


@pytest.mark.parametrize(
    ("shared", "longest"),
    [(0, 24), (0, 200), (50, 24), (50, 150)],
    ids=["near lengths", "far lengths", "a shared prefix", "a prefix shared by the near ones"],
)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_mixed_batch_answers_token_for_token_as_generate_one_by_one(
    name: str, shared: int, longest: int
) -> None:
    model = random_model(name)
    prompts, limits = random_prompts(shared, longest)
    rows = rows_of(prompts, limits)
    Decoder(model).decode(rows, ending)
    for row in rows:
        ids = torch.tensor([row.prompt])
        expected = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=row.limit,
            do_sample=False,
            eos_token_id=EOS,
            pad_token_id=0,
        )
        assert row.generated == expected[0, len(row.prompt) :].tolist()
    assert len({token for row in rows for token in row.generated}) > 10


@pytest.mark.parametrize(
    ("name", "mixes", "shares"),
    [
        ("llama", True, True),
        ("lfm2", True, True),
        ("sliding window", True, False),
        ("linear attention", True, False),  # its state cannot go back to an earlier position
        ("lfm2 with biases", False, False),  # padding leaks into its convolution
        ("mamba", False, False),
    ],
)
def test_what_an_architecture_can_do_is_found_out_by_trying(name: str, mixes: bool, shares: bool) -> None:
    decoder = Decoder(random_model(name))
    assert (decoder.mixes, decoder.shares) == (mixes, shares)


def test_a_state_that_cannot_go_back_is_never_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    # In low precision the trial alone may not see it.
    monkeypatch.setattr(Decoder, "_batch_agrees", lambda self, prompts: True)
    assert not Decoder(random_model("linear attention")).shares
    assert Decoder(random_model("lfm2")).shares


def widths_run(decoder: Decoder, prompts: list[list[int]]) -> list[tuple[int, ...]]:
    """(rows, tokens) of each pass that a decoder makes to begin answering `prompts`."""
    shapes: list[tuple[int, ...]] = []
    forward = decoder.model.forward

    def recorded(input_ids: torch.Tensor, **rest: Any) -> Any:
        shapes.append(tuple(input_ids.shape))
        return forward(input_ids, **rest)

    decoder.model.forward = recorded
    decoder.decode(rows_of(prompts, [1] * len(prompts)), ending)
    decoder.model.forward = forward
    return shapes


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_batch_of_several_families_answers_as_each_prompt_alone(name: str) -> None:
    rng = random.Random(2)
    prompts, limits = [], []
    for length in (130, 120, 5):
        prefix = [rng.randrange(5, 400) for _ in range(length)]
        prompts += [prefix + [rng.randrange(5, 400) for _ in range(n)] for n in (9, 3, 14, 6)]
        limits += [12, 20, 4, 16]
    decoder = Decoder(random_model(name))
    assert len(families(prompts)) == 3
    together, alone = rows_of(prompts, limits), rows_of(prompts, limits)
    decoder.decode(together, ending)
    for row in alone:
        decoder.decode([row], ending)
    assert [row.generated for row in together] == [row.generated for row in alone]


def test_families_are_found_where_a_pass_for_each_pays() -> None:
    long, other = list(range(100, 300)), list(range(300, 500))
    prompts = [[*long, 1], [*other, 1], [7, 8], [*long, 2], [*other, 2], [9], [*long, 3, 4]]
    assert families(prompts) == [[0, 3, 6], [1, 2, 4, 5]]
    assert families([[1, 2, 3], [1, 2, 4]]) == [[0, 1]]
    assert families([[5] * 40]) == [[0]]
    growing = [[5] * length for length in range(1, 1500)]  # prefixes within prefixes, deeper than any stack
    assert sorted(number for group in families(growing) for number in group) == list(range(1499))


def test_a_shared_prefix_is_run_once() -> None:
    prompts, _ = random_prompts(shared=50)
    assert widths_run(Decoder(random_model("llama")), prompts) == [(1, 50), (6, 30)]


def test_prompts_of_far_lengths_are_run_apart_in_whatever_order_they_came() -> None:
    prompts = [[7] + [5] * 210, [8] * 3, [9] + [6] * 149, [4] * 5]
    assert widths_run(Decoder(random_model("llama")), prompts) == [(2, 5), (2, 211)]


def test_groups_of_neighbours_have_little_padding() -> None:
    prompts = [[0] * n for n in (3, 4, 100, 210, 250)]
    assert [[len(prompt) for prompt in group] for group in by_length(prompts)] == [[3, 4], [100, 210, 250]]
    assert by_length(prompts[:2]) == [prompts[:2]]


def test_a_prefix_is_shared_only_where_that_saves_work() -> None:
    prefix = list(range(40))
    assert shared_prefix([[*prefix, 100], [*prefix, 200, 201]]) == 40
    assert shared_prefix([prefix, prefix]) == 39  # one token must remain
    assert shared_prefix([[*prefix, 100]]) == 0
    assert shared_prefix([[*prefix[:10], 100], [*prefix[:10], 200]]) == 0
    assert shared_prefix([[*prefix, 100], prefix + list(range(200, 230))]) == 0


def test_the_cache_grows_without_losing_what_it_holds() -> None:
    layer = GrowingLayer()
    states = torch.randn(2, 3, 400, 4)
    for start, end in [(0, 100), *((i, i + 1) for i in range(100, 400))]:
        keys, values = layer.update(states[:, :, start:end], -states[:, :, start:end])
    assert torch.equal(keys, states)
    assert torch.equal(values, -states)
    layer.reorder_cache(torch.tensor([1]))
    keys, _ = layer.update(states[1:, :, :1], states[1:, :, :1])
    assert torch.equal(keys, torch.cat([states[1:], states[1:, :, :1]], dim=2))


# ---- sampling


def sampler(count: int = 1, vocabulary: int = 4, **settings: Any) -> Sampler:
    requests = [Request("", 1, seed=str(seed), **settings) for seed in range(count)]
    return Sampler([Row(r, [1], 1) for r in requests], vocabulary, torch.device("cpu"))


def frequencies(logits: list[float], **settings: Any) -> list[float]:
    tokens = sampler(5000, len(logits), **settings).next_tokens(torch.tensor([logits] * 5000))
    return [round((tokens == token).float().mean().item(), 2) for token in range(len(logits))]


def test_sampling_follows_temperature() -> None:
    logits = torch.tensor([0.6, 0.3, 0.1]).log()
    assert frequencies(logits.tolist(), temperature=1.0) == pytest.approx([0.6, 0.3, 0.1], abs=0.025)
    squared = torch.tensor([0.36, 0.09, 0.01]) / 0.46
    assert frequencies(logits.tolist(), temperature=0.5) == pytest.approx(squared.tolist(), abs=0.025)


def test_the_nucleus_is_the_fewest_tokens_that_reach_top_p() -> None:
    logits = torch.tensor([0.1, 0.5, 0.4]).log().tolist()
    assert frequencies(logits, temperature=1.0, top_p=0.8) == pytest.approx([0, 5 / 9, 4 / 9], abs=0.025)
    assert frequencies(logits, temperature=1.0, top_p=0.45) == [0, 1, 0]
    assert frequencies(logits, temperature=1.0, top_p=0.0) == [0, 1, 0]


def test_penalties_count_generated_tokens_also_when_greedy() -> None:
    logits = torch.tensor([[3.0, 2.5, 1.25, 0.0]])
    presence = sampler(presence_penalty=1.5)
    assert [presence.next_tokens(logits).item() for _ in range(5)] == [0, 1, 0, 0, 0]
    frequency = sampler(frequency_penalty=0.6)
    assert [frequency.next_tokens(logits).item() for _ in range(7)] == [0, 1, 0, 1, 0, 1, 2]


def slow_greedy(model: PreTrainedModel, ids: list[int], request: Request) -> list[int]:
    generated: list[int] = []
    while len(generated) < request.max_tokens and EOS not in generated:
        with torch.no_grad():
            logits = model(torch.tensor([ids + generated])).logits[0, -1]
        for token in set(generated):
            logits[token] -= request.presence_penalty + request.frequency_penalty * generated.count(token)
        generated.append(int(logits.argmax()))
    return generated


def test_penalties_stay_with_their_row_when_others_finish() -> None:
    model = random_model("gpt2")
    settings = [(1, 0, 0), (30, 0.5, 0), (2, 0, 3), (30, 0, 0.2), (30, 0, 0), (3, 2, 2), (30, 1, 0.2)]
    requests = [Request("", n, presence_penalty=p, frequency_penalty=f) for n, p, f in settings]
    rows = [Row(request, [7, 8, 9], request.max_tokens) for request in requests]
    Decoder(model).decode(rows, ending)
    assert [row.generated for row in rows] == [slow_greedy(model, [7, 8, 9], r) for r in requests]
    assert len({tuple(row.generated) for row in rows if row.limit == 30}) == 4


# ---- text


def watched(prompt: str, stop: tuple[str, ...], spaces_as_bytes: bool = True) -> tuple[StopWatch, Row, Any]:
    tokenizer = byte_level_tokenizer(spaces_as_bytes=spaces_as_bytes)
    row = Row(Request(prompt, 99, stop=stop), tokenizer(prompt)["input_ids"], 99)
    return StopWatch(tokenizer), row, tokenizer


def fed(watch: StopWatch, row: Row, tokens: list[int]) -> str:
    """The text of a row that is given `tokens` until the watch stops it."""
    for token in tokens:
        row.generated.append(token)
        if watch.has_stopped(row):
            break
    return watch.text(row, row.generated)


@pytest.mark.parametrize(
    ("text", "stop", "expected"),
    [
        ("one two\n\nthree", ("\n\n",), "one two"),
        ("name 15. x\n16. y", ("\n16", "16."), "name 15. x"),
        ("abc🙂🙃def", ("🙃",), "abc🙂"),
        ("naïve Task: x", ("Task:",), "naïve "),
        ("Task: x", ("Task:",), ""),
        ("aXbYc", ("Y", "X"), "a"),
        ("no stop here", ("Example 6",), "no stop here"),
        ("zqxj wvk zqxj wvkp.", ("zqxj wvkp",), "zqxj wvk "),
    ],
)
def test_text_ends_before_the_first_stop_sequence(text: str, stop: tuple[str, ...], expected: str) -> None:
    watch, row, tokenizer = watched("prompt", stop)
    tokens = tokenizer(text)["input_ids"]
    assert fed(watch, row, tokens) == expected
    # And generation ends with the token that completes it.
    lengths = range(1, len(tokens))
    assert len(row.generated) == next(
        (n for n in lengths if any(s in tokenizer.decode(tokens[:n]) for s in stop)), len(tokens)
    )


def test_the_watch_decodes_a_short_tail_only(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, row, tokenizer = watched("prompt", ("\n\nno such thing",))
    lengths = []
    decode = watch._tokenizer.decode
    recorder = SimpleNamespace(decode=lambda ids, **rest: (lengths.append(len(ids)), decode(ids, **rest))[1])
    monkeypatch.setattr(watch, "_tokenizer", recorder)
    for token in tokenizer("The quick brown fox jumps over the lazy dog. " * 40)["input_ids"]:
        row.generated.append(token)
        assert not watch.has_stopped(row)
    assert 2 < max(lengths) < 30


@pytest.mark.parametrize("spaces_as_bytes", [True, False], ids=["spaces as bytes", "spaces as ▁"])
def test_the_space_that_begins_an_answer_is_kept(spaces_as_bytes: bool) -> None:
    watch, row, tokenizer = watched("Output:", (), spaces_as_bytes)
    whole = tokenizer("Output: the longest word")["input_ids"]
    assert whole[: len(row.prompt)] == row.prompt
    assert fed(watch, row, whole[len(row.prompt) :]) == " the longest word"


def test_a_space_as_a_mark_is_found_by_a_stop_sequence() -> None:
    watch, row, tokenizer = watched("Output:", (". ",), spaces_as_bytes=False)
    tokens = tokenizer("Output: a poem about the sea. the wind")["input_ids"][len(row.prompt) :]
    assert fed(watch, row, tokens) == " a poem about the sea"
    assert len(row.generated) < len(tokens)


def forced(llm: LocalLLM, tokens: list[int], monkeypatch: pytest.MonkeyPatch) -> LocalLLM:
    """The model made to say `tokens`, whatever it is asked."""
    script = iter(tokens)
    monkeypatch.setattr(Sampler, "next_tokens", lambda self, logits: torch.tensor([next(script)]))
    return llm


def test_the_end_token_ends_the_text_is_not_in_it_and_counts(
    llm: LocalLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [*byte_level_tokenizer()("short poem")["input_ids"], EOS]
    completion = ask(forced(llm, tokens, monkeypatch), "Write", stop=("never",))
    assert completion == Completion("short poem", "stop", llm.count_tokens("Write"), len(tokens))


def test_an_ordinary_token_that_the_generation_config_ends_with_is_not_in_the_text(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, fox = (byte_level_tokenizer()(word)["input_ids"] for word in ("short", " fox"))
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "generation_config.json").write_text(json.dumps({"eos_token_id": [EOS, fox[0]]}))
    completion = ask(forced(open_local(copy), short + fox, monkeypatch), "Write")
    assert (completion.text, completion.finish_reason) == ("short", "stop")


def test_a_character_cut_by_max_tokens_leaves_no_replacement_mark(
    llm: LocalLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = byte_level_tokenizer()("sea 🦊")["input_ids"]
    completion = ask(forced(llm, tokens, monkeypatch), "Write", max_tokens=len(tokens) - 1)
    assert (completion.text, completion.finish_reason) == ("sea ", "length")


@pytest.mark.parametrize(
    ("given", "cut", "left"), [("sea \ufffd\ufffd", 0, "sea \ufffd\ufffd"), ("a\ufffd🦊", 1, "a\ufffd")]
)
def test_a_replacement_mark_that_the_model_wrote_stays(
    given: str, cut: int, left: str, llm: LocalLLM, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = byte_level_tokenizer()(given)["input_ids"]
    completion = ask(forced(llm, tokens, monkeypatch), "Write", max_tokens=len(tokens) - cut)
    assert (completion.text, completion.finish_reason) == (left, "length")


@pytest.mark.parametrize(
    ("pieces", "unfinished"),
    [
        (["▁sea", "<0xF0>", "<0x9F>"], 2),
        (["<0xF0>", "<0x9F>", "<0xA6>", "<0x8A>"], 0),
        (["▁sea", "\ufffd"], 0),
        (["Ġsea", "ðŁ"], 2),
        (["▁caf", "é"], 1),  # of a vocabulary of words: what is decoded does not end in a mark then
        ([None], 0),
    ],
)
def test_an_unfinished_character_is_told_by_its_bytes(pieces: list[str | None], unfinished: int) -> None:
    assert unfinished_bytes(pieces) == unfinished


# ---- context, chat


def test_the_end_of_the_context_ends_an_answer_with_length(folder: Path) -> None:
    small = open_local(folder, context_length=12)
    room = 12 - small.count_tokens("Name three animals.")
    completion = ask(small, "Name three animals.", max_tokens=50)
    assert (completion.completion_tokens, completion.finish_reason) == (room, "length")


def test_a_prompt_that_fills_the_context_is_refused(llm: LocalLLM) -> None:
    assert llm.context_length == 256
    with pytest.raises(UserError, match=r"a prompt of \d+ tokens leaves no room in its context of 256"):
        llm.submit(Request("animals " * 256, max_tokens=1))


def test_the_tokenizers_limit_counts_where_it_is_smaller(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    settings = json.loads((copy / "tokenizer_config.json").read_text())
    (copy / "tokenizer_config.json").write_text(json.dumps(settings | {"model_max_length": 99}))
    assert open_local(copy).context_length == 99


def test_chat_sends_the_prompt_as_one_user_turn(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = open_local(folder, endpoint="chat")
    prompts: list[list[int]] = []
    monkeypatch.setattr(
        Decoder, "decode", lambda self, rows, ending: prompts.extend(row.prompt for row in rows)
    )
    chat.submit(Request("Name three animals.", 5))
    with pytest.raises((AssertionError, IndexError)):
        chat.next_completion()  # nothing was generated
    text = "<|start|>user\nName three animals.<|end|><|start|>assistant\n"
    assert prompts == [byte_level_tokenizer()(text, add_special_tokens=False)["input_ids"]]
    assert chat.is_chat


def test_an_empty_prompt_begins_at_the_start_token(tmp_path: Path) -> None:
    assert ask(open_local(save_model(tmp_path)), "").prompt_tokens == 1


# ---- the description


def test_a_model_is_described_by_its_weights_not_by_its_path(folder: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    described = open_local(folder).description
    assert open_local(moved).description == described
    assert str(folder.parent) not in json.dumps(described)
    random_model("qwen3").save_pretrained(moved)
    assert open_local(moved).description["weights"] != described["weights"]


def test_all_that_decides_an_answer_is_in_the_description(folder: Path, llm: LocalLLM) -> None:
    for settings in ({"batch_size": 3}, {"endpoint": "chat"}, {"dtype": "bfloat16"}):
        assert open_local(folder, **settings).description != llm.description


# ---- adapters


@pytest.fixture
def adapter(folder: Path, tmp_path: Path) -> Path:
    model = AutoModelForCausalLM.from_pretrained(folder)
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    tuned.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_an_adapter_changes_the_answers_as_peft_says(folder: Path, llm: LocalLLM, adapter: Path) -> None:
    tuned = open_local(folder, adapter=str(adapter))
    reference = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(folder), str(adapter))
    ids = torch.tensor([[9, 10, 11, 12]])
    with torch.no_grad():
        merged = tuned._model(ids).logits
        torch.testing.assert_close(merged, reference(ids).logits, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(merged, llm._model(ids).logits, atol=0.1)
    assert tuned.description["adapter"] != llm.description["adapter"]


def test_a_folder_with_only_an_adapter_finds_its_base_model(folder: Path, adapter: Path) -> None:
    alone = open_local(adapter)
    assert alone.description == open_local(folder, adapter=str(adapter)).description


# ---- errors


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        open_local(tmp_path / "missing")
    with pytest.raises(UserError, match=r"no config\.json"):
        open_local(tmp_path)


def test_a_model_that_is_not_causal_is_refused(tmp_path: Path) -> None:
    byte_level_tokenizer().save_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "vit"}')
    with pytest.raises(UserError, match="cannot be loaded as a language model"):
        open_local(tmp_path)


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    random_model("llama").save_pretrained(tmp_path)
    with pytest.raises(UserError, match="no tokenizer can be loaded"):
        open_local(tmp_path)


def test_weights_that_are_not_safetensors_are_refused(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "copy")
    (copy / "model.safetensors").unlink()
    torch.save(random_model("llama").state_dict(), copy / "pytorch_model.bin")
    with pytest.raises(UserError, match="with safetensors weights"):
        open_local(copy)


def test_chat_without_a_template_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no chat template.*use llm\.endpoint=completions"):
        open_local(save_model(tmp_path), endpoint="chat")


def test_a_wrong_adapter_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"llm\.adapter=.*holds no LoRA adapter"):
        open_local(folder, adapter=str(tmp_path))
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "r": 4}')
    with pytest.raises(UserError, match=r"llm\.adapter=.*cannot be put on the model"):
        open_local(folder, adapter=str(tmp_path))


def test_a_wrong_dtype_or_device_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"llm\.dtype: 'int8'"):
        open_local(folder, dtype="int8")
    with pytest.raises(UserError, match=r"llm\.device=fast: no such device"):
        open_local(folder, device="fast")
    if not torch.cuda.is_available():
        with pytest.raises(UserError, match=r"llm\.device=cuda"):
            open_local(folder, device="cuda")
