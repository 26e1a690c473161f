#!/usr/bin/env bash
# jsonargparse 4.53.0, pyyaml 6.0.3: an int refuses 1e5, and PyYAML reads 1e-4 as text.
# Guess: 1e5 is a whole number, and a YAML file means the same to every reader. PyYAML wants a dot: 1.0e-4.
# Seen:
#   jsonargparse 4.53.0: int 1e5 refused, float 1e-4 0.0001
#   pyyaml 6.0.3: 1e-4 is '1e-4'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check 'jsonargparse[signatures]==4.53.0' pyyaml==6.0.3
cd "$folder"
python - <<'PYTHON'
import jsonargparse
import yaml
from jsonargparse import ArgumentError, ArgumentParser

parser = ArgumentParser(exit_on_error=False)
parser.add_argument("--steps", type=int)
parser.add_argument("--rate", type=float)
rate = parser.parse_args(["--rate", "1e-4"]).rate
try:
    steps = parser.parse_args(["--steps", "1e5"]).steps
except ArgumentError:
    steps = "refused"
read = yaml.safe_load("rate: 1e-4")["rate"]
print(f"jsonargparse {jsonargparse.__version__}: int 1e5 {steps}, float 1e-4 {rate!r}")
print(f"pyyaml {yaml.__version__}: 1e-4 is {read!r}")
assert (steps, rate, read) == ("refused", 1e-4, "1e-4"), "changed: exponents are read otherwise"
PYTHON
