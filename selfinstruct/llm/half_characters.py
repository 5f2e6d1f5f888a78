"""The character that an answer's last token leaves unfinished: told by its bytes, not by what stands for it.

With a byte-level tokenizer `max_tokens` can cut an answer inside a character of several bytes. Decoded, that
half is U+FFFD, which a model may also write of its own: only the first is no part of the answer.
"""

import codecs
import re
from collections.abc import Sequence

from transformers.convert_slow_tokenizer import bytes_to_unicode

LONGEST_HALF = 3  # bytes, and so tokens, of an unfinished character
_BYTE_TOKEN = re.compile(r"<0x([0-9A-F]{2})>")
_BYTES = {character: byte for byte, character in bytes_to_unicode().items()}


def unfinished_bytes(pieces: Sequence[str | None]) -> int:
    """How many bytes at the end of the last tokens begin a character.

    Args:
        pieces: the tokens as the vocabulary writes them; None for a number that it does not hold.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(b"".join(_bytes(piece or "") for piece in pieces))
    return len(decoder.getstate()[0])


def is_byte(piece: str | None) -> bool:
    """Whether a token stands for one byte (`<0xE2>`): such are decoded all together or not at all."""
    return _BYTE_TOKEN.fullmatch(piece or "") is not None


def _bytes(piece: str) -> bytes:
    if found := _BYTE_TOKEN.fullmatch(piece):
        return bytes.fromhex(found[1])
    if all(character in _BYTES for character in piece):
        return bytes(_BYTES[character] for character in piece)
    return piece.encode(errors="replace")
