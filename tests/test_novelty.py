"""The novelty filter against the released expressions over `rouge_score`."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
from rouge_score import rouge_scorer

from selfinstruct import rouge
from selfinstruct.errors import UserError
from selfinstruct.novelty import NoveltyFilter, Verdict

SHARED = Path(__file__).parents[2] / "shared/data"
SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

VERBS = ["Write", "Explain", "List", "Find"]
OBJECTS = ["a poem", "the rule", "five names", "an error in the code"]
PLACES = ["of the village", "by the sea", "in spring", "at night with friends", ""]
ENDS = ["for a child.", "in one line.", "and say why.", "from the text below.", "as a letter to a friend."]


def released(texts=(), threshold=0.7):
    pool = NoveltyFilter(threshold, "english", reject_exact_duplicates=False, released_ties=True)
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
        if not verdict.is_novel:
            assert verdict.nearest_score == max(scores)
            assert verdict.nearest_text == members[scores.index(max(scores))]
        if scores:
            most_similar = {members[i]: scores[i] for i in np.argsort(scores)[-10:][::-1]}
            assert list(pool.similarity(text)[0].items()) == list(most_similar.items())
            assert pool.similarity(text)[1] == float(np.mean(scores))
        num_rejected += not verdict.is_novel
        if verdict.is_novel or len(members) % 3 == 0:
            pool.add(text)
            members.append(text)
    assert 20 < num_rejected < 180
    assert len(pool) == len(members)


def test_of_equally_similar_members_the_earliest_are_listed_first_wherever_it_runs():
    members = [f"{word} rivers of {place}" for word in ("Name", "List") for place in "abcdefgh"]
    text = "Name rivers of z"
    scores = scores_by_rouge_score(text, members)
    assert scores == [0.75] * 8 + [0.5] * 8
    pool = NoveltyFilter(0.9, "unicode", reject_exact_duplicates=True)
    pool.extend(members)
    most_similar, mean = pool.similarity(text)
    assert list(most_similar.items()) == list(zip(members, scores, strict=True))[:10]
    assert mean == float(np.mean(scores))


def test_the_highest_of_200_pools_are_those_of_a_full_sort():
    texts = instructions(400)
    pool = NoveltyFilter(1.0, "unicode", reject_exact_duplicates=False)
    pool.extend(texts)
    for i, (most_similar, mean) in enumerate(pool.similarities(0, 200)):
        scores = scores_by_rouge_score(texts[i], texts[:i])
        order = sorted(range(i), key=lambda place: (-scores[place], place))[:10]
        assert list(most_similar.items()) == list({texts[place]: scores[place] for place in order}.items())
        assert mean == (float(np.mean(scores)) if scores else 0.0)


def test_a_tie_is_rejected_only_where_the_float_lies_above_the_threshold():
    ten_words = released(["a b c d e f g p q r"])
    eleven_words = released(["a b c d e f g p q r s"])
    assert ten_words.similarity("a b c d e f g x y z") == ({"a b c d e f g p q r": 0.7}, 0.7)
    assert ten_words.check("a b c d e f g x y z") == Verdict(True)
    assert eleven_words.check("a b c d e f g x y") == Verdict(
        False, "a b c d e f g p q r s", 0.7000000000000001
    )


def test_the_threshold_is_the_one_given():
    assert not released(["a b c d"], threshold=0.4).check("a b x y").is_novel
    assert released(["a b c d"], threshold=0.5).check("a b x y").is_novel


def test_an_empty_pool_takes_anything():
    assert released().check("Anything.") == Verdict(True)
    assert released().similarity("Anything.") == ({}, 0.0)


def test_checking_does_not_add():
    pool = released(["Name a river."])
    pool.check("Explain gravity.")
    assert len(pool) == 1


def test_equal_pool_members_share_one_entry_of_the_most_similar():
    pool = released(["a b", "a b", "c d"])
    assert pool.similarity("a b") == ({"a b": 1.0, "c d": 0.0}, pytest.approx(2 / 3))


def test_released_never_rejects_a_text_without_ascii_letters():
    assert released(["写一首诗。"]).check("写一首诗。") == Verdict(True)


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
            score = released([other]).similarity(line["instruction"])[1]
            assert score == line["most_similar"][other]
            num_compared += 1
        pool.add(line["instruction"])
    assert num_compared > 100


# The index: the same decisions as a scan of the whole pool


def by_scan(texts, threshold, tokenize=rouge.tokenize_english):
    """The verdicts of a filter that scores every pair."""
    pool, members, verdicts = rouge.EncodedPool(tokenize), [], []
    for text in texts:
        scores = pool.rouge_l(text) if members else np.zeros(0)
        if len(scores) and scores.max() > threshold:
            verdicts.append(Verdict(False, members[scores.argmax()], float(scores.max())))
            continue
        verdicts.append(Verdict(True))
        pool.append(text)
        members.append(text)
    return verdicts


def rouge_l_with(members, text):
    pool = rouge.EncodedPool(rouge.tokenize_english)
    for member in members:
        pool.append(member)
    return pool.rouge_l(text).tolist()


def edited(rng, words, vocabulary):
    """A text with some words replaced, left out, put in or moved."""
    words = list(words)
    for _ in range(rng.randrange(len(words) // 2 + 2)):
        place = rng.randrange(len(words) + 1)
        match rng.randrange(4):
            case 0:
                words[place : place + 1] = [rng.choice(vocabulary)]
            case 1:
                words[place : place + 1] = []
            case 2:
                words[place:place] = [rng.choice(vocabulary)]
            case _ if words:
                words.insert(place, words.pop(rng.randrange(len(words))))
    return words


def near_copies(count, num_words, longest, seed):
    """Texts of 0 to `longest` words, most of them edits of an earlier one: many scores close to 0.7."""
    rng = random.Random(seed)
    vocabulary = [f"w{int(num_words * rng.random() ** 3)}" for _ in range(4 * num_words)]
    texts = [[]]
    while len(texts) < count:
        if rng.random() < 0.7:
            texts.append(edited(rng, rng.choice(texts), vocabulary))
        else:
            texts.append(rng.choices(vocabulary, k=rng.choice([1, 2, 3, 5, 8, 20, longest])))
    return [" ".join(words) for words in texts]


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.7, 0.9, 1.0])
@pytest.mark.parametrize(("num_words", "longest"), [(3, 30), (40, 60), (2000, 150)])
def test_any_batch_size_gives_the_verdicts_of_a_scan(threshold, num_words, longest):
    texts = near_copies(400, num_words, longest, seed=num_words)
    expected = by_scan(texts, threshold)
    for batch_size in (400, 37):
        pool = released(threshold=threshold)
        verdicts = []
        for first in range(0, len(texts), batch_size):
            verdicts += pool.admit(texts[first : first + batch_size])
        assert verdicts == expected
        assert len(pool) == sum(verdict.is_novel for verdict in expected)


def test_frequent_words_in_texts_around_the_length_that_divides_short_from_long(monkeypatch):
    rng = random.Random(4)
    vocabulary = [f"w{i}" for i in range(120)]
    texts = [rng.choices(vocabulary, k=rng.randint(30, 50)) for _ in range(60)]
    while len(texts) < 600:
        words = list(rng.choice(texts))
        for _ in range(rng.randint(0, 9)):
            place = rng.randrange(len(words))
            words[place : place + 1] = rng.choices(vocabulary, k=rng.choice([0, 0, 2, 3]))
        texts.append(words)
    texts = [" ".join(words) for words in texts]
    expected = by_scan(texts, 0.7)
    for rare in (0, 100):
        monkeypatch.setattr("selfinstruct.overlap_index._RARE", rare)
        assert released().admit(texts) == expected
        half = released(texts[:300]).neighbours(texts[300:])
        assert half == [
            [(j, score) for j, score in enumerate(scores) if score > 0.7]
            for scores in (rouge_l_with(texts[:300], text) for text in texts[300:])
        ]


def test_a_pool_that_grows_one_by_one_past_several_rebuilds_gives_the_verdicts_of_a_scan():
    texts = near_copies(3500, 3000, 40, seed=5)
    pool, verdicts = released(), []
    for text in texts:
        verdicts.append(pool.check(text))
        if verdicts[-1].is_novel:
            pool.add(text)
    assert verdicts == by_scan(texts, 0.7)
    assert 500 < sum(verdict.is_novel for verdict in verdicts) < 3000


def test_a_reloaded_pool_answers_as_the_one_that_grew():
    texts = near_copies(2500, 800, 60, seed=8)
    grown = released()
    kept = []
    for first in range(0, 2000, 300):
        batch = texts[first : min(2000, first + 300)]
        verdicts = grown.admit(batch)
        kept += [text for text, verdict in zip(batch, verdicts, strict=True) if verdict.is_novel]
    reloaded = released(kept)
    assert len(reloaded) == len(grown)
    assert reloaded.neighbours(texts) == grown.neighbours(texts)
    assert reloaded.similarity(texts[2000]) == grown.similarity(texts[2000])
    assert reloaded.admit(texts[2000:]) == grown.admit(texts[2000:])


def test_the_number_of_threads_and_the_size_of_their_steps_change_nothing(monkeypatch):
    texts = near_copies(1500, 300, 60, seed=9)
    expected = released().admit(texts)
    monkeypatch.setattr("selfinstruct.overlap_index._POSTINGS_AT_ONCE", 500)
    for threads in (1, 3):
        pool = NoveltyFilter(0.7, "english", reject_exact_duplicates=False, threads=threads)
        assert pool.admit(texts) == expected


def test_every_tie_up_to_150_tokens_is_decided_as_rouge_score_does():
    targets, predictions = [], []
    for m in range(1, 151):
        for n in range(m, 151):
            common, rest = divmod(7 * (m + n), 20)
            if rest == 0 and common <= m:
                same = [f"c{m}x{n}x{i}" for i in range(common)]
                targets.append(" ".join([*same, *(f"t{m}x{n}x{i}" for i in range(m - common))]))
                predictions.append(" ".join([*(f"p{m}x{n}x{i}" for i in range(n - common)), *same]))
    assert len(targets) > 250
    expected = [
        SCORER.score(one, other)["rougeL"].fmeasure for one, other in zip(targets, predictions, strict=True)
    ]
    rejected = [[(i, score)] if score > 0.7 else [] for i, score in enumerate(expected)]
    assert 100 < sum(map(len, rejected)) < len(targets)
    assert released(targets).neighbours(predictions) == rejected
    assert released(predictions).neighbours(targets) == rejected


def test_texts_of_any_shape_are_decided_as_by_a_scan():
    rng = random.Random(1)
    words = [f"w{i}" for i in range(60_000)]
    thousand = " ".join(rng.choices(words, k=1000))
    texts = ["", "?!", "w1", "w1 w2", "写一首诗。", thousand, thousand + " w1", " ".join(words), "w1"]
    texts += [" ".join(words[:30_000] + words[31_000:]), "w2 " * 70_000, "w2 " * 69_000, "w2 " * 30_000, ""]
    texts += instructions(200)
    assert released().admit(texts) == by_scan(texts, 0.7)


def test_distinct_tokens_beyond_the_last_code_point_change_nothing(monkeypatch):
    texts = near_copies(300, 100, 50, seed=2)
    expected = released().admit(texts)
    similarities = released(texts).similarity(texts[7])
    monkeypatch.setattr("selfinstruct.rouge._TokenCharacters.num_characters", 20)
    assert released().admit(texts) == expected
    assert released(texts).similarity(texts[7]) == similarities


def test_similarities_of_members_are_those_at_the_time_they_joined():
    texts = instructions(150)
    pool = released()
    expected = []
    for text in texts:
        expected.append(pool.similarity(text))
        pool.add(text)
    assert list(pool.similarities(0, 150)) == expected
    assert list(pool.similarities(70, 75)) == expected[70:75]


def test_neighbours_are_all_members_above_the_threshold_in_order():
    pool = NoveltyFilter(0.7, "unicode", reject_exact_duplicates=True)
    pool.extend(["a b c d", "🙂", "x y", "a b c d e"])
    assert pool.neighbours(["a b c d", "🙂", "z"]) == [[(0, 1.0), (3, pytest.approx(8 / 9))], [(1, 1.0)], []]


def test_explain_names_the_member_and_what_is_common():
    pool = released(["Name a river.", "Write a short poem about the sea at night."])
    found = pool.explain("Write a poem about the big sea at night!")
    assert found.member == "Write a short poem about the sea at night."
    assert found.common == ("write a", "poem about the", "sea at night")
    assert str(found) == (
        'ROUGE-L 0.889 with "Write a short poem about the sea at night.": 8 tokens in common, in this order, '
        "of 9 and 9: write a … poem about the … sea at night"
    )
    assert pool.explain("Explain gravity.") is None


def test_explain_an_exact_duplicate_without_tokens():
    pool = NoveltyFilter(0.7, "unicode", reject_exact_duplicates=True)
    pool.add("🙂 ?")
    assert str(pool.explain("🙂  ?")) == 'the same text as "🙂 ?" up to white space'


@pytest.mark.parametrize("tokenizer", ["english", "unicode"])
@pytest.mark.soak
def test_8000_real_instructions_are_decided_as_by_rouge_score(tokenizer):
    path = SHARED / "instructions_8k.jsonl"
    if not path.exists():
        pytest.skip("the shared instructions are not here")
    texts = [json.loads(line)["instruction"] for line in path.read_text(encoding="utf-8").splitlines()]
    pool = NoveltyFilter(0.7, tokenizer, reject_exact_duplicates=False)
    verdicts = pool.admit(texts)
    tokenize = rouge.tokenize_unicode if tokenizer == "unicode" else rouge.tokenize_english
    assert verdicts == by_scan(texts, 0.7, tokenize)
    if tokenizer == "english":
        kept = [text for text, verdict in zip(texts, verdicts, strict=True) if verdict.is_novel]
        for text, (most_similar, _) in zip(kept, pool.similarities(0, len(kept)), strict=True):
            for member, score in list(most_similar.items())[:1]:
                assert score == SCORER.score(text, member)["rougeL"].fmeasure <= 0.7
        for text, verdict in zip(texts, verdicts, strict=True):
            if not verdict.is_novel:
                score = SCORER.score(text, verdict.nearest_text)["rougeL"].fmeasure
                assert score == verdict.nearest_score > 0.7
