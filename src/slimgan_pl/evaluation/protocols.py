"""Numbers of real images and fakes, and the real split."""

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from slimgan_pl.data import Split
from slimgan_pl.errors import SlimGANError, check_choice, check_range

__all__ = ["CHOICE_SEED", "PROTOCOLS", "Counts", "Protocol", "ProtocolName", "choose", "make_protocol", "shuffled"]

CHOICE_SEED = 0  # of the choice of real images where there are more

MAX_IMAGES = 100_000_000

ProtocolName = Literal["test", "paper", "common"]


class Protocol(NamedTuple):
    """Numbers of images, which metrics share where they are comparable.

    Args:
        real_split: Split of the data that the real images come from.
        num_real: Real images; None: all of the split.
        num_fake: Fakes for distances; None: as many as real images.
        num_score: Fakes for the inception score; None: as many as for distances.
        splits: Parts of the fakes, over which the score has its mean and standard deviation.
    """

    real_split: Split = "test"
    num_real: int | None = None
    num_fake: int | None = None
    num_score: int | None = None
    splits: int = 10

    @property
    def name(self) -> str:
        """The name of a protocol of these numbers, or ``custom``."""
        return next((name for name, protocol in PROTOCOLS.items() if protocol == self), "custom")

    def counts(self, available: int, fakes: int | None = None, scored: bool = True) -> "Counts":
        """Return the numbers of an evaluation.

        Args:
            available: Number of images in the split.
            fakes: Number of fakes; None: any number can be generated.
            scored: Whether the score is computed.

        Raises:
            SlimGANError: If there are not enough of them, or too few for any metric.
        """
        if self.num_real is not None and self.num_real > available:
            raise SlimGANError(
                f"the evaluation asks for {self.num_real:,} real images, but the {self.real_split} split holds "
                f"{available:,}",
                {
                    "model.evaluator.num_real": "lower {}",
                    "model.evaluator.protocol": "choose another {}",
                    "data.root": "name a folder with more images in {}",
                },
            )
        real = available if self.num_real is None else self.num_real
        fake = self.num_fake or min(real, fakes or real)
        score = self.num_score or fake if scored else fake
        if min(real, fake, score) < 2:
            raise SlimGANError(
                f"there are {real:,} real images and {min(fake, score):,} fakes; metrics need at least 2 of each"
            )
        if fakes is not None and max(fake, score) > fakes:
            raise SlimGANError(
                f"the evaluation asks for {max(fake, score):,} fakes, but there are {fakes:,}; give more, or lower "
                "--model.evaluator.num_fake and num_score"
            )
        if scored and score < self.splits:
            raise SlimGANError(
                f"{score:,} fakes cannot be parted into {self.splits} splits of the score; lower "
                "--model.evaluator.splits or raise --model.evaluator.num_score"
            )
        return Counts(real, fake, score)


class Counts(NamedTuple):
    """Numbers of real images, fakes for distances, and fakes for the score."""

    real: int
    fake: int
    score: int


PROTOCOLS: dict[str, Protocol] = {
    "test": Protocol(),
    "paper": Protocol("test", 10_000, 10_000, 50_000),  # Hou et al. 2021
    "common": Protocol("train", None, 50_000, 50_000),  # as in Karras et al. 2020, StyleGAN2-ADA
}


def make_protocol(
    name: ProtocolName,
    real_split: Split | None = None,
    num_real: int | None = None,
    num_fake: int | None = None,
    num_score: int | None = None,
    splits: int | None = None,
) -> Protocol:
    """Return a named protocol; settings other than None replace its own.

    Raises:
        SlimGANError: If a number is out of range.
    """
    check_choice("protocol", name, tuple(PROTOCOLS))
    if real_split:
        check_choice("real_split", real_split, get_args(Split))
    numbers = {"num_real": num_real, "num_fake": num_fake, "num_score": num_score}
    for key, number in numbers.items():
        if number is not None:
            check_range(f"the evaluator's {key}", number, 2, MAX_IMAGES)
    if splits is not None:
        check_range("the evaluator's splits", splits, 1)
    settings: dict[str, Any] = {"real_split": real_split, **numbers, "splits": splits}
    return PROTOCOLS[name]._replace(**{key: value for key, value in settings.items() if value})


def choose(available: int, count: int) -> npt.NDArray[np.int64]:
    """Return the numbers of a fixed random choice of images, in order."""
    return np.sort(shuffled(available)[:count])


def shuffled(available: int) -> npt.NDArray[np.int64]:
    """Return the numbers of images in a fixed random order."""
    return np.random.default_rng(CHOICE_SEED).permutation(available)
