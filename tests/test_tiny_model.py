"""The shipped model is the one its card describes; it continues prompts and does not follow instructions."""

import json
import re
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfinstruct.encoding import evaluation_prompt
from selfinstruct.llm.tiny import benchmark, build, demo, probe
from selfinstruct.llm.tiny.card import write_card
from selfinstruct.llm.tiny.documents import write_document
from selfinstruct.llm.tiny.training import CONTEXT, Recipe
from selfinstruct.llm.tiny.world import recognise
from selfinstruct.prompts import Prompts

FOLDER = Path(build.__file__).parent
MODEL = FOLDER / "model"


@pytest.fixture(scope="module")
def facts() -> dict:
    return json.loads((MODEL / "build.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(MODEL)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(MODEL, trust_remote_code=False).eval()


@pytest.fixture(scope="module")
def prompts() -> Prompts:
    return Prompts.from_dict(yaml.safe_load(demo.PROMPTS_PATH.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def seeds() -> list[dict]:
    return [json.loads(line) for line in demo.SEEDS_PATH.read_text(encoding="utf-8").splitlines()]


@torch.no_grad()
def continued(model, tokenizer, prompt: str, max_new_tokens: int) -> str:
    ids = tokenizer(prompt, return_tensors="pt")
    written = model.generate(**ids, max_new_tokens=max_new_tokens)
    return tokenizer.decode(written[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)


def test_the_files_are_the_ones_that_were_built(facts):
    assert {name: build.sha256(MODEL / name) for name in facts["sha256"]} == facts["sha256"]
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 10_000_000


def test_the_recipe_and_the_training_text_are_still_those_of_the_build(facts):
    recipe = Recipe()
    assert facts["recipe"] == recipe.to_json()
    assert facts["documents_digest"] == build.documents_digest(recipe.seed)
    assert facts["training_tokens"] == recipe.steps * recipe.rows_per_step * CONTEXT
    assert 0 < facts["final_loss"] < 1


def test_the_card_holds_the_numbers_of_the_build(facts, tmp_path):
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    (tmp_path / "model").symlink_to(MODEL)
    write_card(facts, tmp_path / "README.md")
    assert card == (tmp_path / "README.md").read_text(encoding="utf-8")
    assert facts["sha256"]["model.safetensors"] in card and f"{facts['parameters']:,}" in card


def test_the_model_is_a_stock_architecture_of_about_a_million_parameters(facts, model, tokenizer):
    assert type(model).__module__ == "transformers.models.lfm2.modeling_lfm2"
    assert sum(p.numel() for p in model.parameters()) == facts["parameters"] < 2_000_000
    assert len(tokenizer) == facts["vocabulary"] == model.config.vocab_size
    assert tokenizer.model_max_length == CONTEXT == model.config.max_position_embeddings


@pytest.mark.parametrize(
    "text", ["Task: Reverse the list.\n\nInput: fox, cat", "naïve \t 漢字 {x}  \n", " 12 + 31 = 43", ""]
)
def test_any_text_survives_the_tokenizer(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_words_of_the_world_are_one_token_and_the_special_tokens_differ(tokenizer):
    for word in (" fox", " Rome", " lemonade", " 30", " Reverse", " strawberry"):
        assert len(tokenizer(word)["input_ids"]) == (1 if word != " strawberry" else len(word)), word
    assert tokenizer.eos_token_id == tokenizer.bos_token_id != tokenizer.pad_token_id


def test_chat_template_marks_turns(tokenizer):
    turns = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes."}]
    assert tokenizer.apply_chat_template(turns, tokenize=False) == "User: Hi.\nAssistant: Yes.<|endoftext|>\n"
    assert (
        tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
        == "User: Hi.\nAssistant:"
    )


def test_every_prompt_fits_the_context_with_its_answer(tokenizer, prompts, seeds):
    longest = sorted((seed["instruction"] for seed in seeds), key=len)[-8:]
    # Drawn together, the eight longest seeds still leave room for as many tasks of a usual length.
    usual = sorted(len(tokenizer(seed["instruction"])["input_ids"]) for seed in seeds)[len(seeds) // 2]
    assert len(tokenizer(prompts.render_instructions(longest))["input_ids"]) + 8 * usual <= CONTEXT
    for instruction in longest:
        assert len(tokenizer(prompts.render_classification(instruction))["input_ids"]) <= CONTEXT - 3
        for is_classification in (True, False):
            assert (
                len(tokenizer(prompts.render_instances(instruction, is_classification))["input_ids"])
                <= CONTEXT - 100
            )


def test_the_prompts_have_the_form_of_the_training_text(prompts, seeds):
    kinds = {}
    for index in range(300):
        document = write_document(0, index)
        kinds.setdefault(document.kind, []).append(document.text)
    instruction = seeds[0]["instruction"]
    for kind, prompt in (
        ("task_list", prompts.render_instructions([instruction] * 8)),
        ("classification", prompts.render_classification(instruction)),
        ("input_first", prompts.render_instances(instruction, False)),
        ("output_first", prompts.render_instances(instruction, True)),
    ):
        heading = re.match(r".+\n+(?:Task: |1\. )", prompt)[0]
        assert sum(text.startswith(heading) for text in kinds[kind]) > len(kinds[kind]) // 2, kind


def test_the_model_writes_tasks_of_the_world(model, tokenizer, prompts, seeds):
    answer = continued(
        model, tokenizer, prompts.render_instructions([s["instruction"] for s in seeds[:8]]), 120
    )
    tasks = [recognise(piece.strip()) for piece in re.split(r"\n\d+\. ", answer)[:-1]]
    assert len(tasks) >= 3
    assert sum(task is not None for task in tasks) >= 0.6 * len(tasks)


def test_the_model_judges_what_is_classification(model, tokenizer, prompts, seeds):
    shown = seeds[::4]
    answers = [continued(model, tokenizer, prompts.render_classification(s["instruction"]), 1) for s in shown]
    right = sum(
        answer.strip() == ("Yes" if s["is_classification"] else "No")
        for answer, s in zip(answers, shown, strict=True)
    )
    assert right >= 0.9 * len(shown)


def test_the_share_of_right_outputs_is_the_one_of_the_build(facts, model, tokenizer):
    for key, held_out in (("tasks_of_the_training_text", False), ("held_out_tasks", True)):
        measured = probe.share_exactly_right(model, tokenizer, held_out, num_prompts=100)
        assert measured == pytest.approx(facts["share_exactly_right"][key], abs=0.1)


def test_the_model_does_not_stop_after_the_answer_to_a_bare_instruction(model, tokenizer):
    tasks = benchmark.benchmark_tasks()[::4]
    stopped = 0
    for number, task in enumerate(tasks, start=1):
        example = benchmark.task_file(number, task)["Instances"][0]
        prompt = evaluation_prompt("self-instruct", benchmark.definition_of(task), example["input"])
        stopped += continued(model, tokenizer, prompt, 30).strip() == example["output"][0]
    assert stopped <= 1
