"""Stage 1: the model writes new instructions, and those that pass the filters enter the pool it sees next.

Paper, section 2.2 ("Instruction Generation"). A request shows 8 tasks: 6 seeds and 2 of the model's own.
"""

import random
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selfinstruct import jsonl
from selfinstruct.asking import AskingBar
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.filters import FilterRules
from selfinstruct.fitting import FewShot, with_fewer
from selfinstruct.instruction_files import (
    INSTRUCTIONS,
    REJECTED,
    REQUESTS,
    Committer,
    Judged,
    adopt,
    read_committed,
)
from selfinstruct.llm.base import LLM, Completion, Request
from selfinstruct.novelty import NoveltyFilter, Verdict
from selfinstruct.parsing import Candidate, ParsingRules, parse_instructions
from selfinstruct.prompts import Prompts
from selfinstruct.queries import Query
from selfinstruct.runs import RunFolder
from selfinstruct.tasks import SeedTask

__all__ = ["INSTRUCTIONS", "REJECTED", "REQUESTS", "InstructionStage", "InstructionsConfig", "sample_shown"]

Answer = tuple[Request, Completion]

_STALL_UNIT = 5  # requests in a round, as the released code sends them
_LOOKAHEAD_PER_GROUP = 16  # 8 answers are judged together at a look-ahead of 128


@dataclass
class InstructionsConfig:
    """How a request is put together, and when the loop gives up."""

    shown: int
    shown_machine: int
    classification_only: bool
    lookahead: int
    stall_rounds: int

    def __post_init__(self) -> None:
        if not 0 <= self.shown_machine <= self.shown or self.shown < 1:
            counts = f"shown={self.shown}, shown_machine={self.shown_machine}"
            raise UserError(
                f"instructions: {counts}; show at least 1 task, and no more machine ones than all"
            )
        if self.lookahead < 1:
            raise UserError(f"instructions.lookahead: {self.lookahead} must be at least 1")
        if self.stall_rounds < 1:
            raise UserError(f"instructions.stall_rounds: {self.stall_rounds} must be at least 1")


