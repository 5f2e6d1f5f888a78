"""Starts the rating page: what is rated, by whom, under which links (paper, section 4.4 and Table 2).

python scripts/annotate.py run_dir=runs/annotate 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

import json
import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eval.annotate.assignment import Placed, assign, place, place_disagreements
from eval.annotate.desk import Desk
from eval.annotate.items import Item, drawn, items_of_generated, items_of_predictions
from eval.annotate.store import RatingStore
from eval.ratings import RATINGS, latest, read_events
from eval.user_oriented import system_files
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.finetuning_data import ALL_INSTANCES
from selfinstruct.paper_numbers import published
from selfinstruct.runs import RunFolder, open_run
from selfinstruct.settings import REPOSITORY, file_digest

LINKS = "links.json"
PAPER_ITEMS: int = published("human_evaluation_size").values["instructions"]
PAPER_REVIEWED: int = published("quality_review_size").values["instructions"]
_DEMO = [REPOSITORY / "runs/demo/seed1" / name for name in ("vanilla", "self_instruct")]
_RATER = re.compile(r"[\w.-]{1,40}")


@dataclass
class AnnotateConfig:
    """`configs/annotate.yaml` as a dataclass."""

    run_dir: Path
    predictions: list[str] | str | None
    tasks: Path | None
    generated: Path | None
    num_items: int | None
    show_reference: bool
    raters: list[str] | str
    overlap: int | None
    repeats: float
    adjudicate: str | None
    seed: int
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.predictions and self.generated:
            raise UserError(
                "predictions and generated are both given; rate answers, or review generated data"
            )
        if self.num_items is not None and self.num_items < 1:
            raise UserError(f"num_items: {self.num_items} must be at least 1")
        if not 0 <= self.repeats <= 0.5:
            raise UserError(f"repeats: {self.repeats} must be a share from 0 to 0.5")
        if not 0 <= self.port <= 65535:
            raise UserError(f"port: {self.port} must be from 0 (any that is free) to 65535")
        if not self.names:
            raise UserError("raters: the list is empty; give at least one name (raters=[ann,ben])")
        for name in [*self.names, *([self.adjudicate] if self.adjudicate is not None else [])]:
            if not _RATER.fullmatch(name):
                advice = "a name has 1 to 40 letters, digits, dots, - or _"
                raise UserError(f"raters: {name!r} cannot be a rater's name; {advice}")
        if len(set(self.names)) < len(self.names):
            raise UserError("raters: a name is there twice; give each rater their own")
        if self.overlap is not None and not 1 <= self.overlap <= len(self.names):
            advice = f"must be from 1 to the number of raters ({len(self.names)})"
            raise UserError(f"overlap: {self.overlap} {advice}")

    @property
    def names(self) -> list[str]:
        """The raters."""
        return [self.raters] if isinstance(self.raters, str) else self.raters

    @property
    def systems(self) -> list[str]:
        """The prediction files or run folders; those of `make demo` where nothing is given."""
        if self.predictions is None:
            missing = [path for path in _DEMO if not (path / "predictions.jsonl").exists()]
            if missing:
                advice = (
                    "give predictions=[RUN_DIR_OR_FILE,...], or run `make demo` first and rate its answers"
                )
                raise UserError(f"predictions is missing, and so is {missing[0]}; {advice}")
            return [str(path) for path in _DEMO]
        return [self.predictions] if isinstance(self.predictions, str) else self.predictions

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the page."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def annotate(config: AnnotateConfig) -> None:
    """Serve the rating page until told to stop; ratings are in `ratings.jsonl` of the run folder.

    Raises:
        UserError: bad input, or settings that differ from those the run folder was made with.
        StoppedEarly: told to stop while something was still to be rated.
    """
    items, settings, left_out = _items(config)
    lists = _lists(config, items)
    with _listen(config) as listener, open_run(config.run_dir, "annotate", _as_json(config)) as run:
        run.begin("rate", settings)
        store = RatingStore(run.path / RATINGS)
        try:
            adjudicates = config.adjudicate is not None
            desks = {rater: Desk(rater, placed, store, adjudicates) for rater, placed in lists.items()}
            links = _links(config, list(desks), run)
            _announce(config, desks, links, listener.getsockname(), left_out, run.path)
            _serve(config, {links[rater]: desk for rater, desk in desks.items()}, listener)
        finally:
            store.close()
        to_do = {rater: len(desk.placed) - desk.done for rater, desk in desks.items()}
        if any(to_do.values()):
            still = ", ".join(f"{rater} {number}" for rater, number in to_do.items() if number)
            raise StoppedEarly(f"items still to rate: {still}; start again with the same words to continue")
        if config.adjudicate is None:
            run.complete("rate", items=len(items), raters=len(desks))
    print(f"All is rated. Numbers: python scripts/report_ratings.py ratings={config.run_dir}")


def _items(config: AnnotateConfig) -> tuple[list[Item], dict[str, Any], int]:
    """What is rated, the settings that decide it, and how many tasks not all systems answered."""
    shared: dict[str, Any] = {
        "raters": config.names,
        "overlap": config.overlap or len(config.names),
        "repeats": config.repeats,
        "seed": config.seed,
        "num_items": config.num_items,
    }
    if config.generated:
        items = items_of_generated(config.generated, config.num_items or PAPER_REVIEWED, config.seed)
        file = config.generated / ALL_INSTANCES if config.generated.is_dir() else config.generated
        return items, shared | {"mode": "review", "generated": file_digest(file)}, 0
    files = system_files(config.systems)
    found, left_out = items_of_predictions(files, config.tasks, config.show_reference)
    items = drawn(found, config.num_items or PAPER_ITEMS, config.seed)
    digests = {system: file_digest(path) for system, path in files.items()}
    tasks = file_digest(config.tasks) if config.tasks else None
    return items, shared | {"mode": "rate", "predictions": digests, "tasks": tasks}, left_out


def _lists(config: AnnotateConfig, items: list[Item]) -> Mapping[str, list[Placed]]:
    """Each rater's list. What is in the log already is read here, so that a bad one is refused untouched."""
    path = config.run_dir / RATINGS
    given = latest(read_events(path)) if path.exists() else {}
    if config.adjudicate is None:
        assigned = assign(items, config.names, config.overlap or len(config.names), config.seed)
        return {rater: place(own, rater, config.repeats, config.seed) for rater, own in assigned.items()}
    placed = place_disagreements(items, given, config.adjudicate, config.seed)
    if not placed:
        raise UserError(f"adjudicate: no ratings of two raters differ in {path}; there is nothing to decide")
    return {config.adjudicate: placed}


