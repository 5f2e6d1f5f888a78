"""The novelty filter for any file of instructions: what is too similar to an earlier one, or a pool, goes.

python scripts/filter_novel.py candidates=new.jsonl pool=seeds/seed_tasks.jsonl output=kept.jsonl
"""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter
from selfinstruct.progress import progress_bar
from selfinstruct.text_tables import Table, open_table, replacing


@dataclass
class NoveltyConfig:
    """When a text is too similar."""

    threshold: float
    tokenizer: str | None


@dataclass
class FilterNovelConfig:
    """`configs/filter_novel.yaml` as a dataclass."""

    candidates: Path
    output: Path
    pool: Path | list[Path] | None
    field: str | list[str]
    fidelity: str
    novelty: NoveltyConfig
    report: Path | None

    def __post_init__(self) -> None:
        if self.fidelity not in ("fixed", "released"):
            raise UserError(f"fidelity: {self.fidelity!r}; choose fixed or released")
        if not self.fields or not all(self.fields):
            raise UserError("field: names no field; give the field that holds the instruction")
        written = [path.resolve() for path in (self.output, self.report) if path is not None]
        read = [path.resolve() for path in (self.candidates, *self.pools)]
        if len(set(written)) < len(written):
            raise UserError(f"report: {self.report} is the output too; choose another name")
        for path in written:
            if path in read:
                raise UserError(f"{path}: is read and would be written; choose another name")
        if self.output.suffix.lower() != self.candidates.suffix.lower():
            kind = self.candidates.suffix
            raise UserError(f"output: {self.output} must end in {kind}: records stay as they are")

    @property
    def fields(self) -> list[str]:
        """The fields whose texts count, joined by line ends."""
        return [self.field] if isinstance(self.field, str) else self.field

    @property
    def pools(self) -> list[Path]:
        """The files whose texts are in the pool from the start."""
        if self.pool is None:
            return []
        return self.pool if isinstance(self.pool, list) else [self.pool]

    def make_filter(self) -> NoveltyFilter:
        """An empty pool with these settings."""
        is_released = self.fidelity == "released"
        tokenizer = self.novelty.tokenizer or ("english" if is_released else "unicode")
        return NoveltyFilter(self.novelty.threshold, tokenizer, reject_exact_duplicates=not is_released)


def filter_novel(config: FilterNovelConfig) -> None:
    """Copy the novel records of `candidates` to `output`, unchanged and in order; the rest to `report`.

    Memory holds the texts that are kept, not the file.

    Raises:
        UserError: a file cannot be read, or a record lacks a text; nothing is written then.
    """
    pool = config.make_filter()
    candidates = open_table(config.candidates, config.fields)
    for path in config.pools:
        _fill(pool, open_table(path, config.fields), path)
    num_pool = len(pool)
    num_read = 0
    with ExitStack() as stack:
        writer = candidates.copy_to(config.output, stack)
        report = None
        if config.report is not None:
            report = stack.enter_context(
                open(stack.enter_context(replacing(config.report)), "w", encoding="utf-8", newline="\n")
            )
        bar = stack.enter_context(progress_bar("filter", candidates.size, unit=candidates.unit))
        for chunk in candidates.chunks():
            verdicts = pool.admit(chunk.texts)
            writer.write(chunk, [verdict.is_novel for verdict in verdicts])
            num_read += len(verdicts)
            if report is not None:
                for number, text, verdict in zip(chunk.numbers, chunk.texts, verdicts, strict=True):
                    if (found := pool.explain_verdict(text, verdict)) is not None:
                        line = {"line": number, "text": text, "nearest": found.member, "score": found.score}
                        report.write(f"{jsonl.dumps(line | {'common': list(found.common)})}\n")
            bar.update(chunk.done - bar.n)
            bar.set_postfix(kept=len(pool) - num_pool, dropped=num_read - len(pool) + num_pool, refresh=False)
    num_kept = len(pool) - num_pool
    print(f"{config.output}: {num_kept:,} of {num_read:,} kept; {num_read - num_kept:,} too similar")
    if num_pool:
        print(f"pool: {num_pool:,} from {', '.join(map(str, config.pools))}")
    if config.report is not None:
        print(f"{config.report}: what was dropped, each with the one it is too similar to")


def _fill(pool: NoveltyFilter, table: Table, path: Path) -> None:
    with progress_bar(f"pool {path.name}", table.size, unit=table.unit) as bar:
        for chunk in table.chunks():
            pool.extend(chunk.texts)
            bar.update(chunk.done - bar.n)
