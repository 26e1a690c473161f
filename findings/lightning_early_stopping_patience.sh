#!/usr/bin/env bash
# lightning 2.6.6: a resumed run keeps the patience of early stopping that its checkpoint holds.
# Guess: EarlyStopping(patience=7) waits for seven checks, whatever the run before was given.
# Seen:
#   lightning 2.6.6: patience 7 is 3 after resuming from a run with 3
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check lightning==2.6.6 torch==2.14.1 numpy==2.4.6
cd "$folder"
python -W ignore - <<'PYTHON'
import logging

import lightning
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import EarlyStopping
from lightning.pytorch.demos.boring_classes import BoringModel

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def fit(patience: int, max_epochs: int, ckpt_path: str | None = None) -> int:
    callback = EarlyStopping("x", patience=patience, strict=False)
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = Trainer(max_epochs=max_epochs, limit_train_batches=1, limit_val_batches=1, callbacks=[callback], **quiet)
    trainer.fit(BoringModel(), ckpt_path=ckpt_path)
    trainer.save_checkpoint("last.ckpt")
    return callback.patience


fit(3, 1)
patience = fit(7, 2, "last.ckpt")
print(f"lightning {lightning.__version__}: patience 7 is {patience} after resuming from a run with 3")
assert patience == 3, "changed: the given patience counts"
PYTHON
