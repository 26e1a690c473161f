"""Files of the authors' code."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slimgan_pl.errors import SlimGANError

__all__ = ["Tensors", "Weights", "fill", "read_weights", "refusing"]

MAX_ITERATION = 10**12  # a larger number is no count of iterations

Tensors = dict[str, Tensor]

EXPECTED = (
    "expected is a file of the SlimGAN authors' code: a dictionary whose model_state_dict holds the tensors of a DCGAN "
    "(l1, c1, b1, ...) or of a residual net (l1, block2, ...)"
)


class Weights(NamedTuple):
    """Content of a file: tensors by name, optimizer state, and iteration."""

    tensors: Tensors
    optimizer: Mapping[str, Any]
    iteration: int


def read_weights(path: str | Path) -> Weights:
    """Read a file of the authors' code without running anything in it.

    Raises:
        SlimGANError: If there is no such file, or it holds something else.
    """
    if not Path(path).is_file():
        raise SlimGANError(f"there is no file {path}; give the path of a checkpoint of the authors' code")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken or foreign file can make the unpickler raise anything
        raise SlimGANError(f"{path} cannot be read, it is damaged or holds more than tensors; {EXPECTED}") from error
    content = content if isinstance(content, dict) else {}
    state = content.get("model_state_dict", content)
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise SlimGANError(f"{path} holds no weights; {EXPECTED}")
    if not all(value.isfinite().all() for value in state.values()):
        raise SlimGANError(f"the weights in {path} are not finite; give an earlier checkpoint")
    optimizer = content.get("optimizer_state_dict")
    iteration = content.get("global_step")
    return Weights(
        {str(name).removeprefix("module."): value for name, value in state.items()},
        optimizer if isinstance(optimizer, dict) else {},
        iteration if isinstance(iteration, int) and 0 <= iteration <= MAX_ITERATION else 0,
    )


@contextmanager
def refusing(net: str, path: object) -> Iterator[None]:
    """Turn errors of foreign tensors into a SlimGANError with the expected content."""
    try:
        yield
    except SlimGANError as error:
        raise SlimGANError(f"{path} cannot be taken as {net}: {error}; {EXPECTED}") from error
    except (AttributeError, LookupError, RuntimeError, TypeError, ValueError, ZeroDivisionError) as error:
        raise SlimGANError(
            f"{path} holds no known {net}; check that --generator and --discriminator are not swapped; {EXPECTED}"
        ) from error


def fill(net: nn.Module, tensors: Tensors) -> None:
    """Load tensors into a net, and refuse missing or unexpected ones."""
    missing, unexpected = net.load_state_dict(tensors, strict=False)
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]  # old files count no batches
    if missing or unexpected:
        odd = f"such as {(missing + unexpected)[0]}"
        raise LookupError(f"{len(missing)} tensors are missing and {len(unexpected)} too many, {odd}")
