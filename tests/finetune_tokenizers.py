"""One tokenizer of each family, built from a few sentences: what they do at the ends of a text differs."""

import json

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = [
    "Sort these words.\n\nInput: tree fish\nOutput: fish tree",
    "Task: Say the colour of the sun.\n\nyellow",
    "Repeat the last word.\nInput: red blue cat dog moon\n\nOutput: moon",
    "Definition: Name two animals. Now complete the following example - Input: . Output: cat and dog",
]
LLAMA_3_SPLIT = r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def gpt2() -> PreTrainedTokenizerFast:
    """Byte-level BPE; a word's blank belongs to its token; nothing is put around a text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXTS, _bytes(["<|endoftext|>"]))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|endoftext|>")


def llama_3() -> PreTrainedTokenizerFast:
    """Byte-level BPE; punctuation takes the line breaks behind it along; a BOS before a text."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    split = pre_tokenizers.Split(Regex(LLAMA_3_SPLIT), "isolated")
    plain_bytes = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, plain_bytes])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(TEXTS, _bytes(["<|begin_of_text|>", "<|end_of_text|>"]))
    return _around(tokenizer, "<|begin_of_text|> $A", bos="<|begin_of_text|>", eos="<|end_of_text|>")


def llama_2(bos: bool = True) -> PreTrainedTokenizerFast:
    """SentencePiece BPE: a blank is put before every text, bytes stand in for unknown characters; a BOS."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(
        "▁", "merged_with_next"
    )  # for training: no merges of words
    blank = decoders.Replace("▁", " ")
    tokenizer.decoder = decoders.Sequence(
        [blank, decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    special = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([text.replace("\n", " ") for text in TEXTS], trainer)
    tokenizer = _without_added_bytes(tokenizer)
    form = "<s> $A" if bos else "$A"
    return _around(tokenizer, form, bos="<s>", eos="</s>", unk_token="<unk>")


def t5() -> PreTrainedTokenizerFast:
    """Unigram; all white space is one blank; no BOS, and an end token behind a text."""
    tokenizer = _unigram(["<pad>", "</s>", "<unk>"])
    return _around(tokenizer, "$A </s>", eos="</s>", pad_token="<pad>", unk_token="<unk>")


def xlnet() -> PreTrainedTokenizerFast:
    """Unigram; two special tokens behind a text, none of them the end token."""
    tokenizer = _unigram(["<unk>", "<s>", "</s>", "<cls>", "<sep>"])
    special = {"unk_token": "<unk>", "cls_token": "<cls>", "sep_token": "<sep>"}
    return _around(tokenizer, "$A <sep> <cls>", bos="<s>", eos="</s>", **special)


def bert() -> PreTrainedTokenizerFast:
    """WordPiece: lower case, white space is lost; a token before a text and one behind it."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    names = {"unk_token": "[UNK]", "cls_token": "[CLS]", "pad_token": "[PAD]"}
    return _around(tokenizer, "[CLS] $A [SEP]", eos="[SEP]", **names)


def merging() -> PreTrainedTokenizerFast:
    """BPE without any split of words: `Output:`, blank and answer merge into one token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["</s>"], show_progress=False)
    tokenizer.train_from_iterator(
        [*TEXTS, *["Output: fish tree", "\nfish tree", "\n\nfish tree"] * 20], trainer
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>")


def _bytes(special: list[str]) -> trainers.BpeTrainer:
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    return trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )


def _unigram(special: list[str]) -> Tokenizer:
    # The words of the texts with the blank before them, and every character: a trainer would need more text.
    words = dict.fromkeys(f"▁{word}" for text in TEXTS for word in text.split())
    letters = dict.fromkeys("▁" + "".join(TEXTS).replace("\n", ""))
    pieces = [(token, 0.0) for token in special] + [(word, -2.0) for word in words]
    pieces += [(letter, -5.0) for letter in letters if letter != " "]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special.index("<unk>")))
    squeeze = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), squeeze])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


def _without_added_bytes(tokenizer: Tokenizer) -> Tokenizer:
    """The byte tokens as plain entries of the vocabulary, as SentencePiece has them."""
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [
        token for token in state["added_tokens"] if not token["content"].startswith("<0x")
    ]
    state["pre_tokenizer"] = None
    return Tokenizer.from_str(json.dumps(state))


def _around(
    tokenizer: Tokenizer, form: str, eos: str, bos: str | None = None, **names: str
) -> PreTrainedTokenizerFast:
    special = [(word, tokenizer.token_to_id(word)) for word in form.split() if word != "$A"]
    tokenizer.post_processor = processors.TemplateProcessing(single=form, special_tokens=special)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos, **names)
