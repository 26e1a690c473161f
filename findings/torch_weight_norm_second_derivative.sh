#!/usr/bin/env bash
# torch 2.14.1: the second derivative of a loss by the weights of a weight norm is wrong, silently.
# Guess: double backward is exact or raises, as it does for every other layer. The first derivative is right, and so is the
# gradient of a penalty on the gradient at the input; that of a penalty on the gradient of the weights is not.
# Seen:
#   torch 2.14.1+cu130: relative error of the derivative by the direction: R1 at the input 0.00, consensus 0.66
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import torch
from torch.nn.utils.parametrizations import weight_norm

torch.manual_seed(0)
layer = weight_norm(torch.nn.Linear(4, 3, dtype=torch.float64))
inputs = torch.randn(5, 4, dtype=torch.float64, requires_grad=True)
direction = layer.parametrizations.weight.original1


def by_module():
    return layer.weight


def by_formula():
    lengths = layer.parametrizations.weight.original0
    return lengths * direction / direction.norm(dim=1, keepdim=True)


def slope(make_weight, variable):
    """Derivative, by the direction, of the squared norm of the loss's gradient by a variable."""
    loss = (inputs @ make_weight().T + layer.bias).tanh().sum()
    (gradient,) = torch.autograd.grad(loss, variable, create_graph=True)
    return torch.autograd.grad(gradient.square().sum(), direction)[0]


errors = {}
for name, variable in {"R1 at the input": inputs, "consensus": direction}.items():
    expected = slope(by_formula, variable)
    errors[name] = float((slope(by_module, variable) - expected).norm() / expected.norm())
found = ", ".join(f"{name} {error:.2f}" for name, error in errors.items())
print(f"torch {torch.__version__}: relative error of the derivative by the direction: {found}")
assert errors["R1 at the input"] < 1e-9
assert errors["consensus"] > 0.1, "changed: the second derivative is right"
PYTHON
