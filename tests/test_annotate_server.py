"""The rating page's server over HTTP: who gets in, what it says of a full disk, one server a folder."""

import json
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from rating_server import Server, write_systems

from eval.ratings import read_events
from selfinstruct.settings import REPOSITORY


def ask(url: str, key: str | None = None, host: str | None = None) -> tuple[int, dict[str, str]]:
    headers = {"X-Rater-Key": key} if key is not None else {}
    headers |= {"Host": host} if host else {}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status, {name.lower(): text for name, text in answer.headers.items()}
    except urllib.error.HTTPError as error:
        return error.code, {}


def test_in_a_network_each_link_is_a_secret_that_stays(tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 2), raters="[ann,ben]", host="0.0.0.0") as server:
        links = json.loads((server.run_dir / "links.json").read_text())
        assert stat.S_IMODE((server.run_dir / "links.json").stat().st_mode) == 0o600
        url = f"http://127.0.0.1:{server.port}/api/state"
        assert links["ann"] in server.output
        assert len(links["ann"]) >= 32
        assert [ask(url, key)[0] for key in (links["ann"], links["ben"])] == [200, 200]
        assert [ask(url, key)[0] for key in (None, "", "ann", "rater", links["ann"][:-1])] == [401] * 5
        server.kill()
        server.start()
        assert json.loads((server.run_dir / "links.json").read_text()) == links


def test_only_this_machine_and_only_under_its_own_name(tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 2)) as server:
        url = f"http://127.0.0.1:{server.port}/"
        status, headers = ask(url)
        assert status == 200
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert ask(url, host="attacker.example")[0] == 400
        assert ask(f"{url}docs")[0] == 404
        assert ask(f"{url}../ratings.jsonl")[0] == 404
        page = (REPOSITORY / "eval/annotate/static/index.html").read_text(encoding="utf-8")
        assert "http" not in page
        assert "onclick" not in page
        words = [f"run_dir={server.run_dir}", f"predictions=[{tmp_path}/secretname.jsonl]", "port=0"]
        second = subprocess.run(
            [sys.executable, str(REPOSITORY / "scripts/annotate.py"), *words],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 2
        assert "another process" in second.stderr


def post(server: Server, path: str, body: dict[str, Any], rater: str = "rater") -> tuple[int, str]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}",
        data=json.dumps(body).encode(),
        headers={"X-Rater-Key": rater, "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def get(server: Server, path: str, rater: str = "rater") -> dict[str, Any]:
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", headers={"X-Rater-Key": rater})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return dict(json.loads(answer.read()))


def list_of(server: Server, rater: str = "rater") -> str:
    return str(get(server, "/api/state", rater)["list"])


def shown(server: Server, rater: str) -> list[str]:
    """What a rater sees, item by item, the order of the answers included."""
    number = len(get(server, "/api/state", rater)["status"])
    items = [get(server, f"/api/items/{position}", rater) for position in range(number)]
    return [" ".join([item["instruction"], *(slot["text"] for slot in item["slots"])]) for item in items]


def test_a_full_disk_is_said_and_no_rating_is_torn_or_called_saved(tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 30), largest_file=4096) as server:
        shared = {"list": list_of(server), "note": ""}
        saved = 0
        for position in range(30):
            sent = shared | {"id": f"id {position}", "position": position, "slot": 0, "rating": "A"}
            status, text = post(server, "/api/rating", sent)
            if status != 200:
                break
            saved += 1
        assert status == 507
        assert "could not be written to disk" in text
        assert 5 < saved < 30
        assert len(server.events()) == saved  # whole lines only
        assert len(read_events(server.run_dir / "ratings.jsonl")) == saved


def test_a_page_of_another_list_is_told_to_reload(tmp_path: Path) -> None:
    with Server(tmp_path, write_systems(tmp_path, 3)) as server:
        sent = {"id": "1", "list": "another", "position": 0, "slot": 0, "rating": "A", "note": ""}
        status, text = post(server, "/api/rating", sent)
        assert status == 409
        assert "reload" in text
        sent["list"] = list_of(server)
        assert post(server, "/api/rating", sent | {"position": 99})[0] == 400
        assert post(server, "/api/rating", sent | {"rating": "Z"})[0] == 400
        assert post(server, "/api/rating", sent | {"position": "x"})[0] == 422
        assert post(server, "/api/rating", sent | {"note": "x" * 30_000})[0] == 422
        assert server.events() == []


def test_a_rater_who_joins_later_takes_open_items_and_moves_nothing_else(tmp_path: Path) -> None:
    predictions = write_systems(tmp_path, 24)
    settings = {"overlap": 1, "repeats": 0.2}
    with Server(tmp_path, predictions, raters="[ann,ben]", **settings) as server:
        before = {rater: shown(server, rater) for rater in ("ann", "ben")}
        assert [len(own) for own in before.values()] == [14, 14]  # 12 items, 2 of them twice
        for slot in (0, 1):
            sent = {
                "id": str(slot),
                "list": list_of(server, "ann"),
                "position": 0,
                "slot": slot,
                "rating": "B",
            }
            assert post(server, "/api/rating", sent, "ann")[0] == 200
        assert server.stop() == 3
        (tmp_path / "copy").write_bytes((server.run_dir / "ratings.jsonl").read_bytes())
    with Server(tmp_path, predictions, raters="[ann,ben,eve]", **settings) as server:
        assert "eve joins with 7 items; taken over, not yet touched: of ben 4, ann 3" in server.output
        after = {rater: shown(server, rater) for rater in ("ann", "ben", "eve")}
        for rater, own in before.items():
            assert [text for text in own if text in after[rater]] == after[rater]
            assert after[rater][:6] == own[:6]
        instructions = [{text.split(". ")[0] for text in own} for own in after.values()]
        assert sum(map(len, instructions)) == len(set.union(*instructions)) == 24  # none lost, none twice
        assert get(server, "/api/state", "ann")["status"][0] == "d"
        assert server.stop() == 3
    assert (server.run_dir / "ratings.jsonl").read_bytes() == (tmp_path / "copy").read_bytes()
    with Server(tmp_path, predictions, raters="[ann,ben,eve]", **settings) as server:
        assert {rater: shown(server, rater) for rater in after} == after
        assert "eve joins" not in server.output


def test_raters_once_named_stay_and_overlap_is_never_lowered(tmp_path: Path) -> None:
    predictions = write_systems(tmp_path, 4)
    with Server(tmp_path, predictions, raters="[ann,ben]", overlap=2) as server:
        server.stop()
    words = [f"run_dir={server.run_dir}", f"predictions=[{','.join(predictions)}]", "port=0", "repeats=0"]
    for change, message in (
        ("raters=[ann]", "raters: ben rate in"),
        ("raters=[ann,ben] overlap=1", "overlap: was 2"),
        ("raters=[ann,ben] seed=2", "seed: was 1, is now 2"),
    ):
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "scripts/annotate.py"), *words, *change.split()],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 2
        assert message in done.stderr
