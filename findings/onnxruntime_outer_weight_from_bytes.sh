#!/usr/bin/env bash
# onnxruntime 1.24.1 to 1.28.0 (here 1.28.0): a graph loads from its path and not from its bytes.
# It needs a convolution within an If over a weight from outside, and a batch norm behind it. 1.29.0 loads it again.
# Guess: InferenceSession(path) and InferenceSession(content) do the same.
# Seen:
#   onnxruntime 1.28.0: from a path it loads; from bytes:  was false. model_path must not be empty. Ensure that a
#     path is provided when the model is created or loaded.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check onnxruntime==1.28.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

image = [1, 16, 8, 8]
weight = numpy_helper.from_array(np.ones((16, 16, 1, 1), np.float32), "weight")  # above 127 bytes
norm = [numpy_helper.from_array(np.ones(16, np.float32), name) for name in ("scale", "bias", "mean", "var")]


def branch(name: str) -> onnx.GraphProto:
    conv = helper.make_node("Conv", ["x", "weight"], [f"{name}/h"])
    batch_norm = helper.make_node("BatchNormalization", [f"{name}/h", "scale", "bias", "mean", "var"], [f"{name}/y"])
    return helper.make_graph(
        [conv, batch_norm], name, [], [helper.make_tensor_value_info(f"{name}/y", TensorProto.FLOAT, image)], norm
    )


choose = helper.make_node("If", ["is"], ["y"], then_branch=branch("a"), else_branch=branch("b"))
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, image)
is_first = helper.make_tensor_value_info("is", TensorProto.BOOL, [])
output = helper.make_tensor_value_info("y", TensorProto.FLOAT, image)
graph = helper.make_graph([choose], "if", [x, is_first], [output], [weight])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
onnx.save(model, "model.onnx")
options = onnxruntime.SessionOptions()
options.log_severity_level = 4
onnxruntime.InferenceSession("model.onnx", options, providers=["CPUExecutionProvider"])
try:
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    said = "nothing"
except Exception as error:
    said = str(error)
print(f"onnxruntime {onnxruntime.__version__}: from a path it loads; from bytes: {said[-110:]}")
assert "model_path must not be empty" in said, "changed: it loads from bytes"
PYTHON
