#!/usr/bin/env bash
# webdataset 1.0.2: the key of a file ends at the first dot of its name, not before the extension.
# Guess: a_0.25.png and a_0.5.png are two samples. They are one, with the fields "25.png" and "5.png".
# Seen:
#   webdataset 1.0.2: of two files 1 sample: [('a_0', ['25.png', '5.png'])]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check webdataset==1.0.2
cd "$folder"
python - <<'PYTHON'
import io
import tarfile
from importlib.metadata import version

import webdataset

with tarfile.open("data.tar", "w") as archive:
    for name in ("a_0.25.png", "a_0.5.png"):
        member = tarfile.TarInfo(name)
        member.size = 1
        archive.addfile(member, io.BytesIO(b"x"))
samples = list(webdataset.WebDataset("data.tar", shardshuffle=False))
found = [(each["__key__"], sorted(key for key in each if not key.startswith("__"))) for each in samples]
print(f"webdataset {version('webdataset')}: of two files {len(found)} sample: {found}")
assert found == [("a_0", ["25.png", "5.png"])], "changed: keys end elsewhere"
PYTHON
