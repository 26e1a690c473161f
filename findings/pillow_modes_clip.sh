#!/usr/bin/env bash
# pillow 13.0.0: convert("L") clips floats and 16-bit grey at 255, without scaling and without a warning.
# Guess: a picture in [0, 1] stays a picture, and 16 bits are scaled to 8. The first becomes black, the second white.
# Seen:
#   pillow 13.0.0: mode and grey levels of a ramp of 16: {'float TIFF in [0, 1]': ('F', [0, 1]), '16-bit PNG':
#     ('I;16', [0, 255])}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check pillow==13.0.0 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import numpy as np
import PIL
from PIL import Image

ramp = np.linspace(0, 1, 16).reshape(4, 4)
found = {}
for name, values in {"float TIFF in [0, 1]": np.float32(ramp), "16-bit PNG": np.uint16(ramp * 65535)}.items():
    Image.fromarray(values).save(file := "a.tiff" if values.dtype == np.float32 else "a.png")
    with Image.open(file) as image:
        grey = np.asarray(image.convert("L"))
        found[name] = (image.mode, np.unique(grey).tolist())
print(f"pillow {PIL.__version__}: mode and grey levels of a ramp of 16: {found}")
assert found["float TIFF in [0, 1]"][1] == [0, 1], "changed: floats are scaled"
assert found["16-bit PNG"][1] == [0, 255], "changed: 16 bits are scaled"
PYTHON
