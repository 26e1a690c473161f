"""Tracing of generators of one width to ONNX. Needs the extra ``onnx``."""

import io
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout

import onnx
import torch
from onnx import ModelProto, helper
from torch import Tensor, nn

from slimgan_pl._version import __version__
from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.formats import FloatPrecision
from slimgan_pl.export.precision import convert_precision
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.metadata import IMAGES, LABELS, LATENTS

__all__ = ["clip_images", "describe_graph", "silencing", "trace_generator"]

EXAMPLE_BATCH = 2  # images; a dimension of 1 would be taken for a constant


class InFloat32(nn.Module):
    """A net of any precision with latents and images in float32."""

    def __init__(self, net: SlimmableGenerator) -> None:
        super().__init__()
        self.net = net

    def forward(self, latents: Tensor, labels: Tensor | None = None) -> Tensor:
        images: Tensor = self.net(latents.to(self.net.dtype), labels)
        return images.float()


def trace_generator(net: SlimmableGenerator, precision: FloatPrecision, optimize: bool) -> ModelProto:
    """Trace a net of one width, without the tracer's notes on nodes.

    Raises:
        SlimGANError: If the net fixes the number of images, or a weight is too large for the precision.
    """
    batch = torch.export.Dim("batch")
    inputs = {LATENTS: torch.zeros(EXAMPLE_BATCH, net.latent_dim)}
    if net.num_classes:
        inputs[LABELS] = torch.zeros(EXAMPLE_BATCH, dtype=torch.long)
    with silencing():
        program = torch.onnx.export(
            InFloat32(convert_precision(net, precision)).eval(),
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
    if any(not each.type.tensor_type.shape.dim[0].dim_param for each in graph.input):
        # NOTE: torch.export refuses such a net, torch.onnx.export (2.14) writes a file for batches of one size
        raise SlimGANError(
            f"the file of a {type(net).__name__} would take batches of {EXAMPLE_BATCH} alone; let it read the number "
            "of images as latents.shape[0], not as len(latents)"
        )
    for each in (model, graph, *graph.input, *graph.output, *graph.node, *graph.initializer):
        del each.metadata_props[:]
    del graph.value_info[:]
    return model


def clip_images(model: ModelProto) -> ModelProto:
    """Clip a graph's images to [-1, 1], and return it.

    NOTE: ONNX Runtime's tanh reaches 1.0000002. One node behind all branches costs less than one in each.
    """
    (producer,) = (node for node in model.graph.node if IMAGES in node.output)
    if producer.op_type == "Clip":  # of a net without tanh
        return model
    producer.output[:] = [f"unclipped_{IMAGES}"]
    bounds = {"low": -1.0, "high": 1.0}
    for name, value in bounds.items():
        model.graph.node.append(helper.make_node("Constant", [], [name], value_float=value))
    model.graph.node.append(helper.make_node("Clip", [*producer.output, *bounds], [IMAGES]))
    return model


def describe_graph(model: ModelProto, metadata: Mapping[str, str]) -> ModelProto:
    """Add metadata to a graph, check it, and return it."""
    helper.set_model_props(model, dict(metadata))
    model.producer_name, model.producer_version = "slimgan-pl", __version__
    onnx.checker.check_model(model, full_check=True)
    return model


@contextmanager
def silencing() -> Iterator[None]:
    """Hide output, warnings and logs below errors, of which exporters write many."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
