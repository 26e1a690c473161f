"""Evaluation of every width: feature extractors, metrics, and results."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slimgan_pl.evaluation.accumulators import ClassAgreement, FeatureStatistics, InceptionConsistency, SplitScore
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

_HOMES = {  # modules, each imported when one of its names is first used
    "accumulators": ("ClassAgreement", "FeatureStatistics", "InceptionConsistency", "SplitScore"),
    "evaluator": ("Evaluator",),
    "extractors": ("DigitsClassifier", "FidelityExtractor", "InceptionExtractor"),
    "image_sources": ("FakeSource", "FolderSource", "GeneratorSource"),
    "metrics.frechet": ("frechet_distance",),
    "metrics.kernel": ("KernelDistance", "kernel_distance"),
    "metrics.prdc": ("Neighbours", "compare_manifolds", "make_manifold"),
    "metrics.registry": ("LOWER_IS_BETTER",),
    "protocols": ("PROTOCOLS", "Protocol"),
    "results": ("EvaluationResults", "judge_of", "key_of"),
    "summaries": ("Gaussian", "Manifold"),
}


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
