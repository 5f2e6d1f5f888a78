"""Starts the rating page: what is rated, by whom, under which links (paper, section 4.4 and Table 2).

python scripts/annotate.py run_dir=runs/annotate 'predictions=[runs/user_vanilla,runs/user_tuned]'
"""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote

from eval.annotate.desk import Desk
from eval.annotate.store import RatingStore
from eval.annotate.study import StudyConfig, lists_to_decide, rater_lists, study_items, write_assignment
from eval.ratings import RATINGS, read_events
from selfinstruct.errors import StoppedEarly, UserError
from selfinstruct.runs import RunFolder, open_run

LINKS = "links.json"


@dataclass
class AnnotateConfig(StudyConfig):
    """`configs/annotate.yaml` as a dataclass."""

    adjudicate: str | None
    host: str
    port: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.port <= 65535:
            raise UserError(f"port: {self.port} must be from 0 (any that is free) to 65535")
        if self.adjudicate is not None:
            self.check_name(self.adjudicate, "adjudicate")

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
    items, settings, left_out = study_items(config)
    with _listen(config) as listener, open_run(config.run_dir, "annotate", _as_json(config)) as run:
        is_complete = run.prepare("rate", settings)
        # What is in the log already is read before anything is written: a bad line is refused untouched.
        log = run.path / RATINGS
        events = read_events(log) if log.exists() else []
        if config.adjudicate is None:
            lists, news = rater_lists(config, items, events)
        else:
            lists, news = lists_to_decide(config.adjudicate, items, events, config.seed, log), []
        run.begin("rate", settings)
        if config.adjudicate is None:
            write_assignment(run.path, lists)
        store = RatingStore(log)
        try:
            adjudicates = config.adjudicate is not None
            desks = {rater: Desk(rater, placed, store, adjudicates) for rater, placed in lists.items()}
            if is_complete and not adjudicates and _to_do(desks):
                run.reopen("rate")  # somebody joined
            links = _links(config, list(desks), run)
            if left_out:
                news = [f"{left_out} tasks are left out: not every system answered them", *news]
            _announce(config, desks, links, listener.getsockname(), news, run.path)
            _serve(config, {links[rater]: desk for rater, desk in desks.items()}, listener)
        finally:
            store.close()
        if to_do := _to_do(desks):
            still = ", ".join(f"{rater} {number}" for rater, number in to_do.items())
            raise StoppedEarly(f"items still to rate: {still}; start again with the same words to continue")
        if config.adjudicate is None:
            run.complete("rate", items=len(items), raters=len(desks))
    print(f"All is rated. Numbers: python scripts/report_ratings.py ratings={config.run_dir}")


def _to_do(desks: Mapping[str, Desk]) -> dict[str, int]:
    open_items = {rater: len(desk.placed) - desk.done for rater, desk in desks.items()}
    return {rater: number for rater, number in open_items.items() if number}


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
    news: list[str],
    folder: Path,
) -> None:
    host = f"[{config.host}]" if ":" in config.host else config.host
    for line in news:
        print(line)
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
