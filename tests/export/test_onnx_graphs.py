"""An exported graph generates what the generator does, and several widths share their weights."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from exports import all_widths, single_width
from onnx import GraphProto, ModelProto, NodeProto, TensorProto
from seasoned import NETS, NORMED, draw_inputs, seasoned
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.onnx_graphs import multi_width_graph, single_width_graph
from slimgan_pl.export.onnx_int8 import quantized_graph
from slimgan_pl.export.onnx_tracing import trace_generator
from slimgan_pl.models import DCGANGenerator, SlimmableGenerator
from slimgan_pl.models.folding import folded_slice


def feed_of(generator: SlimmableGenerator, count: int) -> dict[str, Any]:
    latents, labels = draw_inputs(generator, count)
    return {"latents": latents.numpy()} | ({} if labels is None else {"labels": labels.numpy()})


def run(model: ModelProto, feed: dict[str, Any]) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    images: np.ndarray = session.run(None, feed)[0]
    return images


@torch.no_grad()
def generate(generator: SlimmableGenerator, count: int, width: float) -> np.ndarray:
    images: np.ndarray = generator(*draw_inputs(generator, count), width=width).numpy()
    return images


SEVERAL = [name for name in NETS if name != "one width"]


@pytest.mark.parametrize("name", SEVERAL)
def test_each_width_of_the_one_file_generates_what_the_generator_does(name: str) -> None:
    generator = seasoned(name)
    for index, width in enumerate(generator.widths):
        for count in (1, 5):
            images = run(all_widths(name), {**feed_of(generator, count), "width": np.array(index)})
            np.testing.assert_allclose(images, generate(generator, count, width), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "width"),
    [("dcgan", 0.25), ("sliceable resnet", 0.5), ("switchable dcgan", 1.0), ("r3", 0.5), ("stylegan2", 0.25)],
)
def test_a_file_of_one_width_generates_what_the_generator_does(name: str, width: float) -> None:
    generator = seasoned(name)
    for count in (1, 5):
        images = run(single_width(name, width), feed_of(generator, count))
        np.testing.assert_allclose(images, generate(generator, count, width), rtol=0, atol=1e-5)


def test_a_file_of_one_width_has_no_norms_and_the_weights_of_that_width_alone() -> None:
    model, folded = single_width("dcgan", 0.25), folded_slice(seasoned("dcgan"), 0.25)
    assert not [node for node in model.graph.node if node.op_type in ("BatchNormalization", "Slice", "If")]
    floats = [tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.FLOAT]
    assert sum(int(np.prod(tensor.dims)) for tensor in floats) == sum(p.numel() for p in folded.parameters())


def float_tensors(graph: GraphProto) -> Iterator[TensorProto]:
    """Yield the tensors of a graph and of its branches."""
    yield from (tensor for tensor in graph.initializer if tensor.data_type == TensorProto.FLOAT)
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from float_tensors(attribute.g)


@pytest.mark.parametrize("name", [name for name in SEVERAL if name in NORMED])
def test_the_one_file_holds_each_weight_once(name: str) -> None:
    held = sorted(tuple(tensor.dims) for tensor in float_tensors(all_widths(name).graph))
    weights = [tuple(value.shape) for value in seasoned(name).state_dict().values() if value.is_floating_point()]
    assert held == sorted(weights)


def all_nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph and of its branches."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            yield from all_nodes(attribute.g)


@pytest.mark.parametrize(("name", "precision"), [*((name, "float32") for name in SEVERAL), ("dcgan", "float16")])
def test_branches_read_shared_tensors_through_slices_alone(name: str, precision: Any) -> None:
    """ONNX Runtime 1.24.1 to 1.28.0 fail to load a layer and a norm over an outer weight from bytes."""
    graph = all_widths(name, precision).graph
    shared = {tensor.name for tensor in graph.initializer}
    readers = [node.op_type for node in all_nodes(graph) if shared & set(node.input)]
    assert set(readers) == {"Slice", "Equal"}, "Equal compares the width"
    assert readers.count("Slice") >= len(seasoned(name).widths)


def test_of_one_width_the_one_file_has_no_input_for_it() -> None:
    generator = seasoned("one width")
    assert [each.name for each in all_widths("one width").graph.input] == ["latents"]
    np.testing.assert_allclose(
        run(all_widths("one width"), feed_of(generator, 3)), generate(generator, 3, 1.0), atol=1e-5
    )


class Tinted(DCGANGenerator):
    """A generator of another package, with a number, a constant and a buffer that no state holds."""

    def __init__(self, channels: tuple[int, ...], widths: tuple[float, ...]) -> None:
        super().__init__(channels, latent_dim=12, widths=widths)
        self.gain = nn.Parameter(torch.tensor(1.5))
        self.register_buffer("tint", torch.linspace(0, 1, 64).view(1, 1, 8, 8), persistent=False)

    def finish(self, x: Tensor, width: float) -> Tensor:
        return x * self.gain + self.get_buffer("tint") + torch.tensor([0.25])


def test_a_generator_of_ones_own_class_is_exported_too() -> None:
    generator = Tinted((8, 8), (0.5, 1.0)).eval()
    model = multi_width_graph(generator)
    for index, width in enumerate(generator.widths):
        images = run(model, {**feed_of(generator, 3), "width": np.array(index)})
        np.testing.assert_allclose(images, generate(generator, 3, width), atol=1e-5)
    alone = run(single_width_graph(generator, 0.5), feed_of(generator, 3))
    np.testing.assert_allclose(alone, generate(generator, 3, 0.5), atol=1e-5)


class Counted(DCGANGenerator):
    """A generator of another package that reads the number of images in a way that exporters take for a constant."""

    def start(self, latents: Tensor, width: float) -> Tensor:
        x: Tensor = self.get_parameter("basis").expand(len(latents), -1, -1, -1)
        return x[:, : self.channels_at(width)[0]] * latents[:, :1, None, None]


def test_a_generator_that_fixes_the_number_of_images_is_refused() -> None:
    """torch.onnx.export (2.14) writes a file for batches of one size, without an error."""
    generator = Counted((8, 8), latent_dim=12, widths=(0.5, 1.0))
    generator.register_parameter("basis", nn.Parameter(torch.randn(8, 4, 4)))
    with pytest.raises(SlimGANError, match=r"a Counted would take batches of 2 alone; .* latents\.shape\[0\]"):
        trace_generator(generator, "float32", optimize=True)


@pytest.mark.parametrize("make", [multi_width_graph, lambda *given: single_width_graph(given[0], 1.0, given[1])])
def test_what_is_too_large_for_half_precision_is_told(make: Any) -> None:
    generator = seasoned("dcgan")
    generator.get_parameter("image.weight").data[0, 0] = 1e6
    with pytest.raises(SlimGANError, match=r"image\.weight is too large for float16; export this checkpoint with"):
        make(generator, "float16")


def test_a_run_whose_width_is_wider_than_all_takes_the_widest() -> None:
    generator = seasoned("dcgan")
    images = run(all_widths("dcgan"), {**feed_of(generator, 2), "width": np.array(7)})
    np.testing.assert_allclose(images, generate(generator, 2, 1.0), rtol=0, atol=1e-5)


def test_half_precision_halves_the_file_and_keeps_float32_at_both_ends() -> None:
    generator, model = seasoned("dcgan"), all_widths("dcgan", "float16")
    images = run(model, {**feed_of(generator, 3), "width": np.array(1)})
    assert images.dtype == np.float32
    error = np.abs(images - generate(generator, 3, 0.5)).max()
    assert 0 < error < 0.01
    sizes = [sum(len(t.raw_data) for t in graph.graph.initializer) for graph in (model, all_widths("dcgan"))]
    assert sizes[0] < 0.6 * sizes[1]


@pytest.mark.parametrize("name", ["dcgan", "sliceable resnet"])
def test_integers_are_a_quarter_of_the_weights_and_generate_nearly_the_same(name: str) -> None:
    generator = seasoned(name)
    model = quantized_graph(generator, 1.0)
    images, real = run(model, feed_of(generator, 8)), generate(generator, 8, 1.0)
    error = np.sqrt(np.mean((images - real) ** 2))
    assert 0 < error < 0.15 * real.std()
    weights = [t for t in model.graph.initializer if len(t.dims) == 4]
    assert weights
    assert all(t.data_type == TensorProto.INT8 for t in weights)
    scales = {t.name: list(t.dims) for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in {t.name for t in weights}:
            assert scales[node.input[1]], "one scale for all channels"


FORMS: dict[str, Callable[[SlimmableGenerator], ModelProto]] = {
    "one width": lambda generator: single_width_graph(generator, 0.5),
    "all widths": multi_width_graph,
    "all widths in float16": lambda generator: multi_width_graph(generator, "float16"),
    "integers": lambda generator: quantized_graph(generator, 0.5),
}


@pytest.mark.parametrize("form", FORMS)
def test_images_that_reach_black_and_white_stay_within_their_range(form: str) -> None:
    generator = seasoned("sliceable resnet")
    generator.get_parameter("image.weight").data *= 100  # tanh of ONNX Runtime would reach 1.0000001
    model = FORMS[form](generator)
    feed = feed_of(generator, 200) | (
        {"width": np.array(0)} if "width" in {each.name for each in model.graph.input} else {}
    )
    images = run(model, feed)
    assert images.max() == 1
    assert images.min() == -1


def test_a_file_says_what_it_takes() -> None:
    model = all_widths("sliceable resnet")
    (metadata,) = (json.loads(entry.value) for entry in model.metadata_props if entry.key == "slimgan")
    expected = {"version": 1, "widths": [0.5, 1.0], "latent_dim": 12, "num_classes": 5, "precision": "float32"}
    assert metadata.items() >= {**expected, "image_channels": 3, "image_size": 8}.items()
    assert [each.name for each in model.graph.input] == ["latents", "labels", "width"]
    assert [each.name for each in model.graph.output] == ["images"]


def test_a_width_that_is_not_in_the_list_is_refused() -> None:
    with pytest.raises(SlimGANError, match=r"0\.3 is not one of this generator's widths: 0\.25, 0\.5, 1"):
        single_width_graph(seasoned("dcgan"), 0.3)