def _listen(config: AnnotateConfig) -> socket.socket:
    advice = "choose another with port=N (port=0: any that is free)"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host, config.port, type=socket.SOCK_STREAM
        )[0]
    except OSError as error:
        raise UserError(f"host: {config.host!r} is no address of this machine ({error.strerror})") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        where = f"{config.host} port {config.port}"
        raise UserError(f"port: {where} cannot be used ({error.strerror}); {advice}") from error
    return listener


def _links(config: AnnotateConfig, raters: list[str], run: RunFolder) -> dict[str, str]:
    """rater -> what stands behind the # of their link: a name on this machine, else a secret that stays."""
    if config.is_local:
        return {rater: rater for rater in raters}
    path = run.path / LINKS
    links: dict[str, str] = {}
    if path.exists():
        try:
            links = dict(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as error:
            advice = "delete it, and every rater gets a new link"
            raise UserError(f"{path}: not readable ({error}); {advice}") from error
    for rater in raters:
        links.setdefault(rater, secrets.token_urlsafe(24))
    partial = path.with_name(f".{path.name}.partial")
    with open(os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(links, file, indent=2)  # never, not even for a moment, readable by others
    os.replace(partial, path)
    return {rater: links[rater] for rater in raters}


def _announce(
    config: AnnotateConfig,
    desks: Mapping[str, Desk],
    links: Mapping[str, str],
    address: tuple[Any, ...],
    left_out: int,
    folder: Path,
) -> None:
    host = f"[{config.host}]" if ":" in config.host else config.host
    if left_out:
        print(f"{left_out} tasks are left out: not every system answered them")
    print(f"Ratings go to {folder / RATINGS}. Each rater opens their own link:")
    for rater, desk in desks.items():
        link = f"http://{host}:{address[1]}/#{quote(links[rater])}"
        print(f"  {rater}: {link}  ({desk.done} of {len(desk.placed)} items rated)")
    if not config.is_local:
        print(
            "A link is that rater's secret. It travels unencrypted: use a network you trust, or a TLS proxy."
        )
    print("Ctrl-C stops; started again with the same words, everyone goes on where they were.", flush=True)


def _serve(config: AnnotateConfig, desks: Mapping[str, Desk], listener: socket.socket) -> None:
    from eval.annotate.server import make_app, serve  # here: the web libraries take a second to import

    hosts = ["127.0.0.1", "localhost", "[::1]", config.host] if config.is_local else ["*"]
    only = next(iter(desks.values())) if config.is_local and len(desks) == 1 else None
    try:
        serve(make_app(desks, hosts, only), listener)
    except KeyboardInterrupt:
        print()  # the usual way to stop


def _as_json(config: AnnotateConfig) -> dict[str, Any]:
    paths = {name: str(value) for name, value in asdict(config).items() if isinstance(value, Path)}
    return asdict(config) | paths
