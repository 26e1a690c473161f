"""Data, nets and plan of a run, a line each, before training."""

import textwrap

from lightning.pytorch import Callback, LightningModule, Trainer

from slimgan_pl.callbacks.checkpoint import IterationCheckpoint
from slimgan_pl.callbacks.samples import SampleGrid
from slimgan_pl.data import ByteDataModule
from slimgan_pl.models import count_macs, count_parameters
from slimgan_pl.runs.lightning_internals import callbacks_of, evaluation_times, run_folder
from slimgan_pl.runs.next_steps import shorten_path
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.formatting import compact

__all__ = ["RunPlan"]

COLUMNS = 80

HELD = "\N{NO-BREAK SPACE}"  # a space at which no line breaks


class RunPlan(Callback):
    """Print data, nets and plan of a run before training."""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        folder = run_folder(trainer).path  # which the processes tell each other
        if not (isinstance(pl_module, SlimGAN) and trainer.is_global_zero):
            return
        data = getattr(trainer, "datamodule", None)
        data = data if isinstance(data, ByteDataModule) else None
        if data is not None:
            print(wrap("Data", data.summary().describe()))
        print(wrap("Nets", describe_nets(pl_module)))
        plan = [describe_iterations(trainer, pl_module, data), describe_evaluation(trainer, pl_module, data)]
        plan.append(f"{describe_files(trainer)} in {shorten_path(folder)}")
        print(wrap("Plan", "; ".join(plan)), flush=True)


def describe_nets(model: SlimGAN) -> str:
    """Return parameters and MACs of each width, and the discriminators."""
    net, bank = model.generator, model.discriminators
    names = net.widths if model.individual is None else (model.individual,)
    sizes = [(size(count_parameters(net, width)), size(count_macs(net, width))) for width in net.widths]
    costs = [f"{parameters} and {macs} at {name:g}" for (parameters, macs), name in zip(sizes, names, strict=True)]
    costs[0] = f"{sizes[0][0]} parameters and {sizes[0][1]} MACs at width {names[0]:g}"
    shared = f", {bank.num_shared} of {bank.num_stages} stages shared" if bank.num_branches > 1 else ""
    discriminators = "discriminators" if bank.num_branches > 1 else "discriminator"
    total = size(sum(parameter.numel() for parameter in bank.parameters()))
    generator = f"{type(net).__name__}: {', '.join(costs)}"
    return f"{generator}; {bank.num_branches} {discriminators}: {total} parameters{shared}"


def describe_iterations(trainer: Trainer, model: SlimGAN, data: ByteDataModule | None) -> str:
    """Return the iterations, their batch, and images and epochs in all."""
    total, begun, world = trainer.estimated_stepping_batches, trainer.global_step, trainer.world_size
    is_endless = total == float("inf")
    line = "iterations until it is stopped" if is_endless else f"{total:,} iteration{'s' * (total != 1)}"
    if begun:
        line = f"iterations from {begun + 1:,} on" if is_endless else f"iterations {begun + 1:,} to {total:,}"
    if data is None:
        return line
    updates = f"{model.real_batches} x " if model.real_batches > 1 else ""
    line += f" of {updates}{data.batch_size:,} images" + (f" on each of {world} processes" if world > 1 else "")
    if is_endless:
        return line
    left = int(total) - begun
    images = left * model.real_batches * data.batch_size * world
    return f"{line}, in all {images:,} images, {left / trainer.num_training_batches:,.1f} epochs"


def describe_evaluation(trainer: Trainer, model: SlimGAN, data: ByteDataModule | None) -> str:
    """Return when an evaluation comes, and its numbers of images."""
    if model.evaluator is None:
        return "no evaluation"
    line = f"evaluation {' and '.join(filter(None, (evaluation_times(trainer), 'at the end')))}"
    if data is None:
        return line
    split = model.evaluator.protocol.real_split
    counts = model.evaluator.check(len(data.arrays[split].images))
    score = f" ({counts.score:,} for IS)" if counts.score != counts.fake else ""
    seeds = f", over {model.evaluator.seeds} seeds" if model.evaluator.seeds > 1 else ""
    return f"{line}: {counts.fake:,} fakes per width{score} against {counts.real:,} {split} images{seeds}"


def describe_files(trainer: Trainer) -> str:
    """Return the intervals of checkpoints and pictures."""
    intervals = {
        "checkpoint": [callback.every_n_iterations for callback in callbacks_of(trainer, IterationCheckpoint)],
        "pictures": [callback.every_n_iterations for callback in callbacks_of(trainer, SampleGrid)],
    }
    total = trainer.estimated_stepping_batches
    parts = [
        f"{name} every {found[0]:,} iterations" if 0 < found[0] <= total else f"{name} at the end"
        for name, found in intervals.items()
        if found
    ]
    return " and ".join(parts) or "files"


def size(number: int) -> str:
    """Return a number that stays beside its unit."""
    return compact(number).replace(" ", HELD)


def wrap(name: str, text: str) -> str:
    """Return a line with its name, wrapped.

    >>> print(wrap("Plan", "1,800 iterations of 64 images, in all 115,200 images, 85.7 epochs; no evaluation"))
    Plan: 1,800 iterations of 64 images, in all 115,200 images, 85.7 epochs; no
          evaluation
    """
    form = textwrap.TextWrapper(
        COLUMNS, subsequent_indent=" " * len(f"{name}: "), break_long_words=False, break_on_hyphens=False
    )
    return form.fill(f"{name}: {text}").replace(HELD, " ")
