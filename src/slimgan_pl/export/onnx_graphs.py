"""Generators as ONNX graphs: one width, or all widths over one set of weights.

Inputs are ``latents`` (float32 ``(N, latent_dim)``, any N), ``labels`` (int64 ``(N,)``, of a conditional generator)
and, of a graph with several widths, ``width`` (int64 scalar, the number of the width from narrow to wide); the output
is ``images`` (float32 ``(N, C, H, W)`` in [-1, 1]). Needs the extra ``onnx``.
"""

import io
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from typing import NamedTuple, TypeVar

import numpy as np
import onnx
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper
from torch import Tensor, nn

import slimgan_pl
from slimgan_pl.export.precision import FloatPrecision, in_precision
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.folding import FOLDED, folded_slice
from slimgan_pl.models.metadata import IMAGES, LABELS, LATENTS, WIDTH, generator_metadata

__all__ = ["described", "multi_width_graph", "quiet", "single_width_graph"]

Message = TypeVar("Message", NodeProto, TensorProto, ValueInfoProto)

EXAMPLE_BATCH = 2  # a dimension of 1 would be taken for a constant


class InFloat32(nn.Module):
    """A net of any precision whose latents and images are float32."""

    def __init__(self, net: SlimmableGenerator) -> None:
        super().__init__()
        self.net = net

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.net(latents.to(self.net.dtype), labels)
        return images.float()


def single_width_graph(
    generator: SlimmableGenerator, width: float, precision: FloatPrecision = "float32"
) -> ModelProto:
    """Return one width as a graph of its own, its batch norms folded into the layers around them.

    Args:
        generator: A slimmable generator on the CPU; of a class that cannot be folded, the runtime does it at loading.
        width: One of its ``widths``.
        precision: Of weights and arithmetic.

    Raises:
        SlimGANError: If the width is not in the list, or a weight is too large for the precision.
    """
    if type(generator) in FOLDED:
        net: SlimmableGenerator = folded_slice(generator, width).to(memory_format=torch.contiguous_format)
    else:
        net = generator.slice(width)
    model = traced(net, precision, optimize=True)
    return described(model, generator_metadata(generator, (width,), precision=precision))


def multi_width_graph(generator: SlimmableGenerator, precision: FloatPrecision = "float32") -> ModelProto:
    """Return all widths as one graph over one set of weights, chosen in each run by the input ``width``.

    Each width is a branch whose layers take the first channels of the shared weights. Their bounds are constants, so
    that a runtime slices the weights and folds the batch norms once, when it loads the file, and a width costs what a
    file of its own costs. Of a generator with one width it is the graph of that width, without the input.

    Args:
        generator: A slimmable generator on the CPU.
        precision: Of weights and arithmetic.

    Raises:
        SlimGANError: If a weight is too large for the precision.
    """
    if len(generator.widths) == 1:
        return single_width_graph(generator, generator.widths[0], precision)
    shared = SharedWeights(generator, precision)
    models = [traced(generator.slice(width), precision, optimize=False) for width in generator.widths]
    whole = chosen([branch_of(model, index, shared) for index, model in enumerate(models)], shared)
    inputs = [*models[0].graph.input, helper.make_tensor_value_info(WIDTH, TensorProto.INT64, [])]
    graph = helper.make_graph(whole.nodes, "generator", inputs, [whole.output], list(shared.tensors.values()))
    result = helper.make_model(graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)
    return described(result, generator_metadata(generator, generator.widths, precision=precision))


class Branch(NamedTuple):
    """What computes one width, or chooses among several."""

    nodes: list[NodeProto]
    output: ValueInfoProto
    tensors: list[TensorProto]  # its own: norms of its width, constants

    def graph(self, name: str) -> GraphProto:
        return helper.make_graph(self.nodes, name, [], [self.output], self.tensors)


