"""Encoder-decoder models (T5, BART): the same greedy tokens as transformers' own generation, batched."""

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as tf
from peft import LoraConfig, get_peft_model
from small_models import SENTENCES, SHARED, byte_level_tokenizer
from tokenizers import processors

from eval.fitting import fit_prompt
from eval.superni_tasks import Sample
from selfinstruct.errors import UserError
from selfinstruct.llm.base import Completion, LLMConfig, Request, complete_in_order
from selfinstruct.llm.local import LocalLLM

SIZES = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4}
BART = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 4}
BART |= {"decoder_attention_heads": 4, "encoder_ffn_dim": 64, "decoder_ffn_dim": 64}


def save_model(folder: Path, kind: str = "t5") -> Path:
    """A random model in the shape of T5 1.1 (as T5-LM, T0 and Tk-Instruct) or BART; `</s>` ends a prompt."""
    torch.manual_seed(0)
    shared: dict[str, Any] = SHARED | {"decoder_start_token_id": 0}
    model: tf.PreTrainedModel
    if kind == "t5":
        shape = {"feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}
        model = tf.T5ForConditionalGeneration(tf.T5Config(**shared, **SIZES, **shape))
        for parameter in model.parameters():
            parameter.data.mul_(8 if parameter.dim() > 1 else 1)
    else:
        shape = {"max_position_embeddings": 64, "init_std": 0.3, "forced_eos_token_id": None}
        model = tf.BartForConditionalGeneration(tf.BartConfig(**shared, **BART, **shape))
    model.save_pretrained(folder)
    tokenizer = byte_level_tokenizer(spaces_as_bytes=False)
    ends = processors.TemplateProcessing("$A </s>", None, [("</s>", 2)])
    tokenizer.backend_tokenizer.post_processor = ends
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("t5"))


def open_llm(folder: Path, **settings: Any) -> LocalLLM:
    return LocalLLM(LLMConfig("local", str(folder), **settings), str(folder))


def ask(llm: LocalLLM, *prompts: str, **settings: Any) -> list[Completion]:
    return list(
        complete_in_order(llm, [Request(prompt, **({"max_tokens": 20} | settings)) for prompt in prompts])
    )


@pytest.mark.parametrize("kind", ["t5", "bart"])
def test_a_batch_answers_as_transformers_does_one_by_one(kind: str, tmp_path: Path) -> None:
    folder = save_model(tmp_path, kind)
    llm = open_llm(folder)
    model = tf.AutoModelForSeq2SeqLM.from_pretrained(folder).eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    prompts = [*(text[:40] for text in SENTENCES), "Output: "]
    answers = ask(llm, *prompts)
    assert len({answer.text for answer in answers}) > 2
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        tokens = model.generate(ids, do_sample=False, num_beams=1, max_new_tokens=20)[0]
        assert answer.text == tokenizer.decode(tokens, skip_special_tokens=True)
        assert answer.prompt_tokens == ids.shape[1]
        assert answer.finish_reason == ("stop" if 2 in tokens.tolist() else "length")


def test_prompt_and_answer_have_each_a_context_of_their_own(t5: Path) -> None:
    llm = open_llm(t5, context_length=30)
    assert llm.is_encoder_decoder
    assert llm.room_for(1000) == 30
    assert ask(llm, "Name three animals.", max_tokens=60)[0].completion_tokens > 30
    with pytest.raises(UserError, match="leaves no room in its context of 30 tokens"):
        ask(llm, "Name three animals. " * 20)


def test_without_a_limit_of_its_own_a_prompt_may_be_as_long_as_tk_instructs(t5: Path, tmp_path: Path) -> None:
    assert open_llm(t5).context_length == 1024
    assert open_llm(save_model(tmp_path, "bart")).context_length == 64


def test_a_stop_sequence_ends_an_answer(t5: Path) -> None:
    llm = open_llm(t5)
    whole = ask(llm, SENTENCES[0])[0].text
    stop = whole[len(whole) // 2 :][:2]
    assert ask(llm, SENTENCES[0], stop=(stop,))[0].text == whole[: whole.index(stop)]


def test_tk_def_keeps_its_trailing_blank_for_an_encoder_decoder(t5: Path) -> None:
    sample = Sample("t-1", "t", "Word Analogy", "default", "Say yes", "one", ("yes",))
    prompt = fit_prompt(sample, "tk-def", open_llm(t5), 1024).text
    assert prompt == "Definition: Say yes.\n\nNow complete the following example -\nInput: one.\nOutput: "
    assert fit_prompt(sample, "self-instruct", open_llm(t5), 1024).text.endswith("\nOutput:")


def test_an_adapter_changes_the_answers(t5: Path, tmp_path: Path) -> None:
    model = tf.AutoModelForSeq2SeqLM.from_pretrained(t5)
    config = LoraConfig(r=4, target_modules=["q", "v"], init_lora_weights=False, task_type="SEQ_2_SEQ_LM")
    torch.manual_seed(1)
    get_peft_model(model, config).save_pretrained(tmp_path)
    adapted = open_llm(t5, adapter=str(tmp_path))
    assert ask(adapted, *SENTENCES) != ask(open_llm(t5), *SENTENCES)
