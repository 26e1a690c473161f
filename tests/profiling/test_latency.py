"""Latency is measured in turns, and measuring changes nothing."""

from typing import Any

import pytest
import torch
from torch import Tensor

from slimgan_pl import SlimGANError
from slimgan_pl.models import DCGANGenerator, ResNetGenerator, SlimmableGenerator
from slimgan_pl.models.folding import FoldedGenerator
from slimgan_pl.profiling import Latency, find_device, latency, measure_latencies, measure_latency, narrow_net


class Clock:
    """A clock that advances only when a net runs."""

    def __init__(self) -> None:
        self.now = 0.0
        self.calls: list[str] = []

    def perf_counter(self) -> float:
        return self.now


class Timed(DCGANGenerator):
    """Advances the clock by the next of given times in each forward pass."""

    clock: Clock
    times: list[float]
    name = "net"

    def forward(
        self, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0, noise: Any = None
    ) -> Tensor:
        self.times.append(self.times.pop(0))
        self.clock.now += self.times[-1]
        self.clock.calls.append(f"{self.name}{len(latents)}")
        return latents


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("slimgan_pl.profiling.latency.time.perf_counter", clock.perf_counter)
    return clock


def timed(clock: Clock, times: list[float], name: str = "net") -> Timed:
    net = Timed((4,), latent_dim=2, widths=(1.0,))
    net.clock, net.times, net.name = clock, times, name
    return net


def conditional(**settings: Any) -> ResNetGenerator:
    return ResNetGenerator((8, 4), latent_dim=6, widths=(0.5, 1.0), num_classes=3, **settings)


def test_the_median_and_the_95th_percentile_are_those_of_the_times(clock: Clock) -> None:
    warm_up = [9.0] * (1 + latency.WARM_UP)
    times = [float(second) for pair in range(50) for second in (1000, 2 * pair + 1, 2 * pair + 2)]
    ((result,),) = measure_latencies([timed(clock, warm_up + times)], [4], rounds=100)
    assert result == pytest.approx(Latency(4, 50.5, 95.05, 4 / 50.5, 100))


def test_each_turn_starts_with_a_batch_that_does_not_count(clock: Clock) -> None:
    turn = [100.0] + [1.0] * latency.TURN
    ((result,),) = measure_latencies([timed(clock, [1.0] * (1 + latency.WARM_UP) + turn * 3)], [1], 3 * latency.TURN)
    assert (result.median_s, result.p95_s) == (1.0, 1.0)


def test_all_nets_and_batch_sizes_take_turns(clock: Clock) -> None:
    nets = [timed(clock, [1.0], name) for name in "ab"]
    measure_latencies(nets, [1, 3], rounds=2 * latency.TURN)
    turns = list(dict.fromkeys(enumerate(clock.calls)))[4 * (1 + latency.WARM_UP) :: 1 + latency.TURN]
    assert [name for _, name in turns] == ["a1", "a3", "b1", "b3"] * 2


def test_it_continues_until_the_time_is_up(clock: Clock) -> None:
    ((result,),) = measure_latencies([timed(clock, [1.0])], [1], rounds=1, seconds=10 * (1 + latency.TURN))
    assert result.rounds == 10 * latency.TURN


@pytest.mark.parametrize("training", [True, False])
def test_measuring_leaves_the_generator_and_all_randomness_as_they_are(training: bool) -> None:
    generator = conditional().train(training)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    for form in ("slice", "folded"):
        assert measure_latency(generator, 0.5, batch_size=4, rounds=2, form=form).batch_size == 4
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert all(module.training == training for module in generator.modules())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in generator.parameters())
    after = generator.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_measuring_builds_no_graph_and_ignores_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def forward(self: SlimmableGenerator, latents: Tensor, labels: Tensor | None = None, *, width: float = 1.0) -> None:
        seen.append((torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"), self.training, labels))

    monkeypatch.setattr(ResNetGenerator, "forward", forward)
    with torch.autocast("cpu"):
        measure_latency(conditional(), 0.5, batch_size=5, rounds=1)
    assert all(state[:3] == (True, False, False) for state in seen)
    assert all(torch.equal(state[3], torch.tensor([0, 1, 2, 0, 1])) for state in seen)


def test_a_width_is_measured_in_the_form_that_is_asked_for() -> None:
    plain, folded = (narrow_net(conditional(), 0.5, form) for form in ("slice", "folded"))
    assert type(plain) is ResNetGenerator
    assert isinstance(folded, FoldedGenerator)
    assert plain.channels == folded.channels == (4, 2)


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "cpu:1", "meta"])
def test_a_device_that_is_not_there_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(SlimGANError, match=f"there is no device '{name}' here; choose one of auto, cpu"):
        find_device(name)


def test_auto_is_the_first_gpu_or_else_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    for count, found in ((0, "cpu"), (2, "cuda:0")):
        monkeypatch.setattr(torch.cuda, "device_count", lambda count=count: count)
        assert find_device("auto") == torch.device(found)
    assert find_device("cuda") == torch.device("cuda:0")
    assert find_device("cuda:1") == torch.device("cuda:1")
    assert find_device("cpu") == torch.device("cpu")
