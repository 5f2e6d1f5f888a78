"""The novelty filter against the released expressions over `rouge_score`."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from rouge_score import rouge_scorer

from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter, Verdict

SHARED = Path(__file__).parents[2] / "shared/data"
SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

VERBS = ["Write", "Explain", "List", "Find"]
OBJECTS = ["a poem", "the rule", "five names", "an error in the code"]
PLACES = ["of the village", "by the sea", "in spring", "at night with friends", ""]
ENDS = ["for a child.", "in one line.", "and say why.", "from the text below.", "as a letter to a friend."]


def released(texts=(), threshold=0.7):
    pool = NoveltyFilter(threshold, "english", reject_exact_duplicates=False)
    pool.extend(texts)
    return pool


def instructions(count):
    """Made-up instructions, many near each other and some equal."""
    rng = random.Random(11)
    parts = (VERBS, OBJECTS, PLACES, ENDS)
    return [" ".join(rng.choice(part) for part in parts) for _ in range(count)]


def scores_by_rouge_score(text, pool):
    return [SCORER.score(text, member)["rougeL"].fmeasure for member in pool]


def test_200_texts_give_the_verdicts_and_similarities_of_the_released_code():
    pool = released()
    members = []
    num_rejected = 0
    for text in instructions(200):
        scores = scores_by_rouge_score(text, members)
        verdict = pool.check(text)
        assert verdict.is_novel == (not scores or not max(scores) > 0.7)
        if scores:
            assert verdict.nearest_score == max(scores)
            assert verdict.nearest_text == members[scores.index(max(scores))]
            most_similar = {members[i]: scores[i] for i in np.argsort(scores)[-10:][::-1]}
            assert list(pool.similarity(text)[0].items()) == list(most_similar.items())
            assert pool.similarity(text)[1] == float(np.mean(scores))
        num_rejected += not verdict.is_novel
        if verdict.is_novel or len(members) % 3 == 0:
            pool.add(text)
            members.append(text)
    assert 20 < num_rejected < 180
    assert len(pool) == len(members)


def test_a_tie_is_rejected_only_where_the_float_lies_above_the_threshold():
    ten_words = released(["a b c d e f g p q r"])
    eleven_words = released(["a b c d e f g p q r s"])
    assert ten_words.check("a b c d e f g x y z") == Verdict(True, "a b c d e f g p q r", 0.7)
    assert eleven_words.check("a b c d e f g x y") == Verdict(
        False, "a b c d e f g p q r s", 0.7000000000000001
    )


def test_the_threshold_is_the_one_given():
    assert not released(["a b c d"], threshold=0.4).check("a b x y").is_novel
    assert released(["a b c d"], threshold=0.5).check("a b x y").is_novel


def test_an_empty_pool_takes_anything():
    assert released().check("Anything.") == Verdict(True, None, 0.0)
    assert released().similarity("Anything.") == ({}, 0.0)


def test_checking_does_not_add():
    pool = released(["Name a river."])
    pool.check("Explain gravity.")
    assert len(pool) == 1


def test_equal_pool_members_share_one_entry_of_the_most_similar():
    pool = released(["a b", "a b", "c d"])
    assert pool.similarity("a b") == ({"a b": 1.0, "c d": 0.0}, pytest.approx(2 / 3))


def test_released_never_rejects_a_text_without_ascii_letters():
    assert released(["写一首诗。"]).check("写一首诗。") == Verdict(True, "写一首诗。", 0.0)


def test_unicode_tokenizer_rejects_a_near_copy_in_any_script():
    pool = NoveltyFilter(0.7, "unicode", reject_exact_duplicates=False)
    pool.add("写一首关于大海的诗。")
    assert not pool.check("写一首关于大海的诗吧！").is_novel
    assert pool.check("解释为什么天空是蓝色的。").is_novel


def test_exact_duplicates_are_rejected_even_without_tokens():
    pool = NoveltyFilter(0.7, "unicode", reject_exact_duplicates=True)
    pool.extend(["🙂 ?", "Name a river."])
    assert pool.check("🙂  ?\n") == Verdict(False, "🙂 ?", 1.0)
    assert pool.check("🙁 ?").is_novel


def test_exact_duplicates_pass_a_threshold_of_1_unless_asked_for():
    text = "Name a river."
    assert released([text], threshold=1.0).check(text).is_novel
    pool = NoveltyFilter(1.0, "english", reject_exact_duplicates=True)
    pool.add(text)
    assert not pool.check(text).is_novel


@pytest.mark.parametrize("threshold", [-0.1, 70, float("nan")])
def test_a_threshold_outside_0_to_1_is_refused(threshold):
    with pytest.raises(UserError, match=r"novelty\.threshold"):
        released(threshold=threshold)


def test_an_unknown_tokenizer_is_refused():
    with pytest.raises(UserError, match=r'novelty\.tokenizer is "french"'):
        NoveltyFilter(0.7, "french", reject_exact_duplicates=False)


def test_a_real_released_run_has_our_scores_among_its_machine_instructions():
    path = SHARED / "self-instruct-run/machine_generated_instructions.jsonl"
    if not path.exists():
        pytest.skip("the shared real run is not here")
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    machine = {line["instruction"] for line in lines}
    pool = released()
    num_compared = 0
    for line in lines:
        assert pool.check(line["instruction"]).is_novel
        for other in machine & set(line["most_similar"]):
            assert released([other]).check(line["instruction"]).nearest_score == line["most_similar"][other]
            num_compared += 1
        pool.add(line["instruction"])
    assert num_compared > 100
