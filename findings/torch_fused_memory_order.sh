#!/usr/bin/env bash
# torch 2.14.1 on a CPU: fused SGD and Adam pair the numbers of a parameter and its gradient by their place in memory.
# Guess: a contiguous gradient on a channels_last parameter is right (foreach is), or an error.
# Seen:
#   torch 2.14.1+cu130: fused equals foreach: {'SGD': False, 'Adam': False}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch

gradient = torch.zeros(2, 2, 2, 2)
gradient[0, 1, 0, 0] = 1  # second plane, first pixel: place 4 in a contiguous tensor, place 1 in a channels_last one
is_right = {}
for optimizer in (torch.optim.SGD, torch.optim.Adam):
    after = []
    for settings in ({"foreach": True}, {"fused": True}):
        parameter = torch.nn.Parameter(torch.zeros(2, 2, 2, 2).to(memory_format=torch.channels_last))
        parameter.grad = gradient.clone()
        optimizer([parameter], lr=1.0, **settings).step()
        after.append(parameter.detach().clone())
    is_right[optimizer.__name__] = torch.allclose(*after)
print(f"torch {torch.__version__}: fused equals foreach: {is_right}")
assert not any(is_right.values()), "changed: fused optimizers heed the strides"
PYTHON
