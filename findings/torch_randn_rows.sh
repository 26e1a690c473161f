#!/usr/bin/env bash
# torch 2.14.1 on a CPU: the first row of torch.randn(n, 100) depends on n, at the same seed.
# Guess: more samples begin with the same samples. They do if the row is a multiple of 16 long.
# Seen:
#   torch 2.14.1+cu130: first rows of 1 and 2 are equal, by length: {12: False, 16: True, 100: False, 128: True}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch


def first_row(count: int, length: int) -> torch.Tensor:
    return torch.randn(count, length, generator=torch.Generator().manual_seed(0))[0]


is_same = {length: torch.equal(first_row(1, length), first_row(2, length)) for length in (12, 16, 100, 128)}
print(f"torch {torch.__version__}: first rows of 1 and 2 are equal, by length: {is_same}")
assert is_same == {12: False, 16: True, 100: False, 128: True}, "changed: rows depend on other things"
PYTHON
