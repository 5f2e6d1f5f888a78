"""Forms to rate in other tools: a workbook for each rater, and projects for Label Studio and Argilla.

python scripts/rating_forms.py run_dir=runs/forms 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from eval.annotate.assignment import Placed, list_digest, slot_choices
from eval.ratings import MEANINGS, QUESTIONS, RATING
from eval.workbooks import Sheet, write_workbook
from selfinstruct.jsonl import replace_json, replace_text

FORMS = ("xlsx", "label_studio", "argilla")
KEY = "key.json"
EVERYONE = "everyone"  # whose list the projects hold: who rates there is known by that tool alone
GUIDELINES = (
    "Rate each answer by itself: would it satisfy the person who asked? It need not look like the reference."
)
REVIEW_GUIDELINES = "Three questions about a task that a model wrote. Answer each by itself."
_WIDTHS = {
    "instruction": 40,
    "input": 40,
    "reference": 40,
    "output": 60,
    "answer": 60,
    "note": 30,
    "question": 30,
}


def answer_key(lists: Mapping[str, Sequence[Placed]]) -> dict[str, Any]:
    """What each list's places stand for: rater -> digest of the list and, by position, item, round, slots."""
    return {
        rater: {
            "list": list_digest(placed),
            "items": [
                {
                    "item": each.item.id,
                    "round": each.round,
                    "slots": [[slot.system, slot.question] for slot in each.item.slots],
                }
                for each in placed
            ],
        }
        for rater, placed in lists.items()
    }


def form_id(placed: Sequence[Placed], position: int) -> str:
    """What a row or task is known by when it comes back: the list's digest and the position, no name."""
    return f"{list_digest(placed)}-{position}"


def write_workbooks(folder: Path, lists: Mapping[str, Sequence[Placed]]) -> None:
    """`<rater>.xlsx` for each: a row an answer, a list of levels to choose from, and the rubric."""
    for rater, placed in lists.items():
        rows = [row for position in range(len(placed)) for row in _rows(placed, position)]
        choices = slot_choices(placed[0], 0)
        meanings = MEANINGS if len(choices) > 2 else QUESTIONS
        rubric = [{"": key, "meaning": meaning} for key, meaning in meanings.items()]
        sheets = [
            Sheet("ratings", rows, _WIDTHS, {"rating": choices}, hidden=("id", "rater")),
            Sheet("rubric", [{"": "", "meaning": _guidelines(placed)}, *rubric], {"meaning": 100}),
        ]
        for row in rows:
            row["rater"] = rater
        write_workbook(folder / f"{rater}.xlsx", sheets)


def _rows(placed: Sequence[Placed], position: int) -> list[dict[str, Any]]:
    shown = _texts(placed[position])
    rows: list[dict[str, Any]] = []
    for number, slot in enumerate(placed[position].item.slots):
        about = {"answer": slot.text} if slot.text is not None else {"question": QUESTIONS[slot.question]}
        place = {"id": f"{form_id(placed, position)}.{number}"}
        rows.append({"item": position + 1, **shown, **about, "rating": None, "note": None, **place})
    return rows


def _texts(placed: Placed) -> dict[str, str]:
    item = placed.item
    texts = {"instruction": item.instruction, "input": item.input or "(no input)"}
    if item.output is not None:
        texts["output"] = item.output or "(empty)"
    if item.reference is not None:
        texts["reference"] = item.reference
    return texts


def _answers(placed: Placed) -> dict[str, str]:
    return {
        f"answer_{number}": slot.text or "(the answer is empty)"
        for number, slot in enumerate(placed.item.slots, start=1)
        if slot.text is not None
    }


def _guidelines(placed: Sequence[Placed]) -> str:
    return GUIDELINES if placed[0].item.slots[0].question == RATING else REVIEW_GUIDELINES


def _controls(placed: Placed) -> list[tuple[str, str, dict[str, str], str]]:
    """Of each slot: its number, its title, its choices (value -> words), and the text it is about."""
    several = len(placed.item.slots)
    controls = []
    for number, slot in enumerate(placed.item.slots, start=1):
        is_answer = slot.text is not None
        words = {
            choice: f"{choice}: {MEANINGS[choice]}" if is_answer else choice
            for choice in slot_choices(placed, number - 1)
        }
        title = f"Answer {number} of {several}" if is_answer else QUESTIONS[slot.question]
        controls.append((str(number), title, words, f"answer_{number}" if is_answer else "output"))
    return controls


def write_label_studio(folder: Path, placed: Sequence[Placed]) -> None:
    """`tasks.json` to import, and `labeling_config.xml` for the project's labelling interface."""
    tasks = [
        {"data": {"id": form_id(placed, position), **_texts(each), **_answers(each)}}
        for position, each in enumerate(placed)
    ]
    replace_json(folder / "tasks.json", tasks)
    replace_text(folder / "labeling_config.xml", _labelling_config(placed))


def _labelling_config(placed: Sequence[Placed]) -> str:
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Style").text = ".htx-text { white-space: pre-wrap; }"
    ElementTree.SubElement(view, "Header", value=_guidelines(placed), size="5")

    def text(name: str, title: str) -> None:
        ElementTree.SubElement(view, "Header", value=title, size="5")
        ElementTree.SubElement(view, "Text", name=name, value=f"${name}", selectionEnabled="false")

    for name in _texts(placed[0]):
        text(name, name.capitalize())
    for number, title, choices, about in _controls(placed[0]):
        if about == "output":
            ElementTree.SubElement(view, "Header", value=title, size="5")
        else:
            text(about, title)
        options = {"choice": "single", "required": "true", "requiredMessage": f"{title}: not rated yet"}
        chosen = ElementTree.SubElement(
            view, "Choices", {"name": f"rating_{number}", "toName": about, **options}
        )
        for value, words in choices.items():
            # In the exported file the alias stands for the choice.
            ElementTree.SubElement(chosen, "Choice", value=words, alias=value)
        note = {"name": f"note_{number}", "toName": about, "placeholder": "A note", "maxSubmissions": "1"}
        ElementTree.SubElement(view, "TextArea", note)
    ElementTree.indent(view)
    return ElementTree.tostring(view, encoding="unicode") + "\n"


def write_argilla(folder: Path, placed: Sequence[Placed], raters_an_item: int) -> None:
    """`settings.json` for `rg.Settings.from_json`, `records.json` for `dataset.records.from_json`."""
    records = [
        {"id": form_id(placed, position), "fields": {**_texts(each), **_answers(each)}}
        for position, each in enumerate(placed)
    ]
    fields = [
        {
            "name": name,
            "title": name.replace("_", " ").capitalize(),
            "required": True,
            "settings": {"type": "text", "use_markdown": False},
        }
        for name in records[0]["fields"]
    ]
    questions: list[dict[str, Any]] = []
    for number, title, choices, _ in _controls(placed[0]):
        options = [{"value": value, "text": words} for value, words in choices.items()]
        questions += [
            {
                "name": f"rating_{number}",
                "title": title,
                "required": True,
                "settings": {"type": "label_selection", "options": options},
            },
            {
                "name": f"note_{number}",
                "title": f"Note: {title}",
                "required": False,
                "settings": {"type": "text", "use_markdown": False},
            },
        ]
    settings = {
        "guidelines": _guidelines(placed),
        "allow_extra_metadata": False,
        "distribution": {"strategy": "overlap", "min_submitted": raters_an_item},
        "fields": fields,
        "questions": questions,
        "vectors": [],
        "metadata": [],
    }
    replace_json(folder / "settings.json", settings)
    replace_json(folder / "records.json", records)
