#!/usr/bin/env bash
# torch 2.14.1 and onnxscript 0.7.2: torch.onnx.export writes a file for batches of one size, in spite of dynamic_shapes,
# where the model reads its batch size by len(x).
# Guess: the file takes any batch, or the export fails, as torch.export.export does with the same model and the same
# dynamic shapes ("you marked batch as dynamic but your code specialized it to be a constant"). The exporter falls back to
# another way of tracing instead and says nothing that an exit status or an exception would show. With x.shape[0] in
# place of len(x) all is as expected.
# Seen:
#   torch 2.14.1+cu130: torch.export: len UserError, shape exported; first dimension of the file's input: len 2, shape batch
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check torch==2.14.1 onnx==1.23.2 onnxscript==0.7.2 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import contextlib
import io
import logging
import warnings

import torch

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)


class Net(torch.nn.Module):
    """Adds a learned row to each row."""

    def __init__(self, count):
        super().__init__()
        self.count = count
        self.row = torch.nn.Parameter(torch.ones(1, 3))

    def forward(self, x):
        return x + self.row.expand(self.count(x), -1)


counts = {"len": len, "shape": lambda x: x.shape[0]}
shapes = {"x": {0: torch.export.Dim("batch")}}
exported, written = {}, {}
for name, count in counts.items():
    example = (torch.zeros(2, 3),)
    try:
        torch.export.export(Net(count), example, dynamic_shapes=shapes)
        exported[name] = "exported"
    except Exception as error:
        exported[name] = type(error).__name__
    with contextlib.redirect_stdout(io.StringIO()):
        program = torch.onnx.export(Net(count), example, input_names=["x"], dynamic_shapes=shapes, dynamo=True)
    first = program.model_proto.graph.input[0].type.tensor_type.shape.dim[0]
    written[name] = first.dim_param or first.dim_value

told = [", ".join(f"{name} {value}" for name, value in found.items()) for found in (exported, written)]
print(f"torch {torch.__version__}: torch.export: {told[0]}; first dimension of the file's input: {told[1]}")
assert exported == {"len": "UserError", "shape": "exported"}
assert written == {"len": 2, "shape": "batch"}, "changed: the file takes any batch"
PYTHON
