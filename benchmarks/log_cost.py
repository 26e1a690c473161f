"""Cost of logging in a training step: ``python benchmarks/log_cost.py --json FILE`` from the repository's root.

A training logs every second iteration to CSV, TensorBoard and Weights & Biases (offline), with norms of gradients and a
progress bar; the iterations in between are its baseline, in the same process and in turns. The cost of a log is the
difference of the medians; its share is that of a step at the intervals in INTERVALS.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import wandb
from jsonargparse import auto_cli
from lightning.pytorch import Callback, LightningModule, Trainer
from measuring import best_device, machine, print_rows, print_table, save_json, synchronize

from slimgan_pl import SlimGAN
from slimgan_pl.callbacks import Dashboards, IterationProgress, StopOnNonFinite, TrainingCost
from slimgan_pl.data import ByteDataModule, DigitsDataModule
from slimgan_pl.models import DCGANDiscriminatorBank, DCGANGenerator, ResNetDiscriminatorBank, ResNetGenerator
from slimgan_pl.runs.loggers import make_loggers

INTERVALS = (10, 50)  # that of configs/digits.yaml, and Lightning's default

NETS: dict[str, Callable[[], SlimGAN]] = {
    "digits": lambda: SlimGAN(
        DCGANGenerator((128, 64, 32), latent_dim=64, image_channels=1),
        DCGANDiscriminatorBank((16, 32, 64), image_channels=1, num_shared=1),
    ),
    "dcgan-32": lambda: SlimGAN(
        DCGANGenerator((512, 256, 128, 64), image_channels=1),
        DCGANDiscriminatorBank((64, 128, 256, 512), image_channels=1, num_shared=2),
    ),
    "resnet-32-small": lambda: SlimGAN(
        ResNetGenerator((64,) * 4, image_channels=1),
        ResNetDiscriminatorBank((32,) * 4, num_downsamples=2, image_channels=1, num_shared=2),
    ),
}


class Stopwatch(Callback):
    """Times whole iterations, from the end of one to the end of the next."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._mark: float | None = None

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        synchronize()
        now = time.perf_counter()
        if self._mark is not None:
            self.seconds.append(now - self._mark)
        self._mark = now


def main(nets: list[str] | None = None, iterations: int = 60, json: str | None = None) -> None:
    """Measure the cost of logging.

    Args:
        nets: Which of digits, dcgan-32 and resnet-32-small; by default all.
        iterations: Iterations of each.
        json: File to write the measurements to.
    """
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    results = {name: measure(NETS[name](), iterations) for name in nets or NETS}
    heads = ["net", "step ms", "log ms", *(f"share, every {interval}" for interval in INTERVALS)]
    rows = [
        [
            name,
            f"{1e3 * row['step_s']:.1f}",
            f"{1e3 * row['log_s']:.1f}",
            *(f"{row[f'share_every_{interval}']:.2%}" for interval in INTERVALS),
        ]
        for name, row in results.items()
    ]
    print_rows("Cost of logging, medians of turns", heads, rows)
    save_json(results, json)


def measure(model: SlimGAN, iterations: int) -> dict[str, float]:
    """Return the seconds of a step and of a log, and the shares of a step that logs take."""
    stopwatch = Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        size: Any = model.generator.image_size  # 16 or 32
        data: ByteDataModule = DigitsDataModule(batch_size=64, image_size=size)
        trainer = Trainer(
            max_steps=iterations + 1,
            accelerator=best_device().type,
            devices=1,
            default_root_dir=folder,
            logger=make_loggers(folder, "offline"),
            log_every_n_steps=2,
            callbacks=[TrainingCost(), StopOnNonFinite(), Dashboards(), IterationProgress(), stopwatch],
            enable_checkpointing=False,
            enable_model_summary=False,
            limit_val_batches=0,
            use_distributed_sampler=False,
        )
        trainer.fit(model, data)
        wandb.finish()
    logged, plain = stopwatch.seconds[2::2], stopwatch.seconds[3::2]  # the first entry is of iteration 2, which logs
    step = statistics.median(plain)
    log = statistics.median(logged) - step
    shares = {f"share_every_{interval}": log / interval / step for interval in INTERVALS}
    return {"step_s": step, "log_s": log, **shares}


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
