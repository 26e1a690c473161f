"""Speed and memory of the training step: ``python benchmarks/train_step.py --json FILE`` from the repository's root.

Every option takes turns with the loop that the paper describes (``plain_loop.py``); ``ratio`` is that loop's time
over the option's, of medians.
"""

import gc
import multiprocessing
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple

import torch
from jsonargparse import auto_cli
from measuring import best_device, machine, medians, peak_memory, print_rows, print_table, save_json, synchronize
from plain_loop import plain_iteration, with_plain_blocks
from torch import Tensor
from torch.optim import Adam

from slimgan_pl.data import ByteArray, ByteLoader
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    ResNetDiscriminatorBank,
    ResNetGenerator,
    SlimmableGenerator,
)
from slimgan_pl.training.iteration import Iteration, Side, Steps
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, Objective
from slimgan_pl.training.updates import Updates
from slimgan_pl.utils.images import from_bytes
from slimgan_pl.utils.torch_state import tensor_float32, use_channels_last


class Net(NamedTuple):
    """A row of the paper, or a smaller one."""

    kind: str
    channels: tuple[int, ...]
    discriminator_channels: tuple[int, ...]
    critic_steps: int
    num_classes: int = 0
    betas: tuple[float, float] = (0.5, 0.999)


NETS = {
    "dcgan32": Net("dcgan", (512, 256, 128, 64), (64, 128, 256, 512), 1),
    "resnet32": Net("resnet", (256,) * 4, (128,) * 4, 5, betas=(0.0, 0.9)),
    "cgan32": Net("resnet", (256,) * 4, (128,) * 4, 5, 10, (0.0, 0.9)),
    "dcgan32-small": Net("dcgan", (128, 64, 32, 16), (16, 32, 64, 128), 1),
    "resnet32-small": Net("resnet", (64,) * 4, (32,) * 4, 1, betas=(0.0, 0.9)),
    "resnet32-small-5": Net("resnet", (64,) * 4, (32,) * 4, 5, betas=(0.0, 0.9)),
}


class Option(NamedTuple):
    """Settings of the step's computation."""

    channels_last: bool = True
    fused: bool = True
    shared: bool = False
    bf16: bool = False
    compile: bool = False
    cuda_graphs: bool = False
    free_graphs: bool = False
    micro_batches: int = 1


OPTIONS = {
    "step alone": Option(channels_last=False, fused=False),
    "+ fused Adam": Option(channels_last=False),
    "+ channels_last (default)": Option(),
    "shared latents": Option(shared=True),
    "bf16": Option(bf16=True),
    "shared, bf16": Option(shared=True, bf16=True),
    "free_graphs": Option(free_graphs=True),
    "shared, free_graphs": Option(shared=True, free_graphs=True),
    "2 micro-batches": Option(micro_batches=2),
    "compile": Option(compile=True),
    "shared, bf16, compile": Option(shared=True, bf16=True, compile=True),
    "CUDA graphs": Option(cuda_graphs=True),
    "shared, bf16, CUDA graphs": Option(shared=True, bf16=True, cuda_graphs=True),
    "shared, bf16, compile, CUDA graphs": Option(shared=True, bf16=True, compile=True, cuda_graphs=True),
}

COMPILED = [name for name, option in OPTIONS.items() if option.compile]
GRAPHED = [name for name, option in OPTIONS.items() if option.cuda_graphs]


