"""Generators in safetensors files, with metadata that builds them again."""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models.classes import Classes
from slimgan_pl.models.folding import FoldedGenerator
from slimgan_pl.models.generator import SlimmableGenerator
from slimgan_pl.models.metadata import METADATA_KEY, METADATA_VERSION, generator_metadata
from slimgan_pl.utils.files import check_folder, write_whole
from slimgan_pl.utils.recipes import plain

__all__ = ["load_generator", "save_generator"]


def save_generator(generator: SlimmableGenerator, path: str | Path, width: float | None = None) -> None:
    """Write a generator or one of its slices to a safetensors file.

    Args:
        generator: The generator, which stays as it is.
        path: The file; a complete new one replaces an old one.
        width: Width that a slice was taken at, kept beside its schedule.
    """
    recipe = {"class": type(generator).__name__, "arguments": plain(generator.arguments)}
    metadata = generator_metadata(generator, generator.widths if width is None else (width,), **recipe)
    weights = {name: value.detach().cpu().contiguous() for name, value in generator.state_dict().items()}
    path = Path(path)
    check_folder(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, save(weights, metadata))


def load_generator(path: str | Path, classes: Sequence[type[SlimmableGenerator]] = ()) -> SlimmableGenerator:
    """Build the generator of a safetensors file.

    It is on the CPU, in evaluation mode, without gradients and in the precision of the file.

    Args:
        path: A file of :func:`save_generator` or ``slimgan export --format safetensors``.
        classes: Third-party generators that the file may hold.

    Raises:
        SlimGANError: If the file is missing, damaged or in another format, or holds an unknown class.
    """
    recipe, weights = read_generator(Path(path))
    known: dict[str, type[SlimmableGenerator]]
    known = {each.__name__: each for each in (*package_classes(SlimmableGenerator), *classes)}
    if str(recipe.get("class")) not in known:
        raise SlimGANError(
            f"{path} holds a {recipe.get('class')}, which is not a generator of this package; give its class to "
            "load_generator(path, classes=...)"
        )
    try:
        generator = known[recipe["class"]](**recipe["arguments"])
        name, _ = next(generator.named_parameters())
        generator.to(weights[name].dtype).load_state_dict(weights)
        if "classes" in recipe:  # which earlier versions did not write
            generator.classes = Classes.from_json(recipe["classes"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise SlimGANError(f"the weights in {path} do not fit its settings: it is damaged; export it again") from error
    if isinstance(generator, FoldedGenerator):
        generator.to(memory_format=torch.channels_last)
    return generator.eval().requires_grad_(False)


def package_classes(base: Any) -> Iterator[type[SlimmableGenerator]]:
    """Yield the concrete subclasses that this package defines."""
    for each in base.__subclasses__():
        if each.__module__.startswith(f"{__package__}."):
            if not inspect.isabstract(each):
                yield each
            yield from package_classes(each)


def read_generator(path: Path) -> tuple[dict[str, Any], Mapping[str, Tensor]]:
    """Return the metadata and the weights of a file."""
    if not path.is_file():
        raise SlimGANError(f"there is no file {path}; give one that slimgan export --format safetensors wrote")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = json.loads((file.metadata() or {}).get(METADATA_KEY, "null"))
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise SlimGANError(f"{path} cannot be read as safetensors: it is damaged or in another format") from error
    if not isinstance(metadata, dict) or not isinstance(metadata.get("version"), int):
        raise SlimGANError(f"{path} does not say what net it holds; give a file that slimgan export wrote")
    if metadata["version"] > METADATA_VERSION:
        raise SlimGANError(f"{path} was written by a newer slimgan-pl; upgrade this one")
    return metadata, weights
