"""Generators as ONNX graphs of one width, or of all widths.

Inputs are ``latents`` (float32 ``(N, latent_dim)``, any N), ``labels`` (int64 ``(N,)``, of a conditional generator)
and, of a graph with several widths, ``width`` (int64 scalar, the number of the width from narrow to wide); the output
is ``images`` (float32 ``(N, C, H, W)`` in [-1, 1]). Needs the extra ``onnx``.
"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
import torch
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from slimgan_pl.export.formats import FloatPrecision
from slimgan_pl.export.onnx_tracing import clip_images, describe_graph, trace_generator
from slimgan_pl.export.precision import convert_precision
from slimgan_pl.layers import slice_gains
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.folding import FOLDED, folded_slice
from slimgan_pl.models.metadata import IMAGES, WIDTH, generator_metadata
from slimgan_pl.models.recalibration import has_statistics
from slimgan_pl.utils.files import write_whole

__all__ = ["multi_width_graph", "save_graph", "single_width_graph"]

Message = TypeVar("Message", NodeProto, TensorProto, ValueInfoProto)


def single_width_graph(
    generator: SlimmableGenerator, width: float, precision: FloatPrecision = "float32"
) -> ModelProto:
    """Return one width as a graph with folded batch norms.

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
    model = trace_generator(net, precision, optimize=True)
    return describe_graph(clip_images(model), generator_metadata(generator, (width,), precision=precision))


def multi_width_graph(generator: SlimmableGenerator, precision: FloatPrecision = "float32") -> ModelProto:
    """Return all widths as one graph; its input ``width`` chooses one.

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
    slices = [generator.slice(width) for width in generator.widths]
    gains = [slice_gains(generator, narrow) for narrow in slices]
    optimize = not has_statistics(generator)  # an optimised graph has batch norms in the weights, which differ then
    models = [trace_generator(narrow, precision, optimize) for narrow in slices]
    branches = [make_branch(model, index, shared, gains[index]) for index, model in enumerate(models)]
    whole = choose_branch(branches, shared)
    inputs = [*models[0].graph.input, helper.make_tensor_value_info(WIDTH, TensorProto.INT64, [])]
    graph = helper.make_graph(whole.nodes, "generator", inputs, [whole.output], list(shared.tensors.values()))
    result = helper.make_model(graph, opset_imports=models[0].opset_import, ir_version=models[0].ir_version)
    return describe_graph(clip_images(result), generator_metadata(generator, generator.widths, precision=precision))


def save_graph(model: ModelProto, path: Path) -> Path:
    """Write a graph to a file, and return its path."""
    write_whole(path, model.SerializeToString())
    return path


class Branch(NamedTuple):
    """Nodes that compute one width, or choose among several."""

    nodes: list[NodeProto]
    output: ValueInfoProto
    tensors: list[TensorProto]  # its own: norms of its width, constants

    def graph(self, name: str) -> GraphProto:
        return helper.make_graph(self.nodes, name, [], [self.output], self.tensors)


class SharedWeights:
    """Tensors that all branches read, each stored once."""

    def __init__(self, generator: SlimmableGenerator, precision: FloatPrecision) -> None:
        net = convert_precision(deepcopy(generator), precision)
        self.weights = {name: value.numpy() for name, value in net.state_dict().items()}
        self.tensors: dict[str, TensorProto] = {}

    def add(self, name: str, value: np.ndarray) -> str:
        """Store a tensor, once, and return its name."""
        if name not in self.tensors:
            self.tensors[name] = numpy_helper.from_array(value, name)
        return name

    def numbers(self, *values: int) -> str:
        """Store a list of integers and return its name."""
        return self.add("-".join(map(str, values)), np.array(values, np.int64))

    def begins_with(self, name: str, value: np.ndarray) -> bool:
        """Return whether a slice's tensor is the leading block of its weight."""
        full = self.weights.get(name)
        if full is None or full.ndim != value.ndim or value.ndim == 0:
            return False
        return np.array_equal(full[tuple(slice(size) for size in value.shape)], value)

    def leading(self, name: str, sizes: Sequence[int], result: str) -> NodeProto:
        """Make the node that takes the leading block of a weight.

        The widest width has one too, of the whole weight.

        NOTE: On a CPU, ONNX Runtime lays out weights in blocks of channels (NCHWc) only where they are constants of the
        branch itself, which the results of slicing are and the weights that all branches read are not. It folds norms
        either way; but 1.24.1 to 1.28.0 cannot fold one into a weight from outside if they load the graph from bytes.
        """
        full = self.weights[name]
        axes = [axis for axis, size in enumerate(sizes) if size < full.shape[axis]] or [0]
        bounds = ([0] * len(axes), [sizes[axis] for axis in axes], axes)
        return helper.make_node("Slice", [self.add(name, full), *(self.numbers(*each) for each in bounds)], [result])

    def scaled(self, name: str, sizes: Sequence[int], gain: float, result: str) -> list[NodeProto]:
        """Make the nodes that take the leading block of a weight and multiply it.

        They multiply in float32, as ONNX Runtime has no arithmetic in float16 on a CPU, and does it once at loading.
        """
        block, factor = f"{result}/block", f"{result}/gain"
        nodes = [self.leading(name, sizes, block), helper.make_node("Constant", [], [factor], value_float=gain)]
        if self.weights[name].dtype == np.float32:
            return [*nodes, helper.make_node("Mul", [block, factor], [result])]
        wide, product = f"{result}/wide", f"{result}/product"
        nodes.append(helper.make_node("Cast", [block], [wide], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [wide, factor], [product]))
        return [*nodes, helper.make_node("Cast", [product], [result], to=TensorProto.FLOAT16)]


