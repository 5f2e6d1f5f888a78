"""ROUGE against `rouge_score` itself: equal to the last bit."""

import random
import subprocess
import sys

import pytest
from rouge_score import rouge_scorer

from selfinstruct import rouge

PLAIN = rouge_scorer.RougeScorer(["rouge1", "rougeL"], use_stemmer=False)
STEMMED = rouge_scorer.RougeScorer(["rouge1", "rougeL"], use_stemmer=True)

ENGLISH = """the a of running runs ran flies flying classification classes relational conditional generously
    ponies was has this is does sky skies dying news inning innings bus buses 42 3rd don't hopefulness
    _under_score_ e.g. ; -- UTF-8"""
OTHER = ["Café", "İstanbul", "\u212aelvin", "中文", "हिन्दी", "🙂", "\u2028", "\x85", "\n", "ß", "ﬁne", ""]
WORDS = ENGLISH.split() + OTHER


def random_text(rng, max_words):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randrange(max_words + 1)))


def tie_shapes(longest):
    """Every (target length, prediction length, LCS) up to `longest` whose exact F-measure is 7/10."""
    for target in range(1, longest + 1):
        for prediction in range(1, longest + 1):
            common, rest = divmod(7 * (target + prediction), 20)
            if rest == 0 and common <= min(target, prediction):
                yield target, prediction, common


def text_of_shape(length, common, filler):
    return " ".join([f"c{i}" for i in range(common)] + [f"{filler}{i}" for i in range(length - common)])


def test_every_tie_shape_up_to_length_60_equals_rouge_score():
    shapes = list(tie_shapes(60))
    assert len(shapes) > 80
    for target_length, prediction_length, common in shapes:
        target = text_of_shape(target_length, common, "t")
        prediction = text_of_shape(prediction_length, common, "p")
        expected = PLAIN.score(target, prediction)["rougeL"].fmeasure
        assert rouge.rouge_l(target, prediction, rouge.tokenize_english) == expected


def test_ties_fall_on_both_sides_of_the_threshold():
    assert rouge.f_measure(7, 10, 10) == 0.7
    assert rouge.f_measure(7, 9, 11) == 0.7000000000000001


@pytest.mark.parametrize(
    ("scorer", "tokenize"),
    [(PLAIN, rouge.tokenize_english), (STEMMED, rouge.tokenize_english_stemmed)],
    ids=["unstemmed", "stemmed"],
)
def test_random_unicode_text_equals_rouge_score(scorer, tokenize):
    rng = random.Random(7)
    targets = [random_text(rng, 40) for _ in range(1500)]
    predictions = [random_text(rng, 40) for _ in range(1500)]
    expected = [scorer.score(*pair) for pair in zip(targets, predictions, strict=True)]
    for score, name in ((rouge.rouge_l_pairs, "rougeL"), (rouge.rouge_1_pairs, "rouge1")):
        assert score(targets, predictions, tokenize).tolist() == [each[name].fmeasure for each in expected]


def test_texts_of_1000_tokens_equal_rouge_score():
    rng = random.Random(3)
    target = " ".join(str(rng.randrange(400)) for _ in range(1000))
    prediction = " ".join(str(rng.randrange(400)) for _ in range(1000))
    expected = PLAIN.score(target, prediction)
    assert rouge.rouge_l(target, prediction, rouge.tokenize_english) == expected["rougeL"].fmeasure
    assert rouge.rouge_1(target, prediction, rouge.tokenize_english) == expected["rouge1"].fmeasure


def test_rouge_1_counts_repeated_words_and_ignores_order():
    # 2 of 'a', 1 of 'b' in common; 4 and 3 tokens: precision 1, recall 3/4
    assert rouge.rouge_1("a b a c", "b a a", rouge.tokenize_english) == pytest.approx(6 / 7)
    assert rouge.rouge_l("a b a c", "b a a", rouge.tokenize_english) == pytest.approx(4 / 7)


@pytest.mark.parametrize(("target", "prediction"), [("", ""), ("", "word"), ("word", ""), ("?!", "中文")])
def test_a_side_without_tokens_scores_zero(target, prediction):
    assert rouge.rouge_l(target, prediction, rouge.tokenize_english) == 0.0
    assert rouge.rouge_1(target, prediction, rouge.tokenize_english) == 0.0


def test_no_pairs_give_no_scores():
    assert rouge.rouge_l_pairs([], [], rouge.tokenize_english).tolist() == []


def test_lists_of_different_length_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        rouge.rouge_l_pairs(["a", "b"], ["a"], rouge.tokenize_english)


def test_one_against_a_pool_equals_each_pair():
    rng = random.Random(5)
    texts = [random_text(rng, 20) for _ in range(60)]
    pool = rouge.EncodedPool(rouge.tokenize_english)
    for text in texts[:50]:
        pool.append(text)
    for text in texts[40:]:
        expected = [PLAIN.score(text, member)["rougeL"].fmeasure for member in texts[:50]]
        assert pool.rouge_l(text).tolist() == expected


def test_a_pool_may_hold_more_distinct_tokens_than_the_basic_plane():
    pool = rouge.EncodedPool(str.split)
    words = [f"w{i}" for i in range(70_000)]  # passes the surrogates and chr(0xFFFF)
    for start in range(0, len(words), 100):
        pool.append(" ".join(words[start : start + 100]))
    assert pool.rouge_l(" ".join(words[56_000:56_100])).tolist().index(1.0) == 560
    assert pool.rouge_l(" ".join(words[69_900:])).tolist().index(1.0) == 699


def test_words_of_three_letters_are_not_stemmed():
    assert rouge.tokenize_english_stemmed("was dies has") == ["was", "die", "has"]


def test_unicode_tokenizer_equals_the_english_one_on_ascii():
    text = "Don't stop_here: 3 e-mails, OK?\t(x+y)"
    assert rouge.tokenize_unicode(text) == rouge.tokenize_english(text)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Straße CAFÉ", ["strasse", "café"]),
        ("cafe\u0301", ["café"]),
        ("हिन्दी में लिखो।", ["हिन्दी", "में", "लिखो"]),
        ("写一首诗。", ["写", "一", "首", "诗"]),
        ("GPT3を使う", ["gpt3", "を", "使", "う"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("１２３", ["123"]),
        ("🙂 … —", []),
    ],
)
def test_unicode_tokenizer(text, tokens):
    assert rouge.tokenize_unicode(text) == tokens


def test_importing_the_text_modules_loads_neither_torch_nor_nltk():
    code = (
        "import sys, selfinstruct.novelty, selfinstruct.parsing, selfinstruct.prompts;"
        "print(sorted({'torch', 'transformers', 'nltk', 'rapidfuzz'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "['rapidfuzz']\n", done.stderr


@pytest.mark.parametrize("num_members", [30, 3000])
def test_rows_against_a_pool_equal_pair_by_pair(num_members):
    rng = random.Random(num_members)
    texts = [random_text(rng, 12) for _ in range(num_members)]
    pool = rouge.EncodedPool(rouge.tokenize_english)
    for text in texts:
        pool.append(text)
    rows = ["", texts[0], "of the a running", " ".join(rng.choices(WORDS, k=300))]
    found = pool.rouge_l_by_row([pool.encode(row) for row in rows], 5, num_members)
    for row, scores in zip(rows, found, strict=True):
        expected = [PLAIN.score(row, text)["rougeL"].fmeasure for text in texts[5:]]
        assert scores.tolist() == expected
