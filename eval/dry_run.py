"""What an evaluation will ask for and cost, before anything is sent: eval_superni.py dry_run=true"""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

from eval.asking import Question, model_config
from eval.predict import STAGE
from eval.superni_tasks import Sample
from selfinstruct import jsonl
from selfinstruct.encoding import evaluation_prompt
from selfinstruct.forecast import (
    BYTES_PER_TOKEN,
    SHARE_OF_MAX_TOKENS,
    StageForecast,
    forecast_text,
    over_budget,
)


def what_would_be_asked(question: Question, samples: Sequence[Sample], run_dir: Path) -> str:
    """Requests, tokens and cost of the samples that the run folder has no answer to yet.

    Tokens are estimates: one for every 4 bytes of a prompt; answers are as long on average as those in the
    folder's response log, or half of what they may be.
    """
    manner, llm = question.manner, model_config(question)
    prompts = [evaluation_prompt(manner.style, s.definition, s.input, s.examples) for s in samples]
    logged = {record["prompt"]: record for record in _logged(run_dir)}
    left = [prompt for prompt in prompts if prompt not in logged]
    lengths = [record["completion_tokens"] for record in logged.values()]
    usual = sum(lengths) / len(lengths) if lengths else manner.max_tokens * SHARE_OF_MAX_TOKENS
    tokens = sum(ceil(len(prompt.encode()) / BYTES_PER_TOKEN) for prompt in left)
    most = len(left) * manner.max_tokens
    stage = StageForecast(STAGE, len(left), tokens, round(len(left) * usual), most)
    text = forecast_text([stage], llm.model or llm.backend, question.price)
    return "\n".join([text, *over_budget(question.budget, run_dir, [([stage], question.price)])])


def _logged(run_dir: Path) -> list[jsonl.Record]:
    return [
        record
        for path in sorted(run_dir.glob("response_log*.jsonl"))
        for _, record in jsonl.finished_records(path)
        if record.get("stage") == STAGE and {"prompt", "completion_tokens"} <= record.keys()
    ]
