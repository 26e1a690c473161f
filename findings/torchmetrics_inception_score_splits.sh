#!/usr/bin/env bash
# torchmetrics 1.9.0, torch 2.14.1: InceptionScore splits by torch.chunk, so 12 images in 10 splits are 6 groups.
# Guess: as many groups as were asked for (the reference implementation's), and the deviation over all of them.
# Seen:
#   torchmetrics 1.9.0: 12 images, splits=10: 6 groups of 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import warnings

import torch
import torchmetrics
from torchmetrics.image.inception import InceptionScore

warnings.simplefilter("ignore")


class Logits(torch.nn.Module):
    """A stand-in for Inception: the first numbers of the image."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :4].float()


groups = []
original = torch.Tensor.chunk
torch.Tensor.chunk = lambda *given, **named: groups.append(original(*given, **named)) or groups[-1]
metric = InceptionScore(feature=Logits(), splits=10)
metric.update(torch.randint(0, 5, (12, 3, 4, 4), dtype=torch.uint8))
metric.compute()
found = len(groups[0])
print(f"torchmetrics {torchmetrics.__version__}: 12 images, splits=10: {found} groups of {len(groups[0][0])}")
assert found == 6, "changed: there are as many groups as splits"
PYTHON
