"""The novelty filter for any file of instructions: what is too similar to an earlier one, or a pool, goes.

python scripts/filter_novel.py candidates=new.jsonl pool=seeds/seed_tasks.jsonl output=kept.jsonl
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from selfinstruct import jsonl
from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter, Verdict
from selfinstruct.novelty_cluster import admit_on_cluster
from selfinstruct.own_files import announce_files, only_writer, refuse_foreign_files, write_manifest
from selfinstruct.progress import progress_bar
from selfinstruct.text_tables import Chunk, Table, open_table, replacing


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
    ray: str | None

    def __post_init__(self) -> None:
        if self.fidelity not in ("fixed", "released"):
            raise UserError(f"fidelity: {self.fidelity!r}; choose fixed or released")
        if not self.fields or not all(self.fields):
            raise UserError("field: names no field; give the field that holds the instruction")
        written = [path.resolve() for path in (*self.written, self.manifest)]
        read = [path.resolve() for path in (self.candidates, *self.pools)]
        if len(set(written)) < len(written):
            raise UserError(
                f"report: {self.report} is written already (output, manifest); choose another name"
            )
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
    def written(self) -> list[Path]:
        """The files that are written, the manifest aside."""
        return [self.output] if self.report is None else [self.output, self.report]

    @property
    def manifest(self) -> Path:
        """Settings, counts and check sums of what was written."""
        return self.output.with_name(f"{self.output.name}.manifest.json")

    @property
    def pools(self) -> list[Path]:
        """The files whose texts are in the pool from the start."""
        if self.pool is None:
            return []
        return self.pool if isinstance(self.pool, list) else [self.pool]

    def filter_settings(self) -> dict[str, Any]:
        """The arguments of `NoveltyFilter`."""
        is_released = self.fidelity == "released"
        return {
            "threshold": self.novelty.threshold,
            "tokenizer": self.novelty.tokenizer or ("english" if is_released else "unicode"),
            "reject_exact_duplicates": not is_released,
        }


@dataclass
class _Counts:
    pool: int = 0
    read: int = 0
    kept: int = 0


def filter_novel(config: FilterNovelConfig) -> None:
    """Copy the novel records of `candidates` to `output`, unchanged and in order; the rest to `report`.

    Memory holds the texts that are kept, not the file; on a cluster (`ray`) all texts. What exists is
    replaced, at the end, only if an earlier run wrote it: `<output>.manifest.json` knows.

    Raises:
        UserError: a file cannot be read, a record lacks a text, a file is in the way, or there is no cluster;
            nothing is written then.
    """
    with only_writer(config.written):
        _filter(config)


def _filter(config: FilterNovelConfig) -> None:
    refuse_foreign_files(config.manifest, config.written)
    pool = NoveltyFilter(**config.filter_settings())
    candidates = open_table(config.candidates, config.fields)
    tables = [open_table(path, config.fields) for path in config.pools]
    counts = _Counts()
    judge = _make_judge(config, pool, tables, candidates, counts)
    with ExitStack() as stack:
        writer = candidates.copy_to(config.output, stack)
        report = _Report(config.report, pool, stack) if config.report else None
        bar = stack.enter_context(progress_bar("filter", candidates.size, unit=candidates.unit))
        for chunk in candidates.chunks():
            verdicts = judge(chunk.texts)
            writer.write(chunk, [verdict.is_novel for verdict in verdicts])
            if report is not None:
                report.write(chunk, verdicts)
            counts.read += len(verdicts)
            counts.kept += sum(verdict.is_novel for verdict in verdicts)
            bar.update(chunk.done - bar.n)
            bar.set_postfix(kept=counts.kept, dropped=counts.read - counts.kept, refresh=False)
        announce_files(config.manifest, config.written)
    settings = {"candidates": config.candidates.name, "pool": [path.name for path in config.pools]}
    settings |= {"field": config.fields} | config.filter_settings()
    write_manifest(config.manifest, config.written, {"settings": settings, "counts": asdict(counts)})
    _print_summary(config, counts)


def _make_judge(
    config: FilterNovelConfig, pool: NoveltyFilter, tables: list[Table], candidates: Table, counts: _Counts
) -> Callable[[Sequence[str]], list[Verdict]]:
    """What gives the verdicts on the next texts of the candidates."""

    def pool_texts() -> Iterator[str]:
        for path, table in zip(config.pools, tables, strict=True):
            for text in _texts(f"pool {path.name}", table):
                counts.pool += 1
                yield text

    if config.ray is None:
        pool.extend(pool_texts())
        return pool.admit
    texts = _texts("read", candidates)
    decided = iter(admit_on_cluster(pool_texts(), texts, config.ray, **config.filter_settings()))
    return lambda texts: list(islice(decided, len(texts)))


def _texts(name: str, table: Table) -> Iterator[str]:
    with progress_bar(name, table.size, unit=table.unit) as bar:
        for chunk in table.chunks():
            yield from chunk.texts
            bar.update(chunk.done - bar.n)


class _Report:
    """What was dropped, a line each."""

    def __init__(self, path: Path, pool: NoveltyFilter, stack: ExitStack) -> None:
        temporary = stack.enter_context(replacing(path))
        file = open(temporary, "w", encoding="utf-8", newline="\n")  # noqa: SIM115 - closed by the stack
        self._file = stack.enter_context(file)
        self._pool = pool

    def write(self, chunk: Chunk, verdicts: Sequence[Verdict]) -> None:
        for number, text, verdict in zip(chunk.numbers, chunk.texts, verdicts, strict=True):
            if (found := self._pool.explain_verdict(text, verdict)) is not None:
                line = {"line": number, "text": text, "nearest": found.member, "score": found.score}
                self._file.write(f"{jsonl.dumps(line | {'common': list(found.common)})}\n")


def _print_summary(config: FilterNovelConfig, counts: _Counts) -> None:
    num_dropped = counts.read - counts.kept
    print(f"{config.output}: {counts.kept:,} of {counts.read:,} kept; {num_dropped:,} too similar")
    if counts.pool:
        print(f"pool: {counts.pool:,} from {', '.join(map(str, config.pools))}")
    if config.report is not None:
        print(f"{config.report}: what was dropped, each with the one it is too similar to")
