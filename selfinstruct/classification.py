"""Stage 2: the model says of each instruction whether it is a classification task (paper, section 2.2)."""

from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.asking import AskingBar
from selfinstruct.errors import UserError
from selfinstruct.fitting import FewShot
from selfinstruct.instruction_files import INSTRUCTIONS, check_same_order
from selfinstruct.llm.base import LLM, Request, complete_in_order
from selfinstruct.parsing import ParsingRules, parse_classification
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Query
from selfinstruct.runs import RunFolder

CLASSIFICATION = "is_clf_or_not.jsonl"
# The released stages 3 and 4 look for this name, whatever model answered.
RELEASED_CLASSIFICATION = "is_clf_or_not_davinci_template_1.jsonl"


class ClassificationStage:
    """Asks about every instruction of the run folder, in order; answers are kept as the model gave them."""

    def __init__(self, run: RunFolder, llm: LLM, prompts: Prompts, query: Query, released: bool) -> None:
        self._run, self._llm, self._prompts, self._query = run, llm, prompts, query
        self._released = released

    def run(self, settings: dict[str, Any]) -> None:
        """Write `is_clf_or_not.jsonl`: a line an instruction, in the order of the instructions."""
        instructions = read_instructions(self._run.path)
        path = self._run.path / CLASSIFICATION
        is_complete = self._run.prepare("classification", settings)
        jsonl.cut_torn_last_line(path)
        adopted = classification_file(self._run.path)
        done = check_same_order(adopted, instructions) if adopted else 0
        if is_complete and done == len(instructions):
            return
        first = done - done % self._llm.chunk_size
        llm = self._llm.for_stage("classification", first)
        self._run.reopen("classification")
        if adopted is not None and adopted != path:
            jsonl.replace(path, jsonl.read(adopted))  # the released code's file, whatever its engine's name
        with jsonl.Appender(path) as output:
            if done < len(instructions):
                self._ask(llm, first, instructions, done, output)
        if self._released:
            jsonl.replace(self._run.path / RELEASED_CLASSIFICATION, jsonl.read(path))
        self._run.complete("classification", answers=len(instructions))

    def _ask(self, llm: LLM, first: int, instructions: list[str], done: int, output: jsonl.Appender) -> None:
        requests = (self._request(i, instructions[i]) for i in range(first, len(instructions)))
        with AskingBar("classification", len(instructions), done, llm.bill) as bar:
            for index, completion in enumerate(complete_in_order(llm, requests), start=first):
                if index >= done:
                    output.write({"instruction": instructions[index], "is_classification": completion.text})
                    bar.update()

    def _request(self, index: int, instruction: str) -> Request:
        def render(num_demonstrations: int) -> str:
            return self._prompts.render_classification(
                instruction, num_demonstrations=num_demonstrations, chat=self._llm.is_chat
            )

        most, seed = len(self._prompts.classification.demonstrations), f"classification:{index}"
        question = FewShot(self._query, render, most, seed, instruction, may_show_none=True)
        return question.fitted(self._llm)[0]


def read_instructions(folder: Path) -> list[str]:
    """The instructions of a run folder, in order.

    Raises:
        UserError: the folder holds none yet.
    """
    path = folder / INSTRUCTIONS
    if not path.exists():
        raise UserError(f"{path}: not there; run the instructions stage first ('stages=[instructions,...]')")
    return [_text(record, "instruction", path, number) for number, record in jsonl.numbered_records(path)]


def classification_file(folder: Path) -> Path | None:
    """The folder's answers of stage 2: ours, else any `is_clf_or_not*.jsonl` of the released code."""
    ours = folder / CLASSIFICATION
    return ours if ours.exists() else next(iter(sorted(folder.glob("is_clf_or_not*.jsonl"))), None)


def read_classification(folder: Path, rules: ParsingRules) -> dict[str, bool]:
    """Instruction -> is it classification; of several answers for one instruction the last counts."""
    path = classification_file(folder)
    if path is None:
        missing = f"{folder / CLASSIFICATION}: not there"
        raise UserError(f"{missing}; run the classification stage first ('stages=[classification,...]')")
    answers: dict[str, bool] = {}
    for number, record in jsonl.numbered_records(path):
        answer = _text(record, "is_classification", path, number)
        answers[_text(record, "instruction", path, number)] = parse_classification(answer, rules)
    return answers


def _text(record: jsonl.Record, field: str, path: Path, number: int) -> str:
    if not isinstance(record.get(field), str):
        raise UserError(f'{path}:{number}: "{field}" must be text')
    return record[field]
