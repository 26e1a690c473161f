"""Settings of nets that follow from others where they are not given."""

from collections.abc import Callable
from typing import Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.utils.recipes import build_recipe

__all__ = ["data_reader", "fill_net_settings"]


def data_reader(data: Any) -> Callable[[str], Any]:
    """Return a reader of the data module's attributes, built at most once."""
    built: list[Any] = []

    def read(name: str) -> Any:
        if not built:
            try:
                built.append(None if data is None else build_recipe(data.as_dict()))
            except SlimGANError:
                raise
            except Exception:  # which the command reports when it builds the data for good
                built.append(None)
        return getattr(built[0], name, None)

    return read


def fill_net_settings(model: Any, read_data: Callable[[str], Any], is_conditional: bool = False) -> None:
    """Fill in settings that nets share with the data or each other.

    Args:
        model: Parsed settings of the model, changed in place.
        read_data: Returns an attribute of the data, or None.
        is_conditional: Whether the generator gets the classes of the data.

    Raises:
        SlimGANError: If a conditional generator is asked for, and there are no classes.
    """
    generator, bank = arguments_of(model.get("generator")), arguments_of(model.get("discriminators"))
    if "image_channels" in generator and generator["image_channels"] is None:
        generator["image_channels"] = read_data("image_channels") or 3
    if is_conditional:
        classes = read_data("num_classes")
        if not classes:
            raise SlimGANError(
                "--conditional true needs data with classes; put each class into a folder of its own, or leave it out"
            )
        if "num_classes" not in generator:
            raise SlimGANError("--conditional true needs a generator with num_classes; name another, or leave it out")
        generator["num_classes"] = generator["num_classes"] or classes
    follows = {
        "num_branches": len(generator["widths"]) if generator.get("widths") else None,
        "image_channels": generator.get("image_channels"),
        "num_classes": generator.get("num_classes"),
    }
    for name, value in follows.items():
        if name in bank and bank[name] is None:
            bank[name] = value


def arguments_of(net: Any) -> Any:
    """Return the arguments of a net's settings, or nothing."""
    return {} if net is None or "init_args" not in net else net["init_args"]
