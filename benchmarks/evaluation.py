"""Speed and memory of an evaluation: ``python benchmarks/evaluation.py --json FILE`` from the repository's root.

The nets have random weights: metrics mean nothing here, times do.
"""

import multiprocessing
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
from jsonargparse import auto_cli
from measuring import best_device, machine, medians, peak_memory, print_table, save_json
from torch import Tensor, nn
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from slimgan_pl.data import ByteArray
from slimgan_pl.errors import SlimGANWarning
from slimgan_pl.evaluation import Evaluator, FeatureStatistics, Gaussian, frechet_distance
from slimgan_pl.models import DCGANGenerator

WIDTHS = (0.25, 0.5, 0.75, 1.0)
FEATURES = 2048


def main(
    num_images: int = 200,
    rounds: int = 3,
    memory_images: int = 0,
    json: str | None = None,
) -> None:
    """Measure an evaluation.

    Args:
        num_images: Real images, and fakes per width, that Inception evaluates; 200 take two cores eight minutes.
        rounds: Times that each thing is measured; the median counts.
        memory_images: Real images, and fakes per width, for the peak memory; 0 leaves that out, 50,000 take two
            cores a quarter of an hour.
        json: File to write the results to.
    """
    warnings.filterwarnings("ignore", category=SlimGANWarning)  # few images are enough here
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    results = {"speed": speed(num_images, rounds), "distance": distance(rounds)}
    if memory_images:
        results["memory"] = memory(memory_images)
    save_json(results, json)


def speed(num_images: int, rounds: int) -> dict[str, float]:
    """Evaluate one width and four with all metrics, statistics of the real images being there already."""
    device = best_device()
    real = random_images(num_images)
    evaluations = {}
    for widths in ((1.0,), WIDTHS):
        generator = DCGANGenerator((512, 256, 128, 64), widths=widths).to(device).eval()
        evaluator = Evaluator(RandomInception(), num_fake=num_images)
        evaluator.evaluate(generator, real)  # loads, warms up, and measures the real images
        evaluations[f"{len(widths)}"] = lambda evaluator=evaluator, generator=generator: evaluator.evaluate(
            generator, real
        )
    seconds = medians(evaluations, rounds)
    ratio = seconds["4"] / seconds["1"]
    rows = {
        f"{count} of the widths": f"{time:.2f} s, {int(count) * num_images / time:.1f} images a second"
        for count, time in seconds.items()
    }
    print_table(
        f"Evaluation of {num_images:,} fakes per width, Inception, all metrics",
        {**rows, "four against one": f"{ratio:.2f} times the time"},
    )
    return {"num_images": num_images, "one_width_s": seconds["1"], "four_widths_s": seconds["4"], "ratio": ratio}


def distance(rounds: int) -> dict[str, float]:
    """Take the Fréchet distance of two Gaussians of 2,048 features, our way and through the plain product."""
    first, second = (gaussian(seed) for seed in (0, 1))
    seconds = medians(
        {
            "symmetric": lambda: frechet_distance(first, second),
            "plain": lambda: torch.linalg.eigvals(first.covariance @ second.covariance).sqrt().real.sum(),
        },
        rounds,
    )
    ratio = seconds["plain"] / seconds["symmetric"]
    print_table(
        f"Fréchet distance of {FEATURES:,} features, on the host",
        {
            "symmetric eigendecompositions": f"{seconds['symmetric']:.2f} s",
            "eigenvalues of the product": f"{seconds['plain']:.2f} s",
            "ratio": f"{ratio:.1f}",
        },
    )
    return {**seconds, "ratio": ratio}


def memory(num_images: int) -> dict[str, float]:
    """Evaluate four widths in a process of its own, and return its peak memory."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        before, after = pool.apply(measure_peak, (num_images,))
    print_table(
        f"Peak host memory, {num_images:,} images of each of four widths, {FEATURES:,} features, all metrics",
        {"before": f"{before / 2**30:.2f} GiB", "after": f"{after / 2**30:.2f} GiB"},
    )
    return {"num_images": num_images, "before_bytes": before, "peak_bytes": after}


def measure_peak(num_images: int) -> tuple[int, int]:
    """Return this process's peak memory in bytes before and after an evaluation; cheap nets stand for the real ones."""
    before = peak_memory()
    generator = DCGANGenerator((8, 8, 8, 8)).to(best_device()).eval()
    Evaluator(Projection(), num_fake=num_images).evaluate(generator, random_images(num_images))
    return before, peak_memory()


class RandomInception(nn.Module):
    """torch-fidelity's Inception with random weights: pool features and logits."""

    name = "inception"

    def __init__(self) -> None:
        super().__init__()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "empty.pth"
            torch.save({}, path)
            self.net = Untrained("inception-v3-compat", ["2048", "logits_unbiased"], str(path))
        for layer in self.net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = self.net(images)
        return features, logits


class Untrained(FeatureExtractorInceptionV3):  # type: ignore[misc]
    """Inception that takes no weights from the file it is made with."""

    def load_state_dict(self, state_dict: Any) -> None:
        """Leave the weights as they are."""


class Projection(nn.Module):
    """As many features and logits as Inception has, of random projections."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * 32 * 32, FEATURES)
        self.classes = nn.Linear(FEATURES, 1008)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.linear(images.flatten(1).float() / 255).relu()
        return features, self.classes(features)


def random_images(count: int) -> ByteArray:
    """Return images of noise, 32x32."""
    images = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    return ByteArray(images.numpy(), None)


def gaussian(seed: int) -> Gaussian:
    """Return the Gaussian of random features."""
    statistics = FeatureStatistics(FEATURES)
    statistics.update(torch.randn(2 * FEATURES, FEATURES, generator=torch.Generator().manual_seed(seed)))
    return statistics.compute()


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
