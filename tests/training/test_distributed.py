"""Two processes do what one with both batches would."""

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from distributed_worker import build
from lightning.pytorch import Trainer
from naive import Latents, descend, discriminator_gradients, generator_gradients, sample_updates
from torch import Tensor

from slimgan_pl.data import ByteLoader, DigitsDataModule
from slimgan_pl.runs.checkpoints import read_checkpoint
from slimgan_pl.utils.images import from_bytes

HELPERS = Path(__file__).parents[1] / "helpers"
ITERATIONS = 3


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Run two iterations on two gloo processes."""
    output = tmp_path_factory.mktemp("ddp")
    command = [sys.executable, str(HELPERS / "distributed_worker.py"), str(output), str(ITERATIONS)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, cwd=output)
    assert result.returncode == 0, result.stderr[-3000:]
    return output, json.loads((output / "report.json").read_text())


def test_parameters_and_statistics_are_equal_on_all_processes(two_processes: tuple[Path, dict[str, Any]]) -> None:
    # num_batches_tracked and the rest alike
    assert two_processes[1]["unequal"] == []


def test_a_mistake_that_one_process_meets_ends_all(two_processes: tuple[Path, dict[str, Any]]) -> None:
    assert two_processes[1]["failure"] == "SlimGANError MemoryError: no room"


def test_an_iteration_sends_each_gradient_once_per_update_and_nothing_else(
    two_processes: tuple[Path, dict[str, Any]],
) -> None:
    model = build()
    bank, generator = (
        sum(parameter.numel() for parameter in net.parameters()) for net in (model.discriminators, model.generator)
    )
    statistics = sum(buffer.numel() for buffer in model.generator.buffers() if buffer.is_floating_point())
    status = 2  # whether a loss is not finite, and whether a process is asked to stop
    gradients = [["gloo:all_reduce", bank], ["gloo:all_reduce", generator + statistics + status]]
    first, *others = two_processes[1]["collectives"]
    assert [collective for collective in first if collective[0] != "gloo:broadcast"] == gradients  # of first buffers
    assert others == [gradients] * (ITERATIONS - 1)


def test_two_processes_of_six_images_take_the_gradients_of_one_of_twelve(
    two_processes: tuple[Path, dict[str, Any]],
) -> None:
    """Exactly so with batch norm in evaluation mode, whose statistics depend on no batch."""
    output, _ = two_processes
    model = build()
    model.generator.eval()
    data = DigitsDataModule(batch_size=6, cache_dir=str(output / "cache"))
    data.setup("fit")
    real = torch.cat(
        [from_bytes(next(iter(ByteLoader(data.arrays["train"], 6, 0, rank=rank, world=2)))[0]) for rank in range(2)]
    )
    shares = [sample_updates(model, 0, rank, [2, 3], 6) for rank in range(2)]
    updates: list[Latents] = [
        [(torch.cat([first[0], second[0]]), None) for first, second in zip(*update, strict=True)]
        for update in zip(*shares, strict=True)
    ]
    critic, last = updates
    gradients = discriminator_gradients(model, "hinge", real, None, critic)
    descend(list(model.discriminators.parameters()), gradients)
    descend(list(model.generator.parameters()), generator_gradients(model, "hinge", last))
    trained = read_checkpoint(output / "still.ckpt")["state_dict"]
    for name, value in model.named_parameters():
        torch.testing.assert_close(trained[name], value.detach(), rtol=1e-5, atol=1e-7)


def test_two_processes_take_the_mean_of_both_gradients(two_processes: tuple[Path, dict[str, Any]]) -> None:
    """A naive loop over both shares of the data and of the latents gives the same parameters."""
    output, _ = two_processes
    trained = read_checkpoint(output / "two.ckpt")["state_dict"]
    data = DigitsDataModule(batch_size=6, cache_dir=str(output / "cache"))
    data.setup("fit")
    models = [build(), build()]
    loaders = [iter(ByteLoader(data.arrays["train"], 6, seed=0, rank=rank, world=2)) for rank in range(2)]
    for iteration in range(ITERATIONS):
        batches = [from_bytes(next(loader)[0]) for loader in loaders]
        latents = [sample_updates(model, iteration, rank, [2, 3], 6) for rank, model in enumerate(models)]
        shares = [
            discriminator_gradients(model, "hinge", batch, None, sampled[0])
            for model, batch, sampled in zip(models, batches, latents, strict=True)
        ]
        for model in models:
            descend(list(model.discriminators.parameters()), means(shares))
        shares = [
            generator_gradients(model, "hinge", sampled[1]) for model, sampled in zip(models, latents, strict=True)
        ]
        for model in models:
            descend(list(model.generator.parameters()), means(shares))
    for name, value in models[0].named_parameters():
        torch.testing.assert_close(trained[name], value.detach(), rtol=1e-4, atol=1e-6)
    statistics = [name for name, _ in models[0].generator.named_buffers() if "running" in name]
    for name in statistics:
        expected = (models[0].generator.get_buffer(name) + models[1].generator.get_buffer(name)) / 2
        torch.testing.assert_close(trained[f"generator.{name}"], expected, rtol=1e-4, atol=1e-6)


def means(shares: list[list[Tensor]]) -> list[Tensor]:
    return [(first + second) / 2 for first, second in zip(*shares, strict=True)]


def test_two_processes_evaluate_like_one(two_processes: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    output, report = two_processes
    model = build()
    model.load_state_dict(copy.deepcopy(read_checkpoint(output / "two.ckpt")["state_dict"]))
    data = DigitsDataModule(batch_size=6, cache_dir=str(output / "cache"))
    Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, default_root_dir=tmp_path).test(
        model, datamodule=data, verbose=False
    )
    assert model.results is not None
    for row, expected in zip(model.results["widths"], report["results"]["widths"], strict=True):
        assert row == pytest.approx(expected, rel=1e-6)
    assert model.results["mic_digits"] == pytest.approx(report["results"]["mic_digits"], rel=1e-6)
    assert model.results["real"] == pytest.approx(report["results"]["real"], rel=1e-6)