class SharedWeights:
    """Tensors that all branches read, each kept once.

    Args:
        generator: The slimmable generator.
        precision: Of its weights.
    """

    def __init__(self, generator: SlimmableGenerator, precision: FloatPrecision) -> None:
        net = in_precision(deepcopy(generator), precision)
        self.weights = {name: value.numpy() for name, value in net.state_dict().items()}
        self.tensors: dict[str, TensorProto] = {}

    def add(self, name: str, value: np.ndarray) -> str:
        """Keep a tensor, once, and return its name."""
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(value, name)
        return name

    def numbers(self, *values: int) -> str:
        """Keep a list of integers and return its name."""
        return self.add("-".join(map(str, values)), np.array(values, np.int64))

    def begins_with(self, name: str, value: np.ndarray) -> bool:
        """Return whether a tensor of a slice is the leading block of the weight of its name."""
        full = self.weights.get(name)
        if full is None or full.ndim != value.ndim or value.ndim == 0:
            return False
        return np.array_equal(full[tuple(slice(size) for size in value.shape)], value)

    def leading(self, name: str, sizes: Sequence[int], result: str) -> NodeProto:
        """Return the node that takes the leading block of a weight, also where that is all of it.

        NOTE: ONNX Runtime folds norms into layers and lays weights out for its kernels only where they are constants of
        the branch itself, which the results of slicing are and what all branches read is not.
        """
        full = self.weights[name]
        axes = [axis for axis, size in enumerate(sizes) if size < full.shape[axis]] or [0]
        bounds = ([0] * len(axes), [sizes[axis] for axis in axes], axes)
        return helper.make_node("Slice", [self.add(name, full), *(self.numbers(*each) for each in bounds)], [result])


def branch_of(model: ModelProto, index: int, shared: SharedWeights) -> Branch:
    """Return the graph of a slice as a branch that reads the shared weights in place of its own."""
    prefix = f"{index}/"
    branch = Branch([], renamed(model.graph.output[0], f"{prefix}{IMAGES}"), [])
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix("net.")
        if shared.begins_with(name, numpy_helper.to_array(tensor)):
            branch.nodes.append(shared.leading(name, tensor.dims, f"{prefix}{tensor.name}"))
        else:
            branch.tensors.append(renamed(tensor, f"{prefix}{tensor.name}"))
    inputs = {each.name for each in model.graph.input}
    for node in model.graph.node:
        node = renamed(node, "")
        node.input[:] = [name if name in inputs or not name else f"{prefix}{name}" for name in node.input]
        node.output[:] = [f"{prefix}{name}" for name in node.output]
        branch.nodes.append(node)
    return branch


def chosen(branches: Sequence[Branch], shared: SharedWeights) -> Branch:
    """Return what runs the branch whose number is the input ``width``; any other runs the last."""
    *others, result = branches
    for index, branch in reversed(list(enumerate(others))):
        output = renamed(branch.output, f"{IMAGES}_{index}" if index else IMAGES)
        bodies = {"then_branch": branch.graph(f"width {index}"), "else_branch": result.graph(f"above {index}")}
        is_it = helper.make_node("Equal", [WIDTH, shared.add(f"number {index}", np.array(index))], [f"is {index}"])
        result = Branch([is_it, helper.make_node("If", is_it.output, [output.name], **bodies)], output, [])
    return result


def renamed(message: Message, name: str) -> Message:
    """Return a copy of a part of a graph under another name."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.name = name
    return copy


def traced(net: SlimmableGenerator, precision: FloatPrecision, optimize: bool) -> ModelProto:
    """Return what PyTorch makes of a net of one width, without its notes on where each node comes from."""
    batch = torch.export.Dim("batch")
    inputs = {LATENTS: torch.zeros(EXAMPLE_BATCH, net.latent_dim)}
    if net.num_classes:
        inputs[LABELS] = torch.zeros(EXAMPLE_BATCH, dtype=torch.long)
    with quiet():
        program = torch.onnx.export(
            InFloat32(in_precision(net, precision)).eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=[IMAGES],
            dynamic_shapes={name: {0: batch} for name in inputs},
            dynamo=True,
            optimize=optimize,
            verbose=False,
        )
    assert program is not None
    model: ModelProto = program.model_proto
    graph = model.graph
    for each in (model, graph, *graph.input, *graph.output, *graph.node, *graph.initializer):
        del each.metadata_props[:]
    del graph.value_info[:]
    return model


def described(model: ModelProto, metadata: Mapping[str, str]) -> ModelProto:
    """Give a graph its metadata, check it, and return it."""
    helper.set_model_props(model, dict(metadata))
    model.producer_name, model.producer_version = "slimgan-pl", slimgan_pl.__version__
    onnx.checker.check_model(model, full_check=True)
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Show no output, no warnings and no log below an error: exporters tell of their rules, names and passes."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
