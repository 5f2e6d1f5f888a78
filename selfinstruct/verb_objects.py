"""The root verb of an instruction and its first direct noun object (paper, section 4, "Diversity").

The paper used a neural parser. Here a spaCy model reads the instructions where one is installed
(`pip install spacy`, `python -m spacy download en_core_web_sm`); else hand-written rules do, which know how
English requests are put and about 400 verbs.
"""

import importlib.metadata
import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfinstruct.english_requests import Pair, read_by_rules
from selfinstruct.errors import UserError

NUM_VERBS, NUM_OBJECTS = 20, 4  # of the paper's chart
AUTO, RULES = "auto", "rules"
_SPACY_MODELS = ("en_core_web_sm", "en_core_web_md", "en_core_web_lg", "en_core_web_trf")


@dataclass(frozen=True)
class Reader:
    """Reads instructions, None where one has no such pair; `name` says in captions what did."""

    name: str
    read: Callable[[Sequence[str]], list[Pair | None]]


def open_reader(parser: str) -> Reader:
    """The reader that `statistics.parser` names.

    Args:
        parser: "rules", the name (or folder) of a spaCy model, or "auto": the first English spaCy model
            that is installed, else the rules.

    Raises:
        UserError: the spaCy model that was named is not installed, or cannot be loaded.
    """
    if parser == AUTO:
        installed = [name for name in _SPACY_MODELS if importlib.util.find_spec(name)]
        has_spacy = importlib.util.find_spec("spacy") is not None
        parser = installed[0] if installed and has_spacy else RULES
    if parser == RULES:
        return Reader(
            "hand-written rules with a small lemmatiser",
            lambda texts: [read_by_rules(text) for text in texts],
        )
    return _spacy_reader(parser)


def count_pairs(pairs: Iterable[Pair | None]) -> dict[str, Any]:
    """How many instructions have a pair, and the 20 most common verbs with their 4 most common objects.

    Equal counts stand in alphabetical order.
    """
    read = list(pairs)
    found = [pair for pair in read if pair is not None]
    verbs = _most_common((verb for verb, _ in found), NUM_VERBS)
    top = [
        {
            "verb": verb,
            "count": count,
            "objects": [
                {"object": noun, "count": times}
                for noun, times in _most_common((o for v, o in found if v == verb), NUM_OBJECTS)
            ],
        }
        for verb, count in verbs
    ]
    shown = sum(entry["count"] for verb in top for entry in verb["objects"])  # type: ignore[attr-defined]
    return {
        "instructions": len(read),
        "with_pair": len(found),
        "distinct_pairs": len(set(found)),
        "shown": shown,
        "shown_share": round(shown / len(read), 4) if read else 0.0,
        "top": top,
    }


def _most_common(words: Iterable[str], how_many: int) -> list[tuple[str, int]]:
    return sorted(Counter(words).items(), key=lambda item: (-item[1], item[0]))[:how_many]


# ---- spaCy


def _spacy_reader(model: str) -> Reader:
    advice = f"python -m spacy download {model}, or statistics.parser=rules"
    if importlib.util.find_spec("spacy") is None:
        raise UserError(
            f"statistics.parser={model}: spaCy is not installed; pip install spacy, then {advice}"
        )
    import spacy

    try:
        language = spacy.load(model)
    except (OSError, ValueError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"statistics.parser={model}: cannot be loaded ({reason}); {advice}") from error
    version = importlib.metadata.version("spacy")
    name = f"spaCy {version}, model {Path(model).name} {language.meta.get('version', '')}".rstrip()

    def read(texts: Sequence[str]) -> list[Pair | None]:
        return [_pair_of_parse(parsed) for parsed in language.pipe(texts)]

    return Reader(name, read)


def _pair_of_parse(parsed: Any) -> Pair | None:
    """Of the first sentence with a verb: the verb closest to the root, and its first direct noun object."""
    for sentence in parsed.sents:
        for token in _breadth_first(sentence.root):
            if token.pos_ == "VERB":
                for child in token.children:
                    if child.dep_ in ("dobj", "obj") and child.pos_ == "NOUN":
                        return token.lemma_.lower(), child.lemma_.lower()
                return None
    return None


def _breadth_first(root: Any) -> Iterator[Any]:
    level = [root]
    while level:
        yield from level
        level = [child for token in level for child in token.children]
