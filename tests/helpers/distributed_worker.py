"""Trains on two processes and checks from inside that they agree; run by test_distributed.py."""

import json
import sys
from math import prod
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from lightning.pytorch import Callback, Trainer
from naive import plain_descent
from torch.profiler import ProfilerActivity, profile

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.evaluation import DigitsClassifier, Evaluator
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator
from slimgan_pl.utils.distributed import failing_together, leave


def build() -> SlimGAN:
    """Return the same small model on every process, with plain gradient descent."""
    torch.manual_seed(0)
    generator = DCGANGenerator((8, 8, 8), latent_dim=8, image_channels=1, widths=(0.5, 1.0))
    bank = DCGANDiscriminatorBank((4, 4, 4), image_channels=1, num_branches=2, num_shared=1)

    evaluator = Evaluator(DigitsClassifier(), num_real=449, num_fake=51, num_score=77, splits=3, batch_size=8)
    return SlimGAN(generator, bank, "hinge", "next", 20.0, 1, "independent", plain_descent, plain_descent, evaluator)


class WatchCollectives(Callback):
    """Notes the collectives of each training step, DDP's own among them, and how many numbers each takes."""

    def __init__(self) -> None:
        self.seen: list[list[tuple[str, int]]] = []

    def on_train_batch_start(self, *_: Any) -> None:
        self.profiler = profile(activities=[ProfilerActivity.CPU], record_shapes=True)
        self.profiler.__enter__()

    def on_train_batch_end(self, *_: Any) -> None:
        self.profiler.__exit__(None, None, None)
        events = [event for event in self.profiler.events() or [] if event.name.startswith("gloo:")]
        self.seen.append([(event.name, sum(map(prod, event.input_shapes))) for event in events])


class StillStatistics(Callback):
    """Trains with batch norm in evaluation mode."""

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        pl_module.generator.eval()


def make_trainer(output: Path, steps: int, callback: Callback) -> Trainer:
    """Return a trainer for two processes."""
    return Trainer(
        max_steps=steps,
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        callbacks=[callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        use_distributed_sampler=False,
        default_root_dir=output,
    )


def main(output: Path, steps: int) -> None:
    """Train, compare the processes, write what rank 0 knows."""
    torch.set_num_threads(1)
    model, collectives = build(), WatchCollectives()
    data = DigitsDataModule(batch_size=6, cache_dir=str(output / "cache"))
    trainer = make_trainer(output, steps, collectives)
    trainer.fit(model, data)
    trainer.save_checkpoint(output / "two.ckpt")
    gathered: list[Any] = [None, None]
    dist.all_gather_object(gathered, {name: value.clone() for name, value in model.state_dict().items()})
    unequal = [name for name, value in gathered[0].items() if not torch.equal(value, gathered[1][name])]
    trainer.test(model, datamodule=data, verbose=False)
    still = make_trainer(output, 1, StillStatistics())
    still.fit(build(), DigitsDataModule(batch_size=6, cache_dir=str(output / "cache")))
    still.save_checkpoint(output / "still.ckpt")
    failure = None
    try:  # what is raised on the other process alone
        with failing_together():
            if trainer.global_rank == 1:
                raise MemoryError("no room")
    except (SlimGANError, MemoryError) as error:
        failure = f"{type(error).__name__} {error}"
    if trainer.is_global_zero:
        results = {"results": model.results, "failure": failure}
        report = {"unequal": unequal, "collectives": collectives.seen, **results}
        (output / "report.json").write_text(json.dumps(report))
    leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
