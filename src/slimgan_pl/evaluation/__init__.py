"""Judging every width: feature extractors, metrics, and the evaluation that runs them."""

from slimgan_pl.evaluation.evaluator import Evaluator
from slimgan_pl.evaluation.extractors import DigitsClassifier, FidelityExtractor, InceptionExtractor
from slimgan_pl.evaluation.image_sources import FakeSource, FolderSource, GeneratorSource
from slimgan_pl.evaluation.metrics.consistency import ClassAgreement, InceptionConsistency
from slimgan_pl.evaluation.metrics.frechet import FeatureStatistics, Gaussian, frechet_distance
from slimgan_pl.evaluation.metrics.inception_score import SplitScore
from slimgan_pl.evaluation.metrics.kernel import KernelDistance, kernel_distance
from slimgan_pl.evaluation.metrics.prdc import Manifold, Neighbours, compare_manifolds, make_manifold
from slimgan_pl.evaluation.metrics.registry import LOWER_IS_BETTER
from slimgan_pl.evaluation.protocols import PROTOCOLS, Protocol
from slimgan_pl.evaluation.results import judge_of, key_of

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