@dataclass
class InstructionStage:
    """The bootstrapping loop over one run folder.

    Judging an answer decides what later requests may show; it is written down a little later, in the order of
    the requests (see `Committer`), and a restart goes on after the last one written.
    """

    run: RunFolder
    llm: LLM
    seeds: list[SeedTask]
    prompts: Prompts
    filters: FilterRules
    rules: ParsingRules
    query: Query
    config: InstructionsConfig
    threshold: float
    tokenizer: str
    reject_exact_duplicates: bool
    released_ties: bool
    seed: int
    round_size: int | None  # None: a sliding look-ahead; a number: rounds of so many, drawn from one pool
    machine: list[str] = field(default_factory=list)
    machine_after: list[int] = field(default_factory=list)  # machine instructions after each judged answer
    reasons: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        wanted = [s for s in self.seeds if s.is_classification or not self.config.classification_only]
        if not wanted:
            raise UserError(
                "instructions.classification_only: no seed task is a classification task; add one"
            )
        self.seed_texts = [seed.instruction for seed in wanted]
        self.pool = NoveltyFilter(
            self.threshold,
            self.tokenizer,
            self.reject_exact_duplicates,
            released_ties=self.released_ties,
        )
        self.pool.extend(seed.instruction for seed in self.seeds)
        self._shown: dict[int, int] = {}  # tasks shown in each request not yet judged

    def run_until(self, num_instructions: int, settings: dict[str, Any]) -> None:
        """Ask until the folder holds `num_instructions` accepted instructions.

        Raises:
            UserError: other settings than the folder's, or fewer instructions asked for than it holds.
            StoppedEarly: `stall_rounds` rounds in a row added nothing; names the most frequent reason.
        """
        is_complete = self.run.prepare("instructions", settings)
        self._restore()
        # The last answer or round may overshoot; what had enough before it was made for a higher target.
        # All that it holds is never too few: the last answers may have added nothing.
        if self._num_before_last() >= num_instructions and num_instructions < len(self.machine):
            held = f"{self.run.path / INSTRUCTIONS} already holds {len(self.machine)}"
            advice = "give at least as many, or choose another run_dir"
            reason = f"{num_instructions} is less than what was made; {held}; {advice}"
            raise UserError(f"num_instructions: {reason}")
        adopt(self.run.path)
        if is_complete and len(self.machine) >= num_instructions:
            return
        if self._is_short_of(num_instructions):
            committed = len(self.machine_after)
            # A chunk begun before a restart is asked again whole (its known answers come from the log).
            first = committed - committed % self.llm.chunk_size
            llm = self.llm.for_stage("instructions", first)
            self.run.reopen("instructions")
            with Committer(self.run.path, self.pool) as committer:
                self._loop(llm, first, num_instructions, committer)
        self.run.complete(
            "instructions", requests=len(self.machine_after), accepted=len(self.machine), **self.reasons
        )

    def _restore(self) -> None:
        committed = read_committed(self.run.path)
        self.machine, self.machine_after = committed.instructions, committed.accepted_after
        self.reasons = committed.reasons
        self.pool.extend(self.machine)

    def _is_short_of(self, num_instructions: int) -> bool:
        """Whether instructions are missing, or answers of a round begun: it is judged whole."""
        in_round = len(self.machine_after) % (self.round_size or 1)
        return len(self.machine) < num_instructions or in_round > 0

    def _num_before_last(self) -> int:
        """Accepted instructions before the last answer, or the last round."""
        size = self.round_size or 1
        start = max(0, len(self.machine_after) - 1) // size * size
        return self.machine_after[start - 1] if start else 0

    def _loop(self, llm: LLM, first: int, num_instructions: int, committer: Committer) -> None:
        committed = len(self.machine_after)
        waiting: deque[Request] = deque()
        next_index, answered = first, first
        idle = _idle_requests(self.machine_after)
        patience = self.config.stall_rounds * _STALL_UNIT
        done = len(self.machine)
        with AskingBar("instructions", num_instructions, done, llm.bill, self.reasons) as bar:
            while self._is_short_of(num_instructions):
                if idle >= patience and len(self.machine) < num_instructions:
                    raise StoppedEarly(self._stall_message(idle))
                while self._may_ask(next_index, max(answered, committed)):
                    request = self._request(next_index)
                    llm.submit(request)
                    waiting.append(request)
                    next_index += 1
                try:
                    answers = _next_answers(llm, waiting, min(self._num_judged_together(llm), len(waiting)))
                except StoppedEarly:
                    if len(self.machine) >= num_instructions:
                        return  # enough, though the rest of the round is not to be had
                    raise
                numbered = list(enumerate(answers, start=answered))
                answered += len(answers)
                for judged in self._judge([each for each in numbered if each[0] >= committed]):
                    self._take(judged)
                    committer.put(judged)
                    idle = 0 if judged.accepted else idle + 1
                    bar.update(len(judged.accepted))
                    if not self._is_short_of(num_instructions) or idle >= patience:
                        break

    def _num_judged_together(self, llm: LLM) -> int:
        """How many answers to wait for: judged together they cost hardly more than one alone.

        Few beside the look-ahead, so that enough requests are on their way meanwhile. A model that computes
        chunks is asked for the next one as soon as it may be.
        """
        if llm.chunk_size > 1:
            return 1
        return self.round_size or max(1, self.config.lookahead // _LOOKAHEAD_PER_GROUP)

    def _may_ask(self, index: int, committed: int) -> bool:
        """Whether every answer that request `index` may see is committed."""
        return self._num_visible_answers(index) <= committed

    def _num_visible_answers(self, index: int) -> int:
        if self.round_size:
            return index - index % self.round_size
        return max(0, index - self.config.lookahead + 1)

    def _request(self, index: int) -> Request:
        visible = self._num_visible_answers(index)
        shown = sample_shown(
            self.seed_texts,
            self.machine,
            self.machine_after[visible - 1] if visible else 0,
            self.config.shown,
            self.config.shown_machine,
            random.Random(f"{self.seed}:instructions:{index}"),
        )

        def render(num_shown: int) -> str:
            # The first tasks go first: the end of the list, where the model goes on, stays as it was.
            return self.prompts.render_instructions(
                shown[len(shown) - num_shown :],
                classification=self.config.classification_only,
                chat=self.llm.is_chat,
            )

        question = FewShot(self.query, render, len(shown), f"{self.seed}:instructions:{index}")
        request, self._shown[index] = question.fitted(self.llm)
        return request

    def _judge(self, answers: list[tuple[int, Answer]]) -> list[Judged]:
        """Let new instructions of some answers (with their numbers) into the pool, and say what became of
        each candidate."""
        parsed = [self._parse(index, answer) for index, answer in answers]
        first_member = len(self.pool)
        texts = [each.text for _, _, candidates in parsed for each in candidates if each.reason is None]
        verdicts = iter(self.pool.admit(texts))
        together = []
        for (index, (_, completion)), (shown, prompt, candidates) in zip(answers, parsed, strict=True):
            accepted, rejected = _sorted_out(index, candidates, verdicts)
            together.append(
                Judged(index, prompt, shown, completion, len(candidates), accepted, first_member, rejected)
            )
            first_member += len(accepted)
        return together

    def _parse(self, index: int, answer: Answer) -> tuple[int, str, list[Candidate]]:
        """How many tasks the answered prompt showed, that prompt, and the candidates in the answer."""
        request, completion = answer
        # A server may have said that the prompt is too long: then it answered one with fewer tasks.
        shown = self._shown.pop(index) - completion.dropped_demonstrations
        request = with_fewer(request, completion.dropped_demonstrations)
        candidates = parse_instructions(
            completion.text, completion.finish_reason, self.rules, self.filters, first_number=shown + 1
        )
        return shown, request.prompt, candidates

    def _take(self, judged: Judged) -> None:
        """From here on later requests may show what was accepted."""
        self.machine += judged.accepted
        self.machine_after.append(len(self.machine))
        self.reasons.update(line["reason"] for line in judged.rejected)

    def _stall_message(self, idle: int) -> str:
        reason, count = self.reasons.most_common(1)[0] if self.reasons else ("no candidate at all", 0)
        return (
            f"stalled: the last {idle} requests added no instruction (accepted so far: "
            f"{len(self.machine)}); what rejects most: {reason} ({count} of {self.reasons.total()}). See "
            f"{self.run.path / REJECTED}. "
            "Try a higher queries.instructions.temperature, more varied seed_tasks or another model; "
            "a larger instructions.stall_rounds goes on"
        )


def _next_answers(llm: LLM, waiting: deque[Request], count: int) -> list[Answer]:
    """The next answers, with their requests; fewer where the model stops, which it says again when asked."""
    answers: list[Answer] = []
    for _ in range(count):
        try:
            completion = llm.next_completion()
        except (StoppedEarly, UserError):
            if answers:
                break
            raise
        answers.append((waiting.popleft(), completion))
    return answers


def _sorted_out(
    index: int, candidates: list[Candidate], verdicts: Iterator[Verdict]
) -> tuple[list[str], list[jsonl.Record]]:
    """An answer's accepted texts, and the lines of the others; `verdicts` on those that passed the rules."""
    accepted, rejected = [], []
    for candidate in candidates:
        reason = candidate.reason
        detail: dict[str, Any] = {}
        if reason is None:
            verdict = next(verdicts)
            if verdict.is_novel:
                accepted.append(candidate.text)
                continue
            reason = "too_similar"
            detail = {"nearest": verdict.nearest_text, "score": verdict.nearest_score}
        line = {"stage": "instructions", "reason": reason, "text": candidate.text, **detail}
        rejected.append(line | {"request_idx": index})
    return accepted, rejected


def sample_shown(
    seeds: list[str],
    machine: list[str],
    num_visible: int,
    num_shown: int,
    num_machine: int,
    rng: random.Random,
) -> list[str]:
    """Draw the tasks of one request: up to `num_machine` of the model's own, seeds for the rest, shuffled.

    Of `machine` the first `num_visible` are drawn from.
    """
    places = rng.sample(range(num_visible), min(num_machine, num_visible))
    own = [machine[place] for place in places]
    shown = own + rng.sample(seeds, min(num_shown - len(own), len(seeds)))
    rng.shuffle(shown)
    return [" ".join(text.split()) for text in shown]


def _idle_requests(machine_after: list[int]) -> int:
    """How many answers in a row, up to the last, added nothing."""
    idle = 0
    for position in range(len(machine_after) - 1, -1, -1):
        before = machine_after[position - 1] if position else 0
        if machine_after[position] > before:
            break
        idle += 1
    return idle
