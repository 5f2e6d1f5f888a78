"""The tokens of the xlingual track: GPT-2's byte pairs, loaded only when that track is scored.

python scripts/eval_superni.py track=xlingual xlingual_tokenizer=PATH_OR_HUB_ID predictions=predictions.jsonl
"""

from dataclasses import dataclass

from selfinstruct.errors import UserError
from selfinstruct.rouge import Tokenize
from selfinstruct.settings import digest

_SPACE_MARK = "Ġ"  # how byte-level tokenizers write the blank in front of a word


@dataclass(frozen=True)
class BytePairs:
    """A byte-level tokenizer as the official xlingual scores use it.

    Attributes:
        tokenize: text to pieces without the marks of blanks in front of them, case kept, not stemmed; a
            piece that is nothing but such a mark stays, as the empty text.
        sha256: of the tokenizer's vocabulary and merges.
    """

    tokenize: Tokenize
    sha256: str


def load_byte_pairs(source: str) -> BytePairs:
    """Load a byte-level tokenizer (GPT-2's for the official scores) from a folder or a hub.

    Raises:
        UserError: it cannot be loaded, or is not byte-level.
    """
    from transformers import AutoTokenizer

    advice = "give GPT-2's tokenizer by folder or hub id (xlingual_tokenizer=openai-community/gpt2)"
    try:
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError, KeyError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(f"xlingual_tokenizer: {source} cannot be loaded ({reason}); {advice}") from error
    if not any(piece.startswith(_SPACE_MARK) for piece in tokenizer.tokenize("a b")):
        raise UserError(f"xlingual_tokenizer: {source} is no byte-level tokenizer; {advice}")

    def tokenize(text: str) -> list[str]:
        return [piece.lstrip(_SPACE_MARK) for piece in tokenizer.tokenize(text)]

    return BytePairs(tokenize, digest(tokenizer.backend_tokenizer.to_str()))
