"""Small models of real architectures with random weights, and tokenizers trained on a few sentences."""

from pathlib import Path

import torch
import transformers as tf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

SENTENCES = [
    "Write a short poem about the sea, the wind and a ship.",
    "1. Name three animals.\n2. Translate the word naïve into German: 你好, 世界! 🙂🙃",
    "Input: a list of words\nOutput: the longest word\n\nTask: sort the list 12 14 16 18",
    "Class label: positive\nThe quick brown fox jumps over the lazy dog, again and again.",
]
CHAT_TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
SPECIAL = ["<pad>", "<s>", "</s>", "<|start|>", "<|end|>"]
SHARED = {
    "vocab_size": 400,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "initializer_range": 0.3,
}
SIZES = SHARED | {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}


def byte_level_tokenizer(chat: bool = False, spaces_as_bytes: bool = True) -> tf.PreTrainedTokenizerFast:
    """A byte-level BPE like GPT-2's, or (not `spaces_as_bytes`) one with `▁` for spaces like Llama 2's.

    With `chat` it has a template and puts `<s>` before a text, which the template must not repeat.
    """
    tokenizer = Tokenizer(models.BPE())
    alphabet = pre_tokenizers.ByteLevel.alphabet() if spaces_as_bytes else []
    if spaces_as_bytes:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
        tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES * 2, trainer)
    fast = tf.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        additional_special_tokens=["<|start|>", "<|end|>"],
    )
    if chat:
        fast.chat_template = CHAT_TEMPLATE
        fast.backend_tokenizer.post_processor = processors.TemplateProcessing("<s> $A", None, [("<s>", 1)])
    return fast


def random_model(name: str) -> tf.PreTrainedModel:
    """A model of that architecture, the same weights on each call; biases too are not zero."""
    torch.manual_seed(0)
    hybrid = ["conv", "conv", "full_attention"]
    gpt2 = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256}
    match name:
        case "llama":
            model = tf.LlamaForCausalLM(tf.LlamaConfig(**SIZES))
        case "gpt2":
            model = tf.GPT2LMHeadModel(tf.GPT2Config(**SHARED, **gpt2))
        case "gpt neox":
            model = tf.GPTNeoXForCausalLM(tf.GPTNeoXConfig(**SIZES))
        case "gemma2":  # scores and logits squeezed by tanh, every second layer sees a window
            model = tf.Gemma2ForCausalLM(tf.Gemma2Config(**SIZES, head_dim=8, sliding_window=8))
        case "bloom":  # no positions: it counts distances
            model = tf.BloomForCausalLM(tf.BloomConfig(**SHARED, hidden_size=32, n_layer=2, n_head=4))
        case "rwkv":
            model = tf.RwkvForCausalLM(tf.RwkvConfig(**SHARED, hidden_size=32, num_hidden_layers=2))
        case "qwen2":
            model = tf.Qwen2ForCausalLM(tf.Qwen2Config(**SIZES))
        case "qwen3":
            model = tf.Qwen3ForCausalLM(tf.Qwen3Config(**SIZES, head_dim=8))
        case "lfm2":
            model = tf.Lfm2ForCausalLM(tf.Lfm2Config(**SIZES, layer_types=hybrid))
        case "lfm2 with biases":
            model = tf.Lfm2ForCausalLM(tf.Lfm2Config(**SIZES, layer_types=hybrid, conv_bias=True))
        case "sliding window":
            model = tf.MistralForCausalLM(tf.MistralConfig(**SIZES, sliding_window=8))
        case "linear attention":
            sizes = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 8}
            experts = {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16}
            kinds = ["linear_attention", "full_attention", "linear_attention"]
            config = tf.Qwen3NextConfig(
                **SIZES,
                **sizes,
                **experts,
                head_dim=8,
                linear_value_head_dim=8,
                shared_expert_intermediate_size=16,
                layer_types=kinds,
            )
            model = tf.Qwen3NextForCausalLM(config)
        case "mamba":
            sizes = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}
            model = tf.MambaForCausalLM(tf.MambaConfig(**SHARED, **sizes))
        case _:
            raise ValueError(name)
    with torch.no_grad():
        for parameter_name, parameter in model.named_parameters():
            if parameter_name.endswith("bias"):
                parameter.normal_(0, 0.3)
    return model.eval()


def save_model(folder: Path, name: str = "llama", chat: bool = False) -> Path:
    """Write a random model and its tokenizer to a folder."""
    random_model(name).save_pretrained(folder)
    byte_level_tokenizer(chat).save_pretrained(folder)
    return folder
