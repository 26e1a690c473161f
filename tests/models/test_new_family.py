"""A generator family of one class trains, slices, saves, folds, is measured and exported like those of the package."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from lightning.pytorch import Trainer
from onnx import ModelProto
from torch import Tensor, nn

from slimgan_pl import SlimGAN, SlimGANError
from slimgan_pl.data import DigitsDataModule
from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.layers import SlicedConv2d, SlicedLinear
from slimgan_pl.models import (
    DCGANDiscriminatorBank,
    DCGANGenerator,
    SlimmableGenerator,
    count_macs,
    folded_slice,
    load_generator,
    save_generator,
)
from slimgan_pl.profiling import profile_widths


class BasisGenerator(SlimmableGenerator):
    """Learned 4x4 basis, convolutions without norms, 1x1 convolution; linear in training, clamped outside of it."""

    def __init__(self, last_channels: int = 4, num_stages: int = 3, widths: Sequence[float] = (0.5, 1.0)) -> None:
        channels = [last_channels * 2**stage for stage in reversed(range(num_stages))]
        super().__init__(channels, widths, 6, 4 * 2 ** (num_stages - 1), image_channels=1)
        self.basis = nn.Parameter(torch.randn(channels[0], 4, 4))
        self.gains = SlicedLinear(self.latent_dim, channels[0])
        self.convs = nn.ModuleList(SlicedConv2d(low, high, 3, padding=1) for low, high in pairwise(channels))
        self.to_grey = SlicedConv2d(channels[-1], 1, 1)
        for layer in (*self.convs, self.to_grey):
            nn.init.normal_(layer.weight, std=0.3)
            nn.init.zeros_(layer.bias)

    def synthesize(self, latents: Tensor, labels: Tensor | None, width: float) -> Tensor:
        gains = self.gains(latents, width)
        x = gains[:, :, None, None] * self.basis[: gains.shape[1]]
        for conv in self.convs:
            x = F.leaky_relu(conv(F.interpolate(x, scale_factor=2), width), 0.2)
        images: Tensor = self.to_grey(x)
        return images if self.training else images.clamp(-1, 1)

    def arguments_at(self, width: float) -> dict[str, Any]:
        return {**self.arguments, "last_channels": self.channels_at(width)[-1], "widths": (1.0,)}


@pytest.fixture
def generator() -> BasisGenerator:
    return BasisGenerator().eval()


@torch.no_grad()
def images(net: SlimmableGenerator, width: float = 1.0) -> Tensor:
    result: Tensor = net(*net.draw_inputs(5, torch.Generator().manual_seed(3)), width=width)
    assert result.std() > 0.01
    return result


@pytest.mark.parametrize("individual", [None, 0.5])
def test_it_trains(individual: float | None, make_trainer: Callable[..., Trainer]) -> None:
    bank = DCGANDiscriminatorBank((4, 4, 8), image_channels=1, num_branches=2, num_shared=1)
    model = SlimGAN(BasisGenerator(), bank, individual=individual)
    basis = model.generator.get_parameter("basis")
    before = basis.clone()
    make_trainer(max_steps=1).fit(model, DigitsDataModule(batch_size=4))
    assert model.generator.widths == ((0.5, 1.0) if individual is None else (1.0,))
    assert not torch.equal(basis, before)
    assert model.sample(3, 0.5).shape == (3, 1, 16, 16)


@pytest.mark.parametrize("width", [0.5, 1.0])
def test_a_slice_and_its_folded_form_generate_the_same_images(generator: BasisGenerator, width: float) -> None:
    narrow, folded = generator.slice(width), folded_slice(generator, width)
    assert narrow.channels == folded.channels == generator.channels_at(width)
    for net in (narrow, folded):
        torch.testing.assert_close(images(net), images(generator, width), rtol=0, atol=1e-5)


def test_it_is_saved_and_loaded(generator: BasisGenerator, tmp_path: Path) -> None:
    save_generator(generator, tmp_path / "g.safetensors")
    with pytest.raises(SlimGANError, match="a BasisGenerator, which is not a generator of this package"):
        load_generator(tmp_path / "g.safetensors")
    loaded = load_generator(tmp_path / "g.safetensors", classes=[BasisGenerator])
    assert torch.equal(images(loaded, 0.5), images(generator, 0.5))


@pytest.mark.parametrize("form", ["slice", "folded"])
def test_its_widths_are_measured(generator: BasisGenerator, form: Any) -> None:
    rows = profile_widths(generator, batch_sizes=[2], rounds=1, form=form)
    assert [row["width"] for row in rows] == [0.5, 1.0]
    assert [row["macs"] for row in rows] == [count_macs(generator, 0.5), count_macs(generator, 1.0)]
    assert rows[0]["weight_bytes"] < rows[1]["weight_bytes"]


def run(model: ModelProto, **feed: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    result: np.ndarray = session.run(None, feed)[0]
    return result


def test_it_is_exported_to_onnx_by_width_and_with_all_widths(generator: BasisGenerator) -> None:
    whole = multi_width_graph(generator)
    latents = generator.draw_inputs(5, torch.Generator().manual_seed(3)).latents.numpy()
    for index, width in enumerate(generator.widths):
        chosen = run(whole, latents=latents, width=np.array(index))
        np.testing.assert_allclose(chosen, images(generator, width).numpy(), rtol=0, atol=1e-5)
    alone = run(single_width_graph(generator, 0.5), latents=latents)
    np.testing.assert_allclose(alone, images(generator, 0.5).numpy(), rtol=0, atol=1e-5)


def test_a_subclass_is_not_folded_as_its_base_would_be() -> None:
    class Other(DCGANGenerator):
        """A family that changes a folded one."""

    with pytest.raises(SlimGANError, match="a Other cannot be folded; give a DCGANGenerator or a ResNetGenerator"):
        folded_slice(Other((4, 4), latent_dim=3))
