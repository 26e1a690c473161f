#!/usr/bin/env bash
# torch 2.14.1: FlopCounterMode counts the backward pass of a grouped convolution up to (1 + groups) times its forward pass.
# Guess: twice the forward pass, as without groups: as much again for the gradient of the input and of the weight. The
# count for the gradient of the weight forgets the groups, so that it is too high by their number.
# Seen:
#   torch 2.14.1+cu130: backward over forward: groups 1 2.0, groups 4 5.0, groups 16 17.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch
from torch.utils.flop_counter import FlopCounterMode


def flops(run):
    with FlopCounterMode(display=False) as counter:
        result = run()
    return counter.get_total_flops(), result


ratios = {}
for groups in (1, 4, 16):
    conv = torch.nn.Conv2d(64, 64, 3, padding=1, groups=groups)
    x = torch.ones(2, 64, 8, 8, requires_grad=True)
    forward, y = flops(lambda: conv(x))
    assert forward == 2 * 2 * 64 * 64 * 64 * 9 // groups
    backward, _ = flops(lambda: y.sum().backward())
    ratios[groups] = backward / forward
told = ", ".join(f"groups {groups} {ratio:.1f}" for groups, ratio in ratios.items())
print(f"torch {torch.__version__}: backward over forward: {told}")
assert ratios[1] == 2
assert ratios[4] > 4 and ratios[16] > 16, "changed: groups are counted"
PYTHON
