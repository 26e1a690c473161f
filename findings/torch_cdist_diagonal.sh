#!/usr/bin/env bash
# torch 2.14.1: cdist(x, x) has no zeros on its diagonal beyond 25 rows.
# Guess: the distance of a vector to itself is 0. Beyond 25 rows it is a matrix product, which cancels.
# Seen, of 2,048 numbers from N(mean, 1), whose distances are about 64:
#   torch 2.14.1+cu130: 25 rows: 0 and 0, 26 rows: 0.0312 of mean 0 and 22.6 of mean 1000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch

torch.manual_seed(0)
found = {}
for rows in (25, 26):
    features = torch.randn(rows, 2048)
    found[rows] = [torch.cdist(each, each).diagonal().max().item() for each in (features, features + 1000)]
print(
    f"torch {torch.__version__}: 25 rows: {found[25][0]:g} and {found[25][1]:g}, "
    f"26 rows: {found[26][0]:.3g} of mean 0 and {found[26][1]:.3g} of mean 1000"
)
assert found[25] == [0, 0], "changed: few rows are not exact"
assert found[26][1] > 5, "changed: many rows are exact"
PYTHON
