#!/usr/bin/env bash
# onnxruntime 1.32.0 on a CPU: Tanh returns numbers beyond 1.
# Guess: tanh is at most 1, in float32 too (numpy's and PyTorch's are).
# Seen:
#   onnxruntime 1.32.0: largest tanh 1.000000238, numpy's 1.000000000
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None]) for name in "xy")
graph = helper.make_graph([helper.make_node("Tanh", ["x"], ["y"])], "tanh", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
values = np.linspace(-20, 20, 1_000_001, dtype=np.float32)
(result,) = session.run(None, {"x": values})
print(f"onnxruntime {onnxruntime.__version__}: largest tanh {result.max():.9f}, numpy's {np.tanh(values).max():.9f}")
assert result.max() > 1, "changed: Tanh keeps to 1"
PYTHON
