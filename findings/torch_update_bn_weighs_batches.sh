#!/usr/bin/env bash
# torch 2.14.1: update_bn gives each batch the same weight, however few images it has.
# Guess: the running mean becomes the mean of the data. A last batch of 2 images counts as much as one of 98.
# Seen:
#   torch 2.14.1+cu130: running mean 50.0, mean of the data 2.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch
from torch.optim.swa_utils import update_bn

batches = [torch.zeros(98, 1), torch.full((2, 1), 100.0)]
net = torch.nn.BatchNorm1d(1)
update_bn(batches, net)
found, real = net.running_mean.item(), torch.cat(batches).mean().item()
print(f"torch {torch.__version__}: running mean {found}, mean of the data {real}")
assert found == 50 != real, "changed: batches are weighed by their images"
PYTHON
