"""Warnings of a training that fails, by its images, logits and metrics."""

import warnings
from collections.abc import Sequence
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from slimgan_pl.errors import SlimGANWarning, check_range
from slimgan_pl.evaluation.results import EvaluationResults
from slimgan_pl.training.evaluate import EvaluatedModule
from slimgan_pl.training.fault_signs import (
    FAULTS,
    Signs,
    find_lagging,
    measure_disagreement,
    measure_mismatch,
    measure_separation,
    measure_variety,
)
from slimgan_pl.training.module import TrainedModule
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["Diagnosis"]

COUNT = 32  # images of each width at a look
FEWEST = 8  # images that tell anything
EVALUATIONS = 2  # in a row in which a width lags behind

SENTENCES = {
    "collapse": (
        "the images of {widths} hardly differ from each other or are copies of a few; lower the learning rates or set "
        "--model.penalty.gamma, and start again or resume from an earlier checkpoint"
    ),
    "agreement": (
        "all widths generate the same images, which are unlike the training images; lower --model.distill_weight, or "
        "the discriminators' learning rate"
    ),
    "overfitting": (
        "the discriminators of {widths} know the training images by heart; set --model.augmentation.transforms, or "
        "give more images"
    ),
    "victory": (
        "the discriminators of {widths} have told training images and fakes apart with ease for {iterations:,} "
        "iterations; lower their learning rate, or set --model.penalty.gamma"
    ),
    "lag": (
        "{widths} lags behind: its {metric} is at least twice that of its neighbours; train longer, raise "
        "--model.distill_weight, or give the generator more channels"
    ),
}

EXPLAINED_BY = {  # faults that are not told after these
    "agreement": {"collapse", "overfitting", "victory"},
    "overfitting": {"agreement", "victory"},
    "victory": {"agreement", "overfitting"},
}


