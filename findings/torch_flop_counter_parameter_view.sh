#!/usr/bin/env bash
# torch 2.14.1: FlopCounterMode cannot count a net under no_grad where a module takes a view of a parameter.
# Guess: counting operations changes nothing about a net that runs. But under no_grad a view of a parameter says that it
# requires a gradient and has no grad_fn; the counter's tracker of modules looks for one, and an AssertionError ends the
# forward pass. With gradients, or with the parameter times one in place of the view, it counts.
# Seen:
#   torch 2.14.1+cu130: without counter ran; with grad 384, product under no_grad 384, view under no_grad AssertionError
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


class Net(torch.nn.Module):
    """Convolves a learned image, once for each latent, as the first layers of generators do."""

    def __init__(self, use):
        super().__init__()
        self.use = use
        self.image = torch.nn.Parameter(torch.ones(3, 4, 4))
        self.conv = torch.nn.Conv2d(3, 2, 1)

    def forward(self, count):
        return self.conv(self.use(self.image).expand(count, -1, -1, -1))


def view(image):
    return image


def product(image):
    return image * 1


def count(use, grad):
    net = Net(use)
    try:
        with torch.set_grad_enabled(grad), FlopCounterMode(display=False) as counter:
            net(2)
        return counter.get_total_flops()
    except AssertionError as error:
        return type(error).__name__


with torch.no_grad():
    Net(view)(2)
found = {
    "with grad": count(view, True),
    "product under no_grad": count(product, False),
    "view under no_grad": count(view, False),
}
told = ", ".join(f"{name} {value}" for name, value in found.items())
print(f"torch {torch.__version__}: without counter ran; {told}")
assert found["with grad"] == found["product under no_grad"] == 384
assert found["view under no_grad"] == "AssertionError", "changed: the view is counted"
PYTHON