def main(
    nets: list[str] | None = None,
    options: list[str] | None = None,
    batch_size: int = 64,
    rounds: int = 5,
    iterations: int = 1,
    compile: bool = False,
    tf32: bool = True,
    memory: bool = False,
    parts: bool = True,
    json: str | None = None,
) -> None:
    """Measure the training step.

    Args:
        nets: Names of nets; by default paper size on a GPU, and smaller ones elsewhere.
        options: Names of options; by default all that the device has.
        batch_size: Real images per discriminator update.
        rounds: Times that each thing is measured; the median counts.
        iterations: Iterations in one measurement.
        compile: Whether to measure compiled nets; compiling takes minutes.
        tf32: Whether a GPU may round factors to TF32, for the loop and for the step.
        memory: Whether to measure peak memory; on a CPU each option needs a process of its own for it.
        parts: Whether to show the time of each part of the default step.
        json: File to write the measurements to.
    """
    warnings.filterwarnings("ignore", module="torch")
    is_cuda = best_device().type == "cuda"
    print_table("Machine", {name: str(value) for name, value in machine().items()})
    chosen = options or [
        name for name in OPTIONS if (compile or name not in COMPILED) and (is_cuda or name not in GRAPHED)
    ]
    results: dict[str, Any] = {}
    with tensor_float32(tf32):
        for name in nets or (["dcgan32", "resnet32", "cgan32"] if is_cuda else ["dcgan32", "resnet32-small"]):
            results[name] = compare(name, chosen, batch_size, rounds, iterations, memory)
            if parts:
                results[name]["parts"] = time_of_parts(name, batch_size, rounds * iterations)
    save_json({"batch_size": batch_size, "tf32": tf32 and is_cuda, "nets": results}, json)


def compare(
    name: str, options: Sequence[str], batch_size: int, rounds: int, iterations: int, memory: bool
) -> dict[str, Any]:
    """Run the plain loop and each option in turns."""
    runs = {"plain loop": plain_run(name, batch_size)}
    runs |= {option: our_run(name, OPTIONS[option], batch_size) for option in options}
    for run in runs.values():
        for _ in range(4):  # what is captured or compiled is so by then
            run()
            if best_device().type == "cpu" and not any(OPTIONS[o].compile for o in options):
                break
    repeated = {key: partial(repeat, run, iterations) for key, run in runs.items()}
    seconds = {key: value / iterations for key, value in medians(repeated, rounds).items()}
    del runs, repeated
    peaks = {key: peak_of(name, key, batch_size) for key in seconds} if memory else {}
    rows = {
        key: {"seconds": value, "ratio": seconds["plain loop"] / value} | ({"peak_bytes": peaks[key]} if memory else {})
        for key, value in seconds.items()
    }
    heads = ["", "ms", "iterations/s", "ratio"] + (["peak MiB"] if memory else [])
    cells = [
        [key, f"{row['seconds'] * 1e3:.1f}", f"{1 / row['seconds']:.2f}", f"{row['ratio']:.2f}"]
        + ([f"{row['peak_bytes'] / 2**20:,.0f}"] if memory else [])
        for key, row in rows.items()
    ]
    print_rows(f"{name}, batch {batch_size}, {NETS[name].critic_steps} critic steps", heads, cells)
    return {"critic_steps": NETS[name].critic_steps, "options": rows}


def repeat(run: Callable[[], object], times: int) -> None:
    """Run several times."""
    for _ in range(times):
        run()


def build(name: str) -> tuple[SlimmableGenerator, DiscriminatorBank]:
    """Return the nets of a row, the same weights each time."""
    torch.manual_seed(0)
    net = NETS[name]
    classes = net.num_classes
    generator: SlimmableGenerator
    bank: DiscriminatorBank
    if net.kind == "dcgan":
        generator = DCGANGenerator(net.channels, num_classes=classes)
        bank = DCGANDiscriminatorBank(net.discriminator_channels, num_shared=2, num_classes=classes)
    else:
        generator = ResNetGenerator(net.channels, num_classes=classes)
        bank = ResNetDiscriminatorBank(net.discriminator_channels, 2, num_shared=2, num_classes=classes)
    return generator.to(best_device()), bank.to(best_device())


def real_images(name: str, batch_size: int) -> tuple[Tensor, Tensor | None]:
    """Return noise for one iteration, and labels where the net has classes."""
    count, device = NETS[name].critic_steps * batch_size, best_device()
    classes = NETS[name].num_classes
    images = torch.rand(count, 3, 32, 32, device=device) * 2 - 1
    return images, torch.randint(classes, (count,), device=device) if classes else None


def plain_run(name: str, batch_size: int) -> Callable[[], None]:
    """Return the plain loop's iteration."""
    generator, bank = build(name)
    with_plain_blocks(generator, bank)
    optimizers = Adam(generator.parameters(), 2e-4, NETS[name].betas), Adam(bank.parameters(), 2e-4, NETS[name].betas)
    images, labels = real_images(name, batch_size)
    return partial(plain_iteration, generator, bank, optimizers, images, labels, NETS[name].critic_steps, 20.0)