def make_branch(model: ModelProto, index: int, shared: SharedWeights, gains: Mapping[str, float]) -> Branch:
    """Make a branch of a slice's graph that reads the shared weights.

    ``gains`` are what the slice has multiplied weights by, by their names.
    """
    prefix = f"{index}/"
    branch = Branch([], copy_as(model.graph.output[0], f"{prefix}{IMAGES}"), [])
    for tensor in model.graph.initializer:
        name = tensor.name.removeprefix("net.")
        result = f"{prefix}{tensor.name}"
        if name in gains:
            branch.nodes.extend(shared.scaled(name, tensor.dims, gains[name], result))
        elif shared.begins_with(name, numpy_helper.to_array(tensor)):
            branch.nodes.append(shared.leading(name, tensor.dims, result))
        else:
            branch.tensors.append(copy_as(tensor, result))
    inputs = {each.name for each in model.graph.input}
    for node in model.graph.node:
        node = copy_as(node, "")
        node.input[:] = [name if name in inputs or not name else f"{prefix}{name}" for name in node.input]
        node.output[:] = [f"{prefix}{name}" for name in node.output]
        branch.nodes.append(node)
    return branch


def choose_branch(branches: Sequence[Branch], shared: SharedWeights) -> Branch:
    """Make a branch that runs branch number ``width``, or else the last."""
    *others, result = branches
    for index, branch in reversed(list(enumerate(others))):
        output = copy_as(branch.output, f"{IMAGES}_{index}" if index else IMAGES)
        bodies = {"then_branch": branch.graph(f"width {index}"), "else_branch": result.graph(f"above {index}")}
        is_it = helper.make_node("Equal", [WIDTH, shared.add(f"number {index}", np.array(index))], [f"is {index}"])
        result = Branch([is_it, helper.make_node("If", is_it.output, [output.name], **bodies)], output, [])
    return result


def copy_as(message: Message, name: str) -> Message:
    """Copy a part of a graph under another name."""
    copy = type(message)()
    copy.CopyFrom(message)
    copy.name = name
    return copy
