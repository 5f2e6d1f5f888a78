"""How far raters agree (paper, section 4.4: kappa 0.58 on four levels, 0.75 on A/B against C/D, rho 0.81).

85 % of equal ratings can be a kappa of 0.51, and any value from 20 ratings is vague: raw agreement, the
coefficients, their intervals and n always go together. Point values come from scikit-learn, scipy and
krippendorff; a value that is not defined (all ratings on one level, say) is None, never 0 or 1.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings
"""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eval.intervals import LEVEL, RESAMPLES, Interval, cluster_draws

Key = tuple[str, str]  # (item, system)
KAPPAS = ("kappa", "kappa_linear", "kappa_quadratic", "kappa_halves")


@dataclass(frozen=True)
class PairAgreement:
    """Two raters (or a rater's first and repeated ratings) on the answers that both rated.

    Attributes:
        n: answers rated by both; `items`: the items they belong to.
        equal: share of equal ratings, x100, with its 95 % Wilson interval.
        kappas: Cohen's kappa by name: all levels; weighted linearly and by squares; and, for four levels,
            the better two against the worse two. Each -1 to 1 with a 95 % interval by bootstrap over items,
            or None.
        spearman: Spearman's rho of the ordered levels, or None.
    """

    first: str
    second: str
    n: int
    items: int
    equal: Interval | None
    kappas: dict[str, Interval | None]
    spearman: float | None

    def as_json(self) -> dict[str, Any]:
        """Everything, to 4 decimals."""

        def shown(value: Interval | None) -> dict[str, float | None] | None:
            if value is None:
                return None
            return {name: _finite(getattr(value, name)) for name in ("value", "low", "high")}

        return {
            "first": self.first,
            "second": self.second,
            "n": self.n,
            "items": self.items,
            "equal": shown(self.equal),
            **{name: shown(value) for name, value in self.kappas.items()},
            "spearman": None if self.spearman is None else _finite(self.spearman),
        }


