"""Judging every width: feature extractors, metrics, and the evaluation that runs them."""

from slimgan_pl.evaluation.evaluator import Evaluator
from slimgan_pl.evaluation.extractors import DigitsClassifier, InceptionExtractor
from slimgan_pl.evaluation.metrics import (
    ClassAgreement,
    FeatureStatistics,
    Gaussian,
    InceptionConsistency,
    SplitScore,
    frechet_distance,
)

__all__ = [
    "ClassAgreement",
    "DigitsClassifier",
    "Evaluator",
    "FeatureStatistics",
    "Gaussian",
    "InceptionConsistency",
    "InceptionExtractor",
    "SplitScore",
    "frechet_distance",
]
