"""Memory of training: ``python benchmarks/training_memory.py --configs FILE ...`` from the repository's root.

The estimate runs two iterations on tensors without memory, and counts the bytes of all that live at once: weights,
gradients, optimizers' states, averaged weights, activations, but no augmentation. It needs neither a GPU nor the
memory. What libraries hold beside it is not in it, such as cuDNN's workspaces and a CUDA context (about 1 GB), nor what
an allocator wastes. The measurement runs the same iterations on the CPU, each option in a process of its own, and takes
the peak of the resident memory over that before the nets are built.
"""

import multiprocessing
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import finalize

import torch
from jsonargparse import auto_cli
from measuring import machine, peak_memory, print_rows, print_table, save_json
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from slimgan_pl import SlimGAN
from slimgan_pl.cli.configured_model import build_configured_model
from slimgan_pl.training.ema import update_average
from slimgan_pl.training.iteration import Iteration, Side
from slimgan_pl.training.optimizers import make_optimizer
from slimgan_pl.training.updates import Updates
from slimgan_pl.utils.recipes import build_recipe

ALL_STAGES = 99

OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "free_graphs": {"free_graphs": True},
    "4 micro-batches": {"micro_batches": 4},
    "recomputed stages": {"recomputed_stages": ALL_STAGES},
    "free_graphs, recomputed": {"free_graphs": True, "recomputed_stages": ALL_STAGES},
    "all three": {"free_graphs": True, "micro_batches": 4, "recomputed_stages": ALL_STAGES},
}


class LiveBytes(TorchDispatchMode):
    """Bytes of the tensors that live at once.

    Attributes:
        now: Bytes that live.
        peak: Most bytes since the peak was last set.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self.known: set[int] = set()

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        pytree.tree_map_only(Tensor, self.note, result)
        return result

    def note(self, tensor: Tensor) -> None:
        """Count a tensor's storage, once, until it is freed."""
        storage = tensor.untyped_storage()
        key = storage._cdata
        if key not in self.known:
            self.known.add(key)
            size = storage.nbytes()
            self.now += size
            self.peak = max(self.peak, self.now)
            finalize(storage, self.drop, key, size)

    def drop(self, key: int, size: int) -> None:
        """Forget a storage that is freed."""
        self.known.discard(key)
        self.now -= size


def train(model: SlimGAN, options: Mapping[str, Any], batch_size: int, iterations: int = 2) -> None:
    """Take iterations of a model's settings on noise, with new nets."""
    net, bank = build_recipe(model.generator.recipe), build_recipe(model.discriminators.recipe)
    average = build_recipe(model.generator.recipe).requires_grad_(False) if model.ema.is_used else None
    net.recomputed_stages = options.get("recomputed_stages", 0)
    bank.recompute_stages(net.recomputed_stages)
    parts = options.get("free_graphs", False), options.get("micro_batches", 1)
    updates = Updates(net, bank, model.objective, *parts, penalty=model.penalty)
    makers = (model.generator_optimizer, net), (model.discriminator_optimizer, bank)
    first, second = (Side(optimizer, optimizer.step) for optimizer in (make_optimizer(*maker) for maker in makers))
    iteration = Iteration(updates, first, second, model.critic_steps)
    source = torch.Generator().manual_seed(0)
    for number in range(iterations):
        shape = model.real_batches * batch_size, net.image_channels, net.image_size, net.image_size
        iteration(torch.rand(shape) * 2 - 1, None, source, number=number * model.penalty.every)
        if average is not None:
            update_average(average, net, 0.5)


def estimate(config: str, options: Mapping[str, Any], batch_size: int) -> int:
    """Return the most bytes that live at once in an iteration."""
    model, live = build_configured_model(config), LiveBytes()
    with FakeTensorMode(), live:
        train(model, options, batch_size)
    return live.peak


def measure(config: str, options: Mapping[str, Any], batch_size: int) -> int:
    """Return the peak of this process's memory in iterations, over that before them."""
    torch.set_num_threads(1)
    model = build_configured_model(config)
    before = peak_memory()
    train(model, options, batch_size)
    return peak_memory() - before


def in_new_process(function: Any, *arguments: Any) -> Any:
    """Return what a function returns in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def main(
    configs: list[str],
    batch_sizes: list[int] | None = None,
    measured: bool = False,
    options: list[str] | None = None,
    json: str | None = None,
) -> None:
    """Estimate the memory of training, and measure it if asked to.

    Args:
        configs: Configurations.
        batch_sizes: Images of a batch; by default 32.
        measured: Whether to measure too, on the CPU.
        options: Names of the options to compare; by default all.
        json: File to write the numbers to.
    """
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    found: dict[str, dict[str, Any]] = {}
    for config in configs:
        for batch_size in batch_sizes or [32]:
            rows = {}
            for name in options or OPTIONS:
                given = config, OPTIONS[name], batch_size
                rows[name] = {"estimate": estimate(*given)}
                if measured:
                    rows[name]["measured"] = in_new_process(measure, *given)
            heads = ["", *next(iter(rows.values()))]
            table = [[name, *(f"{value / 2**20:,.0f}" for value in row.values())] for name, row in rows.items()]
            print_rows(f"{config}, batch {batch_size}: peak in MiB", heads, table)
            found[f"{config} {batch_size}"] = rows
            save_json(found, json)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