def pair_agreement(
    names: tuple[str, str],
    first: Mapping[Key, str],
    second: Mapping[Key, str],
    levels: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> PairAgreement:
    """Agreement on the answers that are in both; `levels` from best to worst.

    Raises:
        ValueError: a rating that is not among the levels.
    """
    shared = sorted(first.keys() & second.keys())
    one = [levels.index(first[key]) for key in shared]
    two = [levels.index(second[key]) for key in shared]
    items = sorted({item for item, _ in shared})
    equal: Interval | None = None
    kappas: dict[str, Interval | None] = dict.fromkeys(KAPPAS if len(levels) == 4 else KAPPAS[:1])
    if shared:
        row = {item: index for index, item in enumerate(items)}
        confusion = np.zeros((len(items), len(levels), len(levels)))
        for (item, _), a, b in zip(shared, one, two, strict=True):
            confusion[row[item], a, b] += 1
        # Whole items are drawn: the answers to one item are rated together.
        draws = cluster_draws(len(items), resamples, seed) @ confusion.reshape(len(items), -1)
        drawn = draws.reshape(-1, len(levels), len(levels))
        equal = share_interval(int(np.equal(one, two).sum()), len(shared))
        for name in kappas:
            resampled = resampled_kappa(name, drawn) if len(items) > 1 else np.array([])
            kappas[name] = _interval(_kappa(name, one, two, len(levels)), resampled)
    return PairAgreement(*names, len(shared), len(items), equal, kappas, _spearman(one, two))


def _kappa(name: str, one: Sequence[int], two: Sequence[int], levels: int) -> float:
    from sklearn.metrics import cohen_kappa_score  # here: a second of imports

    weights = {"kappa_linear": "linear", "kappa_quadratic": "quadratic"}.get(name)
    if name == "kappa_halves":
        one, two, levels = [level // 2 for level in one], [level // 2 for level in two], 2
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # of 0 / 0: the result is not a number, which is what we want to see
        return float(cohen_kappa_score(one, two, labels=list(range(levels)), weights=weights))


def resampled_kappa(name: str, confusions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same kappa of many confusion matrices at once, (resamples, levels, levels) -> (resamples,)."""
    if name == "kappa_halves":
        confusions = confusions.reshape(len(confusions), 2, 2, 2, 2).sum(axis=(2, 4))
    levels = confusions.shape[1]
    distance = np.abs(np.subtract.outer(np.arange(levels), np.arange(levels))).astype(float)
    match name:
        case "kappa_linear":
            weights = distance
        case "kappa_quadratic":
            weights = distance**2
        case _:
            weights = (distance > 0).astype(float)
    total = confusions.sum(axis=(1, 2))
    chance = confusions.sum(axis=2)[:, :, None] * confusions.sum(axis=1)[:, None, :] / total[:, None, None]
    with np.errstate(all="ignore"):
        kappa: NDArray[np.float64] = 1 - (confusions * weights).sum((1, 2)) / (chance * weights).sum((1, 2))
    return kappa


def _spearman(one: Sequence[int], two: Sequence[int]) -> float | None:
    from scipy.stats import spearmanr

    if len(one) < 2 or len(set(one)) == 1 or len(set(two)) == 1:
        return None
    return float(spearmanr(one, two).statistic)


def krippendorff_alpha(ratings: Mapping[str, Mapping[Key, str]], levels: Sequence[str]) -> float | None:
    """Krippendorff's alpha (ordinal) of all raters, whoever rated what; None where it is not defined.

    `ratings`: rater -> (item, system) -> level; `levels` in order.
    """
    import krippendorff

    keys = sorted({key for given in ratings.values() for key in given})
    table = np.full((len(ratings), len(keys)), math.nan)
    for row, given in enumerate(ratings.values()):
        for column, key in enumerate(keys):
            if key in given:
                table[row, column] = levels.index(given[key])
    pairable = table[:, (~np.isnan(table)).sum(axis=0) > 1]
    if len(np.unique(pairable[~np.isnan(pairable)])) < 2:
        return None  # nothing was rated twice, or all on one level: no disagreement could be expected
    domain = list(range(len(levels)))
    return float(krippendorff.alpha(pairable, value_domain=domain, level_of_measurement="ordinal"))


def doubly_rated(ratings: Mapping[str, Mapping[Key, str]]) -> int:
    """How many answers have the ratings of at least two raters: the n of Krippendorff's alpha."""
    counts: dict[Key, int] = {}
    for given in ratings.values():
        for key in given:
            counts[key] = counts.get(key, 0) + 1
    return sum(count > 1 for count in counts.values())


@dataclass(frozen=True)
class McNemar:
    """The answers on which two systems differ in a yes/no property, and the exact two-sided p value."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """McNemar's exact test of two systems on the same items; p is 1 where they never differ.

    Raises:
        ValueError: not as many items in both.
    """
    from scipy.stats import binomtest

    pairs = list(zip(first, second, strict=True))
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    differing = only_first + only_second
    p = float(binomtest(only_first, differing, 0.5).pvalue) if differing else 1.0
    return McNemar(only_first, only_second, p)


def share_interval(count: int, n: int) -> Interval:
    """A share of n independent items, x100, with its 95 % Wilson interval (holds at 0 and at n, too).

    Raises:
        ValueError: n is 0.
    """
    from scipy.stats import binomtest

    bounds = binomtest(count, n).proportion_ci(LEVEL, method="wilson")
    return Interval(100 * count / n, 100 * float(bounds.low), 100 * float(bounds.high))


def _interval(value: float, resampled: NDArray[np.float64]) -> Interval | None:
    if not math.isfinite(value):
        return None
    defined = resampled[np.isfinite(resampled)]
    if not len(defined):
        return Interval(value, math.nan, math.nan)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high))


def _finite(value: float) -> float | None:
    return round(value, 4) + 0.0 if math.isfinite(value) else None
