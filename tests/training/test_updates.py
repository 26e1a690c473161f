"""However an update is computed, its gradients are the plain one's, and it keeps what it promises of memory."""

import copy
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, Trainer
from naive import plain_descent
from one_batch import OneBatch
from sharing import mostly_slow
from torch import Tensor
from torch._dynamo.utils import counters
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    DiscriminatorBank,
    R3DiscriminatorBank,
    R3Generator,
    SlimmableGenerator,
    StyleGAN2DiscriminatorBank,
    StyleGAN2Generator,
)
from slimgan_pl.models.generator import Inputs
from slimgan_pl.models.stylegan2 import StyleNoise
from slimgan_pl.training.augmentation import Augmentation, Augmenter, TransformName, make_view
from slimgan_pl.training.cuda_graphs import WARM_UP, CapturedUpdate
from slimgan_pl.training.ema import EMA
from slimgan_pl.training.iteration import Iteration, Side, Steps
from slimgan_pl.training.losses import ADVERSARIAL_LOSSES, Objective
from slimgan_pl.training.penalties import Penalty
from slimgan_pl.training.real_and_fake import Images, Randomness
from slimgan_pl.training.schedules import Schedule, Schedules
from slimgan_pl.training.updates import Updates
from slimgan_pl.utils.torch_state import follow_layout, use_channels_last

BATCH_SIZE = 8


MODERN: dict[str, Any] = {
    "loss": "relativistic",
    "penalty": Penalty(0.1, share=0.5, every=2),
    "augmenter": Augmenter(Augmentation(("flip", "translation", "color", "cutout"), 0.5)),
}


def make_modern_updates(family: str, **settings: Any) -> Updates:
    """Return updates of nets without norms, relativistic, with shared latents and a penalty."""
    torch.manual_seed(0)
    generator: SlimmableGenerator
    bank: DiscriminatorBank
    widths = (0.5, 1.0)
    shape: dict[str, Any] = {"image_channels": 1}
    if family == "r3":
        generator = R3Generator((8, 8), 1, 8, latent_dim=8, widths=widths, **shape)
        bank = R3DiscriminatorBank((4, 8), 1, 4, num_branches=2, num_shared=1, **shape)
    else:
        generator = StyleGAN2Generator((8, 8), 8, 1, style_mixing=0.5, widths=widths, **shape)
        bank = StyleGAN2DiscriminatorBank((4, 8), num_branches=2, num_shared=1, **shape)
    stages = settings.pop("recomputed_stages", 0)
    generator.recomputed_stages = stages
    bank.recompute_stages(stages)
    objective = Objective(ADVERSARIAL_LOSSES["relativistic"], "next", 10.0, True)
    return Updates(generator, bank, objective, penalty=Penalty(0.1, share=0.5), **settings)


