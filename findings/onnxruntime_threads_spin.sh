#!/usr/bin/env bash
# onnxruntime 1.32.0 on a CPU: after a call its threads go on computing, in a loop that waits for the next call.
# Guess: a session that has returned takes no core. It takes whole cores for some 30 ms after each call, from other
# programs and from a battery, unless session.intra_op.allow_spinning is 0.
# Seen:
#   onnxruntime 1.32.0: CPU time in 1 s of sleep: 0.38 s by default, 0.00 s without
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import time

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [512, 512]) for name in "xy")
graph = helper.make_graph([helper.make_node("MatMul", ["x", "x"], ["y"])], "product", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def cpu_time_of_sleep(spinning: str) -> float:
    """Return the seconds of CPU time that this process takes in 20 pauses of 50 ms, each after a call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", spinning)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    total = 0.0
    for _ in range(20):
        session.run(None, {"x": np.ones((512, 512), np.float32)})
        start = time.process_time()
        time.sleep(0.05)
        total += time.process_time() - start
    return total


default, without = cpu_time_of_sleep("1"), cpu_time_of_sleep("0")
version = onnxruntime.__version__
print(f"onnxruntime {version}: CPU time in 1 s of sleep: {default:.2f} s by default, {without:.2f} s without")
assert default > 0.1 > without, "changed: threads sleep by default"
PYTHON
