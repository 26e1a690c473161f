#!/usr/bin/env bash
# wandb 0.31.0: images of floats in [0, 1] are written all black, without a warning that says so.
# Guess: floats are scaled to bytes, as torchvision's save_image and TensorBoard do. They are cast.
# Seen:
#   wandb 0.31.0: largest byte of a bright image: {'float in [0, 1]': 0, 'uint8': 229}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check wandb==0.31.0 numpy==2.4.6 pillow==13.0.0
cd "$folder"
python - <<'PYTHON'
import numpy as np
import wandb

image = np.full((4, 4, 3), 0.9)
largest = {}
for name, pixels in {"float in [0, 1]": image, "uint8": np.uint8(image * 255)}.items():
    largest[name] = int(np.asarray(wandb.Image(pixels).image).max())
print(f"wandb {wandb.__version__}: largest byte of a bright image: {largest}")
assert largest["float in [0, 1]"] == 0, "changed: floats are scaled"
PYTHON