def make_updates(channels: int = 8, widths: tuple[float, ...] = (0.25, 0.5, 1.0), **settings: Any) -> Updates:
    torch.manual_seed(0)
    generator = DCGANGenerator((channels, channels), latent_dim=8, image_channels=1, widths=widths)
    bank = DCGANDiscriminatorBank((channels // 2, channels), image_channels=1, num_branches=len(widths), num_shared=1)
    shared, loss = settings.pop("shared", False), settings.pop("loss", "hinge")
    return Updates(generator, bank, Objective(ADVERSARIAL_LOSSES[loss], "next", 20.0, shared), **settings)


def make_iteration(updates: Updates, critic_steps: int = 1) -> Iteration:
    optimizers = [torch.optim.SGD(net.parameters(), lr=0.01) for net in (updates.generator, updates.bank)]
    first, second = (Side(optimizer, optimizer.step) for optimizer in optimizers)
    return Iteration(updates, first, second, critic_steps)


def run(iteration: Iteration, count: int) -> None:
    source = torch.Generator().manual_seed(0)
    for number in range(count):
        real = torch.randn(iteration.real_batches * BATCH_SIZE, 1, 8, 8, generator=source)
        iteration(real, None, source, number=number)


def states(updates: Updates) -> dict[str, Tensor]:
    return {**updates.generator.state_dict(prefix="g."), **updates.bank.state_dict(prefix="d.")}


@mostly_slow(
    "settings",
    [{"free_graphs": True}, {**MODERN, "shared": True}, {"micro_batches": 2}],
    keep=2,
    ids=lambda settings: "-".join(settings),
)
def test_compiled_nets_train_as_plain_ones_and_compile_no_more_after_the_first_iterations(
    settings: dict[str, Any],
) -> None:
    plain, compiled = make_updates(**settings), make_updates(**settings)
    compiled.compile(backend="aot_eager")
    keys = list(states(compiled))
    iteration = make_iteration(compiled, critic_steps=2)
    torch._dynamo.reset()
    counters.clear()
    period = compiled.penalty.every  # iterations with a lazy penalty and without are two programs
    run(iteration, period)
    graphs = counters["stats"]["unique_graphs"]
    run(iteration, 3)
    assert graphs > 0
    assert counters["stats"]["unique_graphs"] == graphs
    assert not counters["graph_break"]
    assert list(states(compiled)) == keys
    reference = make_iteration(plain, critic_steps=2)
    run(reference, period)
    run(reference, 3)
    for name, value in states(plain).items():
        torch.testing.assert_close(states(compiled)[name], value, rtol=1e-4, atol=1e-6)


@mostly_slow(("family", "stages"), [("r3", 0), ("stylegan2", 2)], keep=0)
def test_compiled_nets_without_norms_train_as_plain_ones(family: str, stages: int) -> None:
    plain, compiled = (make_modern_updates(family, recomputed_stages=stages) for _ in range(2))
    compiled.compile(backend="aot_eager")
    torch._dynamo.reset()
    counters.clear()
    iteration = make_iteration(compiled)
    run(iteration, 1)
    graphs = counters["stats"]["unique_graphs"]
    run(iteration, 2)
    assert graphs > 0
    assert counters["stats"]["unique_graphs"] == graphs
    assert not counters["graph_break"]
    reference = make_iteration(plain)
    run(reference, 1)
    run(reference, 2)
    for name, value in states(plain).items():
        torch.testing.assert_close(states(compiled)[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("family", ["r3", "stylegan2"])
def test_updates_of_nets_without_norms_on_a_gpu_read_nothing_from_the_host(family: str) -> None:
    """Tensors without memory stand for a GPU's."""
    with FakeTensorMode():
        with torch.device("cuda"):
            updates = make_modern_updates(family, backward=lambda *_, **__: None)
            real, directions = torch.empty(BATCH_SIZE, 1, 8, 8), torch.empty(BATCH_SIZE // 2, 1, 8, 8)
            inputs = dict.fromkeys(range(2), Inputs(torch.empty(BATCH_SIZE, 8)))
            noise = None
            if family == "stylegan2":
                maps = tuple(torch.empty(BATCH_SIZE, 1, side, side) for side in (4, 8, 8))
                noise = StyleNoise(maps, torch.empty(BATCH_SIZE, 8), torch.zeros(BATCH_SIZE, dtype=torch.long))
        watch = HostTensors()
        randomness = Randomness(directions=directions, noise={} if noise is None else dict.fromkeys(range(2), noise))
        with watch:
            updates.train_discriminators(real, None, inputs, randomness, penalize=True)
            updates.train_generator(inputs, None, Images(real), randomness)
        assert watch.seen == []


@pytest.mark.parametrize("family", ["r3", "stylegan2"])
def test_recomputed_stages_keep_less(family: str) -> None:
    kept, recomputed = (peak_of_graphs(make_modern_updates(family, recomputed_stages=count)) for count in (0, 2))
    assert recomputed < 0.7 * kept, (recomputed, kept)


@pytest.mark.slow
def test_more_widths_than_the_compilers_limit_are_all_compiled() -> None:
    widths = tuple(number / 8 for number in range(1, 9))
    updates = make_updates(channels=16, widths=widths)
    updates.compile(backend="aot_eager")
    torch._dynamo.reset()
    counters.clear()
    run(make_iteration(updates), 1)
    # each width with and without a graph, each branch, and all branches at once
    assert counters["stats"]["unique_graphs"] == 3 * len(widths) + 1


class Waits(TorchDispatchMode):
    """Notes what makes the host wait for the device: reading a number, or a shape that depends on numbers."""

    names = ("_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "unique")

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func._schema.name.split("::")[1] in self.names:
            self.seen.append(func._schema.name)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {
            "adversarial_loss": "relativistic",
            "penalty": Penalty(0.1),
            "ema": EMA(100.0),
            "augmentation": Augmentation(("flip", "translation", "color", "cutout"), target=0.6),
            "schedules": Schedules(lr=Schedule(factor=0.1), gamma=Schedule(end=0.5), half_life=Schedule(end=10.0)),
        },
    ],
    ids=["default", "modern"],
)
def test_nothing_in_a_step_makes_the_host_wait_for_the_device(
    settings: dict[str, Any], make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    waits = Waits()

    class Watch(Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            waits.__enter__()  # type: ignore[no-untyped-call]

        def on_train_batch_end(self, *_: Any) -> None:
            waits.__exit__(None, None, None)  # type: ignore[no-untyped-call]

    trainer = make_trainer(max_steps=3, callbacks=[Watch()])
    # Adam's default counts its steps on the host; fused ones count on the device
    model = make_model(**settings)
    trainer.fit(model, OneBatch(torch.zeros(model.real_batches * BATCH_SIZE, 1, 8, 8)))
    assert waits.seen == []
    with waits:
        torch.zeros(()).item()
    assert waits.seen  # or the watch sees nothing


class HostTensors(TorchDispatchMode):
    """Notes operations on a GPU that read the host's memory, which waits and which no CUDA graph captures."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        tensors = [each for each in pytree.tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
        hosts = [each.device.type == "cpu" for each in tensors]
        is_copied = "cuda" in str(kwargs.get("device")) and any(hosts)
        if is_copied or (any(hosts) and not all(hosts) and any(each.dim() for each in tensors)):
            self.seen.append(func._schema.name)
        return func(*args, **kwargs)


@pytest.mark.parametrize("settings", [{}, MODERN, {**MODERN, "micro_batches": 2}], ids=["", "modern", "parts"])
def test_updates_on_a_gpu_read_nothing_from_the_host(settings: dict[str, Any]) -> None:
    """Tensors without memory stand for a GPU's."""
    names: tuple[TransformName, ...] = ("flip", "translation", "color", "cutout")
    with FakeTensorMode():
        with torch.device("cuda"):
            augmenter = Augmenter(Augmentation(names, 0.5)) if settings else None
            updates = make_updates(**{**settings, "augmenter": augmenter}, backward=lambda *_, **__: None)
            real, directions, numbers = (torch.empty(BATCH_SIZE, *shape) for shape in ((1, 8, 8), (1, 8, 8), (11,)))
            inputs = {index: Inputs(torch.empty(BATCH_SIZE, 8), None) for index in range(3)}
        watch = HostTensors()
        with watch:
            view = None if augmenter is None else make_view(real, numbers, names, augmenter.p)
            fakes = None if view is None else dict.fromkeys(range(3), view)
            randomness = Randomness(view, fakes, directions[: BATCH_SIZE // 2])
            updates.train_discriminators(real, None, inputs, randomness, penalize=bool(settings))
            compared = Images(real, None, view) if settings else None
            updates.train_generator(inputs, inputs[0], compared, randomness)
        assert watch.seen == []
        with watch:
            real[torch.arange(2)]
        assert watch.seen  # or the watch sees nothing


@contextmanager
def live_saved_bytes() -> Iterator[list[int]]:
    """Give a list that ends with the most bytes that graphs held at once."""
    peak = [0]
    sizes: dict[int, tuple[int, int]] = {}  # of each saved tensor: where its memory begins, and how much it is

    def drop(key: int) -> None:
        sizes.pop(key, None)

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        holder = tensor.detach()
        sizes[id(holder)] = (storage.data_ptr(), storage.nbytes())
        weakref.finalize(holder, drop, id(holder))
        peak[0] = max(peak[0], sum(dict(sizes.values()).values()))
        return holder

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield peak


def peak_of_graphs(updates: Updates) -> int:
    with live_saved_bytes() as peak:
        run(make_iteration(updates), 1)
    return peak[0]


@pytest.mark.parametrize("shared", [False, True])
def test_freed_graphs_need_little_more_than_the_widest_alone(shared: bool) -> None:
    widths = (0.25, 0.5, 0.75, 1.0)
    all_kept = peak_of_graphs(make_updates(32, widths, shared=shared))
    freed = peak_of_graphs(make_updates(32, widths, shared=shared, free_graphs=True))
    alone = peak_of_graphs(make_updates(32, (1.0,), shared=shared))
    assert freed < 1.25 * alone
    assert freed < 0.6 * all_kept, (freed, all_kept)


def test_two_micro_batches_need_about_half() -> None:
    whole, halves = (peak_of_graphs(make_updates(micro_batches=count)) for count in (1, 2))
    assert halves < 0.75 * whole


def test_a_batch_that_micro_batches_do_not_divide_is_refused() -> None:
    with pytest.raises(SlimGANError, match="batch of 8 images cannot be split into 3 equal parts"):
        run(make_iteration(make_updates(micro_batches=3)), 1)


@pytest.mark.parametrize("fused", [True, False])
def test_an_optimizer_continues_in_another_layout(fused: bool) -> None:
    """States that lie otherwise than their weights are silently taken for others by fused Adam on a CPU."""

    def train(net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        for number in range(2):
            optimizer.zero_grad()
            (net(torch.arange(2 * 3 * 16.0).view(2, 3, 4, 4)) * (number + 1)).square().sum().backward()
            optimizer.step()

    torch.manual_seed(0)
    first = torch.nn.Conv2d(3, 4, 3)
    adam = torch.optim.Adam(first.parameters(), lr=0.1, fused=fused)
    train(first, adam)
    second = copy.deepcopy(first)
    use_channels_last(second, True)
    other = torch.optim.Adam(second.parameters(), lr=0.1, fused=fused)
    other.load_state_dict(copy.deepcopy(adam.state_dict()))
    follow_layout(other)
    train(first, adam)
    train(second, other)
    assert second.weight.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(second.weight, first.weight, rtol=1e-3, atol=1e-4)


class Emulated(CapturedUpdate):
    """Does on the host what a CUDA graph does: the capture has no effect, a replay writes into the same tensors."""

    def _beside(self, *inputs: Any, **fixed: Any) -> Any:
        return self.update(*inputs, **fixed)

    def _capture(self, inputs: tuple[Any, ...], fixed: dict[str, Any]) -> None:
        nets = self.update.__self__.generator, self.update.__self__.bank  # type: ignore[attr-defined]
        buffers = {buffer: buffer.clone() for net in nets for buffer in net.buffers()}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch.cuda, "CUDAGraph", lambda: self)
            patch.setattr(torch.cuda, "graph", lambda *_, **__: torch.enable_grad())
            super()._capture(inputs, fixed)
        for buffer, value in buffers.items():
            buffer.data.copy_(value)
        self.fixed = fixed

    def replay(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None
        outputs = self.update(*self.inputs, **self.fixed)
        for place, parameter in zip(self.gradients, self.parameters, strict=True):
            if place is not None and parameter.grad is not None:
                place.copy_(parameter.grad)
            parameter.grad = None  # a replay gives nothing to Python
        before, now = ((value[0] if isinstance(value, tuple) else value) for value in (self.outputs, outputs))
        for name, by_width in now.items():
            for index, value in by_width.items():
                before[name][index].copy_(value)


@pytest.mark.parametrize("settings", [{}, {"shared": True, "free_graphs": True}, MODERN], ids=["", "shared", "modern"])
def test_captured_updates_train_as_plain_ones(settings: dict[str, Any]) -> None:
    plain, captured = make_updates(**settings), make_updates(**settings)
    reference, iteration = make_iteration(plain, critic_steps=2), make_iteration(captured, critic_steps=2)
    bank, generator = captured.bank, captured.generator
    updates = []
    for penalize in (False, True)[: 1 + captured.penalizes]:
        first, last = (Emulated(captured.train_discriminators, bank.parameters()) for _ in range(2))
        final = Emulated(captured.train_generator, generator.parameters())
        iteration.steps[penalize] = Steps(first, last, final)
        updates += [first, last, final]
    count = (1 + captured.penalizes) * (WARM_UP + 3)
    run(reference, count)
    run(iteration, count)
    assert all(update.graph is not None for update in updates)
    for name, value in states(plain).items():
        torch.testing.assert_close(states(captured)[name], value, rtol=1e-5, atol=1e-7)


def test_cuda_graphs_without_a_gpu_are_refused_in_one_sentence(
    make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    with pytest.raises(SlimGANError, match="cuda_graphs needs an NVIDIA GPU, and this run is on cpu; leave it out"):
        make_trainer(max_steps=1).fit(make_model(cuda_graphs=True), OneBatch(torch.zeros(BATCH_SIZE, 1, 8, 8)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("latents", ["independent", "shared"])
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_cuda_graphs_train_as_plain_steps(
    latents: str, precision: str, make_model: Callable[..., SlimGAN], make_trainer: Callable[..., Trainer]
) -> None:
    optimizers = {"generator_optimizer": plain_descent, "discriminator_optimizer": plain_descent}
    plain = make_model(latents=latents, critic_steps=2, **optimizers)
    captured = copy.deepcopy(plain)
    captured.step_settings = captured.step_settings._replace(cuda_graphs=True)
    for model in (plain, captured):
        trainer = make_trainer(max_steps=8, accelerator="gpu", devices=1, precision=precision)
        trainer.fit(model, OneBatch(torch.zeros(2 * BATCH_SIZE, 1, 8, 8)))
    for name, value in plain.cpu().state_dict().items():
        tolerance = 1e-4 if precision == "32-true" else 3e-2
        torch.testing.assert_close(captured.cpu().state_dict()[name], value, rtol=tolerance, atol=tolerance / 10)
