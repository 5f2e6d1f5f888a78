"""The novelty filter on a local Ray cluster against the one on a single machine: the same verdicts."""

import random
import sys
from pathlib import Path

import pytest

from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter
from selfinstruct.novelty_cluster import admit_on_cluster

sys.path.append(str(Path(__file__).parents[1] / "scripts/bench"))
from novelty import made_up_texts

SETTINGS = [
    {"threshold": 0.7, "tokenizer": "english", "reject_exact_duplicates": False},
    {"threshold": 0.7, "tokenizer": "unicode", "reject_exact_duplicates": True},
    {"threshold": 1.0, "tokenizer": "english", "reject_exact_duplicates": True},
    {"threshold": 0.0, "tokenizer": "unicode", "reject_exact_duplicates": True},
]


@pytest.fixture(scope="module")
def cluster():
    ray = pytest.importorskip("ray")
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=200 * 2**20,
    )
    yield "local"
    ray.shutdown()


def with_copies(count):
    """Near copies, copies but for case, marks or white space, and texts without a token, in any order."""
    rng = random.Random(3)
    texts = ["", "🙂 ?", "🙂  ?", "写一首诗。", *made_up_texts(count)]
    changes = (str.upper, lambda text: text + "!", lambda text: text.replace(" ", "  "), str)
    texts += [rng.choice(changes)(rng.choice(texts)) for _ in range(count // 5)]
    rng.shuffle(texts)
    return texts


def on_one_machine(pool, texts, settings):
    one = NoveltyFilter(**settings)
    one.extend(pool)
    return one.admit(texts)


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_cluster_gives_the_verdicts_of_one_machine(cluster, settings):
    texts = with_copies(300 if settings["threshold"] == 0.0 else 3000)
    pool, candidates = texts[:100], texts[100:]
    expected = on_one_machine(pool, candidates, settings)
    assert admit_on_cluster(pool, candidates, cluster, **settings) == expected
    assert 2 < sum(verdict.is_novel for verdict in expected) < len(expected) - 2


def test_nothing_to_judge(cluster):
    assert admit_on_cluster([], [], cluster, **SETTINGS[0]) == []
    assert [v.is_novel for v in admit_on_cluster([], ["One."], cluster, **SETTINGS[0])] == [True]


@pytest.mark.soak
def test_100_000_texts_get_the_verdicts_of_one_machine(cluster):
    texts = made_up_texts(100_000)
    expected = on_one_machine([], texts, SETTINGS[1])
    assert admit_on_cluster([], texts, cluster, **SETTINGS[1]) == expected


def test_without_ray_the_message_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UserError, match=r"ray=local: Ray is not installed; pip install"):
        admit_on_cluster([], ["One."], "local", **SETTINGS[0])


@pytest.mark.parametrize("address", ["localhost:1", "ray://localhost:1", "nonsense"])
def test_an_address_without_a_cluster_is_named(address):
    pytest.importorskip("ray").shutdown()
    with pytest.raises(UserError, match=f"ray={address}: no cluster there .*; start one with `ray start"):
        admit_on_cluster([], ["One."], address, **SETTINGS[0])


def test_wrong_settings_are_refused_before_a_cluster_is_looked_for():
    with pytest.raises(UserError, match=r"novelty\.threshold"):
        admit_on_cluster([], [], "nowhere:1", threshold=70, tokenizer="english", reject_exact_duplicates=True)
