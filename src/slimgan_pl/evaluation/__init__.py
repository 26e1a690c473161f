"""Evaluation of every width: feature extractors, metrics, and results."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slimgan_pl.evaluation.accumulators import (
        ClassAgreement,
        FeatureStatistics,
        InceptionConsistency,
        SplitScore,
    )
    from slimgan_pl.evaluation.evaluator import Evaluator
    from slimgan_pl.evaluation.extractors import DigitsClassifier, FidelityExtractor, InceptionExtractor
    from slimgan_pl.evaluation.image_sources import FakeSource, FolderSource, GeneratorSource
    from slimgan_pl.evaluation.metrics.frechet import frechet_distance
    from slimgan_pl.evaluation.metrics.kernel import KernelDistance, kernel_distance
    from slimgan_pl.evaluation.metrics.prdc import Neighbours, compare_manifolds, make_manifold
    from slimgan_pl.evaluation.metrics.registry import LOWER_IS_BETTER
    from slimgan_pl.evaluation.protocols import PROTOCOLS, Protocol
    from slimgan_pl.evaluation.results import EvaluationResults, judge_of, key_of
    from slimgan_pl.evaluation.summaries import Gaussian, Manifold

__all__ = [
    "LOWER_IS_BETTER",
    "PROTOCOLS",
    "ClassAgreement",
    "DigitsClassifier",
    "EvaluationResults",
    "Evaluator",
    "FakeSource",
    "FeatureStatistics",
    "FidelityExtractor",
    "FolderSource",
    "Gaussian",
    "GeneratorSource",
    "InceptionConsistency",
    "InceptionExtractor",
    "KernelDistance",
    "Manifold",
    "Neighbours",
    "Protocol",
    "SplitScore",
    "compare_manifolds",
    "frechet_distance",
    "judge_of",
    "kernel_distance",
    "key_of",
    "make_manifold",
]

_HOMES = {  # modules, which are imported when a name is first used
    "ClassAgreement": "slimgan_pl.evaluation.accumulators",
    "DigitsClassifier": "slimgan_pl.evaluation.extractors",
    "EvaluationResults": "slimgan_pl.evaluation.results",
    "Evaluator": "slimgan_pl.evaluation.evaluator",
    "FakeSource": "slimgan_pl.evaluation.image_sources",
    "FeatureStatistics": "slimgan_pl.evaluation.accumulators",
    "FidelityExtractor": "slimgan_pl.evaluation.extractors",
    "FolderSource": "slimgan_pl.evaluation.image_sources",
    "Gaussian": "slimgan_pl.evaluation.summaries",
    "GeneratorSource": "slimgan_pl.evaluation.image_sources",
    "InceptionConsistency": "slimgan_pl.evaluation.accumulators",
    "InceptionExtractor": "slimgan_pl.evaluation.extractors",
    "KernelDistance": "slimgan_pl.evaluation.metrics.kernel",
    "LOWER_IS_BETTER": "slimgan_pl.evaluation.metrics.registry",
    "Manifold": "slimgan_pl.evaluation.summaries",
    "Neighbours": "slimgan_pl.evaluation.metrics.prdc",
    "PROTOCOLS": "slimgan_pl.evaluation.protocols",
    "Protocol": "slimgan_pl.evaluation.protocols",
    "SplitScore": "slimgan_pl.evaluation.accumulators",
    "compare_manifolds": "slimgan_pl.evaluation.metrics.prdc",
    "frechet_distance": "slimgan_pl.evaluation.metrics.frechet",
    "judge_of": "slimgan_pl.evaluation.results",
    "kernel_distance": "slimgan_pl.evaluation.metrics.kernel",
    "key_of": "slimgan_pl.evaluation.results",
    "make_manifold": "slimgan_pl.evaluation.metrics.prdc",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
