"""Files in the format of the SlimGAN authors' code, and plain computations of their nets."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "NETS",
    "Net",
    "discriminate",
    "discriminator_file",
    "generate",
    "generator_file",
    "mark_used",
    "optimizer_state",
    "reduced",
]

Tensors = dict[str, Tensor]
WIDTHS = (0.25, 0.5, 0.75, 1.0)


class Net(NamedTuple):
    """A row of the paper: schedules, and the discriminator's blocks that halve the side."""

    residual: bool
    channels: Sequence[int]
    bottom_size: int
    bank_channels: Sequence[int]
    num_downsamples: int = 0
    num_classes: int = 0

    @property
    def image_size(self) -> int:
        return int(self.bottom_size * 2 ** (len(self.channels) - 1))

    @property
    def num_stages(self) -> int:
        return len(self.bank_channels) if self.residual else 2 * len(self.bank_channels) - 1


def reduced(net: Net) -> Net:
    """Return the net with channels between 4 and 64."""
    return net._replace(channels=[c // 16 for c in net.channels], bank_channels=[c // 16 for c in net.bank_channels])


TALL, GROWING = (1024, 512, 256, 128, 64), (64, 128, 256, 512, 1024)
NETS = {
    "dcgan32": Net(False, TALL[1:], 4, GROWING[:4]),
    "dcgan48": Net(False, TALL[1:], 6, GROWING[:4]),
    "dcgan64": Net(False, TALL, 4, GROWING),
    "resnet32": Net(True, (256,) * 4, 4, (128,) * 4, 2),
    "resnet48": Net(True, TALL[1:], 6, GROWING, 4),
    "resnet64": Net(True, TALL, 4, GROWING, 5),
    "cgan32": Net(True, (256,) * 4, 4, (128,) * 4, 2, 10),
}


def layer(name: str, *shape: int, bias: int | None = None) -> Tensors:
    """Return a random weight and bias; outputs are about as large as inputs."""
    weight = torch.randn(shape) / math.sqrt(math.prod(shape[1:]))
    return {f"{name}.weight": weight, f"{name}.bias": torch.randn(shape[0] if bias is None else bias) / 10}


def batch_norm(name: str, channels: int, affine: bool = True) -> Tensors:
    tensors = (
        {f"{name}.weight": torch.rand(channels) + 0.5, f"{name}.bias": torch.randn(channels) / 3} if affine else {}
    )
    return {
        **tensors,
        f"{name}.running_mean": torch.randn(channels) / 3,
        f"{name}.running_var": torch.rand(channels) + 0.5,
        f"{name}.num_batches_tracked": torch.tensor(7),
    }


def norm(
    name: str, channels: int, num_classes: int, widths: Sequence[float] | None, switchable: bool = False
) -> Tensors:
    """Return one batch norm of every width, or a plain one if there are no widths."""
    tensors: Tensors = {}
    if switchable:
        for number, width in enumerate(widths or ()):
            tensors |= norm(f"{name}.cbn.{number}", int(channels * width), num_classes, None)
        return tensors
    if widths is None:
        tensors |= batch_norm(f"{name}.bn" if num_classes else name, channels, affine=num_classes == 0)
    else:
        kind = "cbn" if num_classes else "bn"
        for number, width in enumerate(widths):
            tensors |= batch_norm(f"{name}.{kind}.{number}", int(channels * width))
    if num_classes:
        tensors[f"{name}.embed.weight"] = torch.randn(num_classes, 2 * channels)
    return tensors


def generator_file(net: Net, widths: Sequence[float] | None = WIDTHS, switchable: bool = False) -> Tensors:
    """Return random tensors of a generator; without widths those of a plain one."""
    channels, classes = net.channels, net.num_classes
    tensors = layer("l1", channels[0] * net.bottom_size**2, 128)
    for stage, (low, high) in enumerate(pairwise(channels)):
        if net.residual:
            name = f"block{stage + 2}"
            tensors |= layer(f"{name}.c1", high, low, 3, 3) | layer(f"{name}.c2", high, high, 3, 3)
            tensors |= norm(f"{name}.b1", low, classes, widths, switchable)
            tensors |= norm(f"{name}.b2", high, classes, widths, switchable)
            tensors |= layer(f"{name}.c_sc", high, low, 1, 1)
        else:
            tensors |= layer(f"c{stage + 1}", low, high, 4, 4, bias=high)
            tensors |= norm(f"b{stage + 1}", high, 0, widths)
    last = len(channels) + 1 if net.residual else len(channels)
    if net.residual:
        tensors |= norm(f"b{last}", channels[-1], 0, widths)
    return tensors | layer(f"c{last}", 3, channels[-1], 3, 3)


def generate(tensors: Tensors, net: Net, latents: Tensor, labels: Tensor | None, width: float, number: int) -> Tensor:
    """Run a generator at width number ``number``, in evaluation mode."""
    active = [int(channels * width) for channels in net.channels]

    def conv(x: Tensor, name: str, out: int, padding: int = 1) -> Tensor:
        weight, bias = tensors[f"{name}.weight"], tensors[f"{name}.bias"]
        return F.conv2d(x, weight[:out, : x.shape[1]], bias[:out], padding=padding)

    def normed(x: Tensor, name: str) -> Tensor:
        name = f"{name}.cbn.{number}" if f"{name}.cbn.{number}.embed.weight" in tensors else name
        keys = [f"{name}.cbn.{number}", f"{name}.bn.{number}", f"{name}.bn", name]
        key = next(key for key in keys if f"{key}.running_mean" in tensors)
        mean, var = tensors[f"{key}.running_mean"], tensors[f"{key}.running_var"]
        x = F.batch_norm(x, mean, var, tensors.get(f"{key}.weight"), tensors.get(f"{key}.bias"))
        if f"{name}.embed.weight" in tensors and labels is not None:
            embedding = tensors[f"{name}.embed.weight"]
            half, used = embedding.shape[1] // 2, x.shape[1]
            chosen = embedding[labels][:, :, None, None]
            x = x * chosen[:, :used] + chosen[:, half : half + used]
        return F.relu(x)

    def upsampled(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    rows = active[0] * net.bottom_size**2
    x = F.linear(latents, tensors["l1.weight"][:rows], tensors["l1.bias"][:rows])
    x = x.view(len(latents), active[0], net.bottom_size, net.bottom_size)
    for stage, out in enumerate(active[1:]):
        if net.residual:
            name = f"block{stage + 2}"
            h = conv(upsampled(normed(x, f"{name}.b1")), f"{name}.c1", out)
            h = conv(normed(h, f"{name}.b2"), f"{name}.c2", out)
            x = h + conv(upsampled(x), f"{name}.c_sc", out, padding=0)
        else:
            weight, bias = tensors[f"c{stage + 1}.weight"], tensors[f"c{stage + 1}.bias"]
            x = F.conv_transpose2d(x, weight[: x.shape[1], :out], bias[:out], stride=2, padding=1)
            x = normed(x, f"b{stage + 1}")
    last = len(active) + 1 if net.residual else len(active)
    if net.residual:
        x = normed(x, f"b{last}")
    return torch.tanh(conv(x, f"c{last}", 3))


def spectral(name: str, *shape: int, bias: bool = True, own: bool = False) -> Tensors:
    """Return a spectrally normalised layer that no forward pass has changed: torch's, or the authors' own."""
    plain = layer(name, *shape)
    if own:
        return plain | {f"{name}.sn_u": torch.randn(1, shape[0]), f"{name}.sn_sigma": torch.ones(1)}
    u, v = (F.normalize(torch.randn(size), dim=0) for size in (shape[0], math.prod(shape[1:])))
    tensors = {f"{name}.bias": plain[f"{name}.bias"]} if bias else {}
    return {**tensors, f"{name}.weight_orig": plain[f"{name}.weight"], f"{name}.weight_u": u, f"{name}.weight_v": v}


def discriminator_file(net: Net, num_copies: int = 4) -> Tensors:
    """Return random tensors of several discriminators."""
    channels = (3, *net.bank_channels)
    tensors: Tensors = {}
    head = channels[-1]
    if net.residual:
        for stage, (low, high) in enumerate(pairwise(channels)):
            hidden = high if stage == 0 else low
            for copy in range(num_copies):
                name = f"block{stage + 1}s.{copy}"
                tensors |= spectral(f"{name}.c1", hidden, low, 3, 3, own=True)
                tensors |= spectral(f"{name}.c2", high, hidden, 3, 3, own=True)
                if low != high or stage < net.num_downsamples:
                    tensors |= spectral(f"{name}.c_sc", high, low, 1, 1, own=True)
    else:
        shapes = [s for low, high in pairwise(channels[:-1]) for s in ((high, low, 3), (high, high, 4))]
        shapes.append((channels[-1], channels[-2], 3))
        for stage, (high, low, size) in enumerate(shapes):
            for copy in range(num_copies):
                tensors |= spectral(f"c{stage + 1}s.{copy}", high, low, size, size)
        head *= net.bottom_size**2
    for copy in range(num_copies):
        tensors |= spectral(f"l{net.num_stages + 1}s.{copy}", 1, head)
    for copy in range(num_copies if net.num_classes else 0):
        tensors |= spectral(f"l_ys.{copy}", net.num_classes, head, bias=False)
    return tensors


def discriminate(
    tensors: Tensors, net: Net, images: Tensor, labels: Tensor | None, copy: int, num_shared: int, last_copy: int = 3
) -> Tensor:
    """Run one discriminator in evaluation mode; of a shared stage the last copy counts."""

    def weight(name: str) -> Tensor:
        if f"{name}.weight_orig" in tensors:
            full, u, v = (tensors[f"{name}.weight_{kind}"] for kind in ("orig", "u", "v"))
            return full / torch.dot(u, full.flatten(1) @ v)
        full, u = tensors[f"{name}.weight"], tensors[f"{name}.sn_u"]
        matrix = full.flatten(1)
        v = F.normalize(u @ matrix)
        u = F.normalize(v @ matrix.T)
        return full / (u @ matrix @ v.T)

    def conv(x: Tensor, name: str, stride: int = 1) -> Tensor:
        w = weight(name)
        return F.conv2d(x, w, tensors[f"{name}.bias"], stride, padding=0 if w.shape[-1] == 1 else 1)

    x = images
    if net.residual:
        for stage in range(len(net.bank_channels)):
            name = f"block{stage + 1}s.{last_copy if stage < num_shared else copy}"
            h = shortcut = x if stage == 0 else F.relu(x)  # in place in their code
            h = conv(F.relu(conv(h, f"{name}.c1")), f"{name}.c2")
            halved = stage < net.num_downsamples
            if halved:
                h = F.avg_pool2d(h, 2)
            if f"{name}.c_sc.weight" in tensors:
                if stage == 0:
                    shortcut = conv(F.avg_pool2d(shortcut, 2), f"{name}.c_sc")
                else:
                    shortcut = conv(shortcut, f"{name}.c_sc")
                    shortcut = F.avg_pool2d(shortcut, 2) if halved else shortcut
            x = h + shortcut
        features = F.relu(x).sum(dim=(2, 3))
    else:
        for stage in range(net.num_stages):
            name = f"c{stage + 1}s.{last_copy if stage < num_shared else copy}"
            x = F.leaky_relu(conv(x, name, stride=1 + stage % 2), 0.1)
        features = x.flatten(1)
    last = f"l{net.num_stages + 1}s.{copy}"
    logits = F.linear(features, weight(last), tensors[f"{last}.bias"])
    if labels is not None:
        logits = logits + (weight(f"l_ys.{copy}")[labels] * features).sum(1, keepdim=True)
    return logits


def mark_used(tensors: Tensors, net: Net, num_shared: int, share_head: bool = False) -> None:
    """Run a power iteration on the singular vectors of the used copies, as training does."""
    last = net.num_stages + 1
    for name in {name.rpartition(".")[0] for name in tensors}:
        group, copy = name.split(".")[:2]
        number = last if group.startswith("l") else int(group.strip("blocks"))
        shared = number <= num_shared or (share_head and number == last)
        if shared and copy != "3":
            continue
        key = f"{name}.weight_orig" if f"{name}.weight_orig" in tensors else f"{name}.weight"
        matrix = tensors[key].flatten(1)
        u = tensors[f"{name}.sn_u"].flatten() if key.endswith("weight") else tensors[f"{name}.weight_u"]
        v = F.normalize(matrix.T @ u, dim=0)
        u = F.normalize(matrix @ v, dim=0)
        if key.endswith("weight"):
            tensors[f"{name}.sn_u"], tensors[f"{name}.sn_sigma"] = u[None], (u @ matrix @ v)[None]
        else:
            tensors[f"{name}.weight_u"], tensors[f"{name}.weight_v"] = u, v


def optimizer_state(tensors: Tensors, trained: Any, zeros: bool = False) -> dict[str, Any]:
    """Return the state of an Adam that has updated the parameters whose names ``trained`` accepts.

    The others have no state, or one of zeros where several devices gave them zero gradients.
    """
    kinds = ("weight", "weight_orig", "bias")
    parameters = [name for name in tensors if name.rpartition(".")[2] in kinds]
    state = {
        number: {"step": 3, "exp_avg_sq": torch.ones_like(tensors[name]) * float(trained(name))}
        for number, name in enumerate(parameters)
        if zeros or trained(name)
    }
    return {"state": state, "param_groups": [{"lr": 2e-4, "params": list(range(len(parameters)))}]}
