#!/usr/bin/env bash
# safetensors 0.8.0: safetensors.numpy.save writes a transposed array in the wrong order.
# Guess: what is loaded equals what was saved, or saving is refused (as safetensors.torch does).
# Seen:
#   safetensors 0.8.0: saved [[0, 3], [1, 4], [2, 5]], loaded [[0, 1], [2, 3], [4, 5]]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check safetensors==0.8.0 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import numpy as np
import safetensors
from safetensors.numpy import load, save

array = np.arange(6).reshape(2, 3).T
loaded = load(save({"a": array}))["a"]
print(f"safetensors {safetensors.__version__}: saved {array.tolist()}, loaded {loaded.tolist()}")
assert loaded.shape == array.shape
assert not np.array_equal(loaded, array), "changed: a transposed array is saved as it is"
PYTHON