class Diagnosis(Callback):
    """Warn of each fault of training once, when it has lasted.

    The faults: images that hardly differ, widths that agree with each other but not with the data, discriminators that
    overfit or have won, and a width whose FID (or KID) lags behind its neighbours' in two evaluations in a row.
    Process 0 looks at a few new images of every width and their logits, in evaluation mode and with latents of its
    own, so training stays as it is. On a GPU it reads at a look what it measured at the one before, so the device
    never waits.

    Args:
        every_n_iterations: Iterations between two looks; 0 looks at evaluations alone. Batches of fewer than 8 images
            are passed over.
        patience: Looks in a row in which a fault has to be found.
    """

    def __init__(self, every_n_iterations: int = 200, patience: int = 5) -> None:
        check_range("the diagnosis' every_n_iterations", every_n_iterations, 0)
        check_range("the diagnosis' patience", patience, 1)
        self.every_n_iterations = every_n_iterations
        self.patience = patience
        self._told: list[str] = []
        self._lasting: dict[str, list[int]] = {}  # fault -> looks in a row, or evaluations, by width
        self._real_signs: list[float] = []  # means of the last looks, by width
        self._measured: Tensor | None = None  # signs (W, 6) that are not read yet

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        every = self.every_n_iterations
        if not every or trainer.global_step % every or not trainer.is_global_zero:
            return
        if isinstance(pl_module, TrainedModule) and len(batch[0]) >= FEWEST:
            self._read(pl_module)
            self._measured = measure_signs(pl_module, *batch)
            if pl_module.device.type == "cpu":
                self._read(pl_module)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if isinstance(pl_module, TrainedModule):
            self._read(pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        is_new = isinstance(pl_module, EvaluatedModule) and pl_module.results is not None
        if trainer.state.fn != "fit" or trainer.sanity_checking or not (is_new and trainer.is_global_zero):
            return
        results = EvaluationResults.from_json(pl_module.results)
        metric = next((name for name in ("fid", "kid") if all(name in row.values for row in results.rows)), None)
        if metric is not None:
            lagging = find_lagging([row.values[metric] for row in results.rows])
            self._count("lag", [index in lagging for index in range(len(results.rows))])
            names = [row.name for row in results.rows]
            self._tell("lag", self._lasting_for("lag", EVALUATIONS), names, metric=results.label(metric))

    def _read(self, model: TrainedModule) -> None:
        """Count the faults of the last look, and warn of lasting ones."""
        if self._measured is None:
            return
        signs = [Signs(*row) for row in self._measured.tolist()]
        self._measured = None
        means = zip(self._real_signs or [each.real_sign for each in signs], signs, strict=True)
        self._real_signs = [mean + (new.real_sign - mean) / self.patience for mean, new in means]
        signs = [each._replace(real_sign=mean) for each, mean in zip(signs, self._real_signs, strict=True)]
        blamed: set[int] = set()
        widths = model.generator.widths if model.individual is None else (model.individual,)
        for fault, is_found in FAULTS.items():
            self._count(fault, [is_found(each) for each in signs])
            lasting = [index for index in self._lasting_for(fault, self.patience) if index not in blamed]
            blamed.update(lasting)
            iterations = self.patience * self.every_n_iterations
            self._tell(fault, lasting, [f"{width:g}" for width in widths], iterations=iterations)

    def _count(self, fault: str, found: Sequence[bool]) -> None:
        before = self._lasting.get(fault, [0] * len(found))
        self._lasting[fault] = [(count + 1) * here for count, here in zip(before, found, strict=True)]

    def _lasting_for(self, fault: str, times: int) -> list[int]:
        return [index for index, count in enumerate(self._lasting[fault]) if count >= times]

    def _tell(self, fault: str, indices: Sequence[int], names: Sequence[str], **details: Any) -> None:
        if not indices or not {fault, *EXPLAINED_BY.get(fault, ())}.isdisjoint(self._told):
            return
        self._told.append(fault)
        *rest, last = (names[index] for index in indices)
        widths = f"widths {', '.join(rest)} and {last}" if rest else f"width {last}"
        warnings.warn(SENTENCES[fault].format(widths=widths, **details), SlimGANWarning, stacklevel=2)

    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for checkpoints."""
        measured = None if self._measured is None else self._measured.tolist()
        return {
            "told": [*self._told],
            "lasting": {**self._lasting},
            "real_signs": [*self._real_signs],
            "measured": measured,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Continue from a checkpoint."""
        self._told, self._lasting = [*state_dict["told"]], {**state_dict["lasting"]}
        self._real_signs = [*state_dict["real_signs"]]
        measured = state_dict["measured"]
        self._measured = None if measured is None else torch.tensor(measured)


@torch.no_grad()
def measure_signs(model: TrainedModule, images: Tensor, labels: Tensor | None) -> Tensor:
    """Return the signs ``(W, 6)`` of every width, on the device.

    Args:
        model: The model, which stays as it is.
        images: Training images ``(N, C, H, W)`` in [-1, 1].
        labels: Integers ``(N,)``, or None.
    """
    net, bank = model.generator, model.discriminators
    count = -(-COUNT // bank.batch_multiple) * bank.batch_multiple
    real = images[:count].to(net.dtype)
    real_labels = labels[:count] if labels is not None and net.num_classes else None
    # Latents come from the device: a copy to it would wait.
    latents, fake_labels = net.draw_inputs(len(real), torch.Generator(real.device).manual_seed(model.global_step))
    with evaluating(net), evaluating(bank):
        fakes = [net(latents, fake_labels, width=width) for width in net.widths]
        shared = bank.trunk(real)
        pairs = [
            bank.forward_branch(shared, bank.trunk(fake), real_labels, fake_labels, branch)
            for branch, fake in enumerate(fakes)
        ]
    sets = torch.stack(fakes)
    real_logits, fake_logits = (torch.stack([logits.flatten() for logits in side]) for side in zip(*pairs, strict=True))
    metrics = model.reports[-1].metrics.get("real_sign", {})
    unknown = real.new_full((), float("nan"))
    columns = [
        measure_variety(sets) / measure_variety(real),
        measure_disagreement(sets, real),
        measure_mismatch(sets, real),
        measure_separation(real_logits, fake_logits),
        torch.stack([metrics.get(index, unknown) for index in range(len(fakes))]),
        unknown.new_full((), model.global_step / model.trainer.num_training_batches),
    ]
    return torch.stack([column.float().expand(len(fakes)) for column in columns], 1)
