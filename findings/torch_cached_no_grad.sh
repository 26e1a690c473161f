#!/usr/bin/env bash
# torch 2.14.1: a cached parametrization that is first read under no_grad gives its weight no gradient.
# Guess: parametrize.cached() saves work and changes no result. The backward pass raises nothing.
# Seen:
#   torch 2.14.1+cu130: {'training first': 'a gradient', 'inference first': None}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

layer = spectral_norm(torch.nn.Linear(3, 3))
images = torch.ones(1, 3, requires_grad=True)
gradients = {}
for order in ("training first", "inference first"):
    layer.zero_grad()
    with parametrize.cached():
        if order == "inference first":
            with torch.no_grad():
                layer(images)
        layer(images).sum().backward()
    gradients[order] = layer.parametrizations.weight.original.grad
found = {order: None if each is None else "a gradient" for order, each in gradients.items()}
print(f"torch {torch.__version__}: {found}")
assert gradients["training first"] is not None
assert gradients["inference first"] is None, "changed: the weight gets its gradient"
PYTHON
