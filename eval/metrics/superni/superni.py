"""The official SuperNI scores as an `evaluate` module, loaded from this repository's own path.

python -c "import evaluate; print(evaluate.load('eval/metrics/superni'))"
"""

import datasets
import evaluate

from eval.scoring import score

_DESCRIPTION = "ROUGE-L, ROUGE-1 (stemmed, sentence level) and exact match, the maximum over the references."
_KWARGS = """
Args:
    predictions: list of texts.
    references: for each prediction the list of acceptable texts.
Returns:
    rougeL, rouge1, exact_match: means over the instances, times 100, to 4 decimals.
"""
_CITATION = """
@inproceedings{wang2022supernaturalinstructions,
  title={Super-NaturalInstructions: Generalization via Declarative Instructions on 1600+ NLP Tasks},
  author={Wang, Yizhong and others},
  booktitle={EMNLP},
  year={2022}
}
"""


class SuperNI(evaluate.Metric):
    """Scores of the default (English) track by the functions that `scripts/eval_superni.py` uses."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_KWARGS,
            features=datasets.Features(
                {
                    "predictions": datasets.Value("string"),
                    "references": datasets.Sequence(datasets.Value("string")),
                }
            ),
        )

    def _compute(self, predictions: list[str], references: list[list[str]]) -> dict[str, float]:
        scores = score(predictions, references)
        return {metric: round(float(values.mean()), 4) for metric, values in scores.items()}