def our_run(name: str, option: Option, batch_size: int) -> Callable[[], None]:
    """Return our iteration with an option."""
    iteration, autocast = our_iteration(name, option)
    images, labels = real_images(name, batch_size)
    source = torch.Generator(best_device()).manual_seed(0)

    def run() -> None:
        with autocast:
            iteration(images, labels, source)

    return run


def our_iteration(name: str, option: Option) -> tuple[Iteration, Any]:
    """Return our iteration with an option, and the autocast to run it in."""
    generator, bank = build(name)
    device = best_device()
    for net in (generator, bank):
        use_channels_last(net, option.channels_last)
    objective = Objective(ADVERSARIAL_LOSSES["hinge"], "next", 20.0, option.shared)
    updates = Updates(generator, bank, objective, option.free_graphs, option.micro_batches)
    if option.compile:
        updates.compile()
    optimizers = [Adam(net.parameters(), 2e-4, NETS[name].betas, fused=option.fused) for net in (generator, bank)]
    first, second = (Side(optimizer, optimizer.step) for optimizer in optimizers)
    iteration = Iteration(updates, first, second, NETS[name].critic_steps, option.cuda_graphs)
    # Lightning's autocast keeps no casts either.
    return iteration, torch.autocast(device.type, torch.bfloat16, cache_enabled=False) if option.bf16 else nullcontext()


def peak_of(name: str, option: str, batch_size: int) -> int:
    """Return the bytes that iterations need at their peak, beyond what an idle process holds."""
    if best_device().type == "cuda":
        return measure_peak(name, option, batch_size)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return int(pool.apply(measure_peak, (name, option, batch_size)))


def measure_peak(name: str, option: str, batch_size: int) -> int:
    """Measure that in this process."""
    gc.collect()
    is_cuda = best_device().type == "cuda"
    if is_cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    before = peak_memory()
    plain = option == "plain loop"
    run = plain_run(name, batch_size) if plain else our_run(name, OPTIONS[option], batch_size)
    repeat(run, 5 if is_cuda else 2)
    return peak_memory() - before


def time_of_parts(name: str, batch_size: int, rounds: int) -> dict[str, float]:
    """Return the seconds of each part of the default step, with a wait for the device behind each."""
    iteration, _ = our_iteration(name, Option())
    spent = dict.fromkeys(("data", "discriminators", "generator", "optimizers"), 0.0)

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            synchronize()
            start = time.perf_counter()
            result = function(*args, **kwargs)
            synchronize()
            spent[part] += time.perf_counter() - start
            return result

        return run

    parts = "discriminators", "discriminators", "generator"
    iteration.steps[False] = Steps(*map(timed, parts, iteration.steps[False]))
    iteration.generator = Side(iteration.generator.optimizer, timed("optimizers", iteration.generator.step))
    iteration.discriminators = Side(
        iteration.discriminators.optimizer, timed("optimizers", iteration.discriminators.step)
    )
    classes, count = NETS[name].num_classes, NETS[name].critic_steps * batch_size
    images = torch.randint(0, 256, (4096, 3, 32, 32), dtype=torch.uint8).numpy()
    labels = torch.randint(max(classes, 1), (4096,)).numpy() if classes else None
    batches = iter(ByteLoader(ByteArray(images, labels), count))
    source = torch.Generator(best_device()).manual_seed(0)

    def load() -> tuple[Tensor, Tensor | None]:
        bytes_, numbers = next(batches)
        device = best_device()
        return from_bytes(bytes_.to(device)), None if numbers is None else numbers.to(device)

    load_timed = timed("data", load)
    rounds = min(rounds, 4096 // count - 1)
    for round_ in range(rounds + 1):
        if round_ == 1:  # the first warms up
            spent.update(dict.fromkeys(spent, 0.0))
        real, numbers = load_timed()
        iteration(real, numbers, source)
    seconds = {part: value / rounds for part, value in spent.items()}
    total = sum(seconds.values())
    print_table(
        f"{name}: where the default's time goes",
        {part: f"{value * 1e3:.1f} ms, {value / total:.1%}" for part, value in seconds.items()},
    )
    return seconds


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
