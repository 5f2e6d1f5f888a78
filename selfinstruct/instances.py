"""Stage 3: the model writes instances for each instruction (paper, section 2.2, "Instance Generation").

Input-first for tasks that are not classification; output-first, label by label, for those that are.
"""

from dataclasses import replace
from itertools import islice
from typing import Any

from selfinstruct import jsonl
from selfinstruct.asking import AskingBar
from selfinstruct.classification import read_classification, read_instructions
from selfinstruct.fitting import FewShot
from selfinstruct.instruction_files import INSTRUCTIONS, check_same_order
from selfinstruct.llm.base import LLM, Request, complete_in_order
from selfinstruct.parsing import ParsingRules
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Query
from selfinstruct.runs import RunFolder

INSTANCES = "machine_generated_instances.jsonl"

# The released code sends 5 instructions at a time, with fewer tokens when any of them is classification.
_RELEASED_BATCH = 5
_RELEASED_MAX_TOKENS = 350


class InstanceStage:
    """Asks for the instances of every instruction of the run folder, in order; answers are kept raw."""

    def __init__(
        self,
        run: RunFolder,
        llm: LLM,
        prompts: Prompts,
        query: Query,
        rules: ParsingRules,
        released: bool,
        output_first: bool = True,
    ) -> None:
        self._run, self._llm, self._prompts, self._query = run, llm, prompts, query
        self._rules, self._released, self._output_first = rules, released, output_first

    def run(self, settings: dict[str, Any]) -> None:
        """Write `machine_generated_instances.jsonl`: a line an instruction, in their order."""
        folder = self._run.path
        instructions = read_instructions(folder)
        classification = read_classification(folder, self._rules)
        flags = [self._output_first and classification.get(text, False) for text in instructions]
        path = folder / INSTANCES
        is_complete = self._run.prepare("instances", settings)
        jsonl.cut_torn_last_line(path)
        done = check_same_order(path, instructions) if path.exists() else 0
        if is_complete and done == len(instructions):
            return
        first = done - done % self._llm.chunk_size
        llm = self._llm.for_stage("instances", first)
        self._run.reopen("instances")
        with jsonl.Appender(path) as output:
            if done < len(instructions):
                self._ask(llm, first, instructions, flags, done, output)
        self._run.complete("instances", answers=len(instructions), classification=sum(flags))

    def _ask(
        self,
        llm: LLM,
        first: int,
        instructions: list[str],
        flags: list[bool],
        done: int,
        output: jsonl.Appender,
    ) -> None:
        requests = (self._request(i, instructions[i], flags) for i in range(first, len(instructions)))
        # Read once more as they are needed: with their prompts and scores they are hundreds of MB.
        records = islice(jsonl.numbered_records(self._run.path / INSTRUCTIONS), first, None)
        with AskingBar("instances", len(instructions), done, llm.bill) as bar:
            for index, (completion, (_, record)) in enumerate(
                zip(complete_in_order(llm, requests), records, strict=True), start=first
            ):
                if index < done:
                    continue
                response = {"choices": [{"text": completion.text, "finish_reason": completion.finish_reason}]}
                output.write(
                    {
                        "instruction": record["instruction"],
                        "raw_instances": completion.text,
                        "instance_metadata": {"response": response},
                        "instruction_metadata": record.get("metadata"),
                        "most_similar": record.get("most_similar"),
                        "avg_similarity_score": record.get("avg_similarity_score"),
                    }
                )
                bar.update()

    def _request(self, index: int, instruction: str, flags: list[bool]) -> Request:
        is_classification = flags[index]
        words = self._prompts.output_first if is_classification else self._prompts.input_first
        query = replace(self._query, max_tokens=self._max_tokens(index, flags))

        def render(num_demonstrations: int) -> str:
            return self._prompts.render_instances(
                instruction,
                is_classification,
                num_demonstrations=num_demonstrations,
                chat=self._llm.is_chat,
            )

        most, seed = len(words.demonstrations), f"instances:{index}"
        return FewShot(query, render, most, seed, instruction, may_show_none=True).fitted(self._llm)[0]

    def _max_tokens(self, index: int, flags: list[bool]) -> int:
        if not self._released:
            return self._query.max_tokens
        start = index - index % _RELEASED_BATCH
        batch = flags[start : start + _RELEASED_BATCH]
        return self._query.max_tokens if any(batch) else max(self._query.max_tokens, _RELEASED_MAX_TOKENS)
