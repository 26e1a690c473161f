#!/usr/bin/env bash
# lightning 2.6.6, torch 2.14.1: manual optimization ends the broadcasts of buffers under DDP.
# Guess: DDP gives all processes the buffers of rank 0 in each forward, however gradients are computed.
# Seen, of a buffer that rank 0 raises by 1 and rank 1 by 2 in each of 5 steps:
#   lightning 2.6.6: rank 1 counts 6 with automatic optimization, 10 with manual
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check lightning==2.6.6 torch==2.14.1 numpy==2.4.6
cd "$folder"
cat >count.py <<'PYTHON'
import logging
import warnings

import lightning
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

STEPS = 5


class Counting(LightningModule):
    """A buffer counts by rank + 1 in each forward; broadcasts would give rank 1 the count of rank 0."""

    def __init__(self, automatic: bool) -> None:
        super().__init__()
        self.automatic_optimization = automatic
        self.layer = torch.nn.Linear(1, 1)
        self.register_buffer("count", torch.zeros(()))

    def training_step(self, batch, number):
        self.count += self.global_rank + 1
        loss = self.layer(batch).sum()
        if self.automatic_optimization:
            return loss
        self.optimizers().zero_grad()
        self.manual_backward(loss)
        self.optimizers().step()

    def on_train_end(self) -> None:
        if self.global_rank == 1:
            with open(f"count_{self.automatic_optimization}", "w") as file:
                file.write(str(self.count.item()))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    counts = {}
    for automatic in (True, False):
        quiet = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
        trainer = Trainer(
            accelerator="cpu", devices=2, strategy="ddp_spawn", max_steps=STEPS, use_distributed_sampler=False, **quiet
        )
        trainer.fit(Counting(automatic), DataLoader(torch.ones(64, 1), batch_size=1))
        counts[automatic] = float(open(f"count_{automatic}").read())
    print(
        f"lightning {lightning.__version__}: rank 1 counts {counts[True]:g} with automatic "
        f"optimization, {counts[False]:g} with manual"
    )
    assert counts[True] == STEPS - 1 + 2, "changed: automatic optimization does not broadcast before each step"
    assert counts[False] != counts[True], "changed: manual optimization broadcasts too"
PYTHON
python -W ignore count.py
