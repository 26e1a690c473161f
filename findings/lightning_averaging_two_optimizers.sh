#!/usr/bin/env bash
# lightning 2.6.6, torch 2.14.1: EMAWeightAveraging with two optimizers and an even interval never averages, and at the
# end of training it puts the initial weights back.
# Guess: it averages every 2nd step. It looks at global_step after each batch, which two optimizers raise by 2.
# Seen:
#   lightning 2.6.6: global_step 20 after 10 batches
#   weight at the end, by interval: {1: 9.001953125, 2: 0.0}
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
source "$folder/venv/bin/activate"
pip install --quiet --no-compile --disable-pip-version-check lightning==2.6.6 torch==2.14.1 numpy==2.4.6
cd "$folder"
python - <<'PYTHON'
import logging
import warnings

import lightning
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class TwoNets(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.nets = torch.nn.ParameterList([torch.nn.Parameter(torch.zeros(1)) for _ in range(2)])

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        return [torch.optim.SGD([net], lr=1.0) for net in self.nets]

    def training_step(self, batch: torch.Tensor, index: int) -> None:
        for optimizer, net in zip(self.optimizers(), self.nets):
            optimizer.zero_grad()
            self.manual_backward(-net.sum())  # each step adds 1
            optimizer.step()


ends = {}
for interval in (1, 2):
    module = TwoNets()
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, callbacks=EMAWeightAveraging(decay=0.5, update_every_n_steps=interval),
    )  # fmt: skip
    trainer.fit(module, torch.utils.data.DataLoader(torch.zeros(10, 1)))
    ends[interval] = module.nets[0].item()
print(f"lightning {lightning.__version__}: global_step {trainer.global_step} after 10 batches")
print(f"weight at the end, by interval: {ends}")
assert trainer.global_step == 20
assert ends[2] == 0, "changed: an even interval averages"
PYTHON
