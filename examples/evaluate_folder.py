"""Evaluate a folder of images against a data set: the same metrics as for a generator.

``python examples/evaluate_folder.py --images PATH`` takes 16x16 images of digits. Another data module and extractor
serve other images.
"""

from pathlib import Path
from typing import Literal

import torch
from jsonargparse import auto_cli

from slimgan_pl.data import DigitsDataModule, list_images
from slimgan_pl.evaluation import Evaluator, FolderSource


def main(images: str, image_size: Literal[16, 32] = 16, splits: int = 10) -> dict[str, float]:
    """Print the metrics of a folder and return them.

    Args:
        images: The folder.
        image_size: Side of the images in pixels.
        splits: Parts that the inception score is averaged over.
    """
    data = DigitsDataModule(image_size=image_size)
    data.prepare_data()  # the real images, read once into a cache

    root = Path(images)
    fakes = FolderSource(root, list_images(root), (1, image_size, image_size), torch.device("cpu"))
    results = Evaluator("digits", splits=splits).evaluate(fakes, data.arrays["test"])

    metrics = {name: value for name, value in results["widths"][0].items() if name != "width"}
    for name, value in metrics.items():
        print(f"{name:20} {value:.4g}")
    return metrics


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
