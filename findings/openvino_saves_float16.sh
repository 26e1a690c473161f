#!/usr/bin/env bash
# openvino 2026.4.1: save_model halves float32 weights to float16 unless it is told not to.
# Guess: a converted model keeps its precision.
# Seen:
#   openvino 2026.4.1: 20000 bytes by default, 40000 with compress_to_fp16=False
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check openvino==2026.4.1 onnx==1.23.2 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import os

import numpy as np
import onnx
import openvino
from onnx import helper, numpy_helper

weight = numpy_helper.from_array(np.linspace(0, 1, 10_000, dtype=np.float32), "weight")
x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [10_000]) for name in "xy")
graph = helper.make_graph([helper.make_node("Mul", ["x", "weight"], ["y"])], "graph", [x], [y], [weight])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), "model.onnx")
sizes = []
for options in ({}, {"compress_to_fp16": False}):
    openvino.save_model(openvino.convert_model("model.onnx"), "model.xml", **options)
    sizes.append(os.path.getsize("model.bin"))
version = openvino.__version__.split("-")[0]
print(f"openvino {version}: {sizes[0]} bytes by default, {sizes[1]} with compress_to_fp16=False")
assert sizes[0] < 0.6 * sizes[1], "changed: float32 is the default"
PYTHON
