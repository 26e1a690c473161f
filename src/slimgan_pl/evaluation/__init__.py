"""Judging every width: feature extractors, metrics, and the evaluation that runs them."""

from slimgan_pl.evaluation.evaluator import Evaluator
from slimgan_pl.evaluation.extractors import DigitsClassifier, FidelityExtractor, InceptionExtractor, judge_of, key_of
from slimgan_pl.evaluation.figures import LOWER_IS_BETTER
from slimgan_pl.evaluation.metrics import (
    ClassAgreement,
    FeatureStatistics,
    Gaussian,
    InceptionConsistency,
    KernelDistance,
    SplitScore,
    frechet_distance,
    kernel_distance,
)
from slimgan_pl.evaluation.neighbours import Manifold, Neighbours, compare_manifolds, make_manifold
from slimgan_pl.evaluation.protocols import PROTOCOLS, Protocol
from slimgan_pl.evaluation.sources import FakeSource, FolderSource, GeneratorSource

__all__ = [
    "LOWER_IS_BETTER",
    "PROTOCOLS",
    "ClassAgreement",
    "DigitsClassifier",
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
