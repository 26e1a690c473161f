"""Plain GANs of one width: the baselines of a slimmable one."""

from slimgan_pl.layers import width_index
from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator

__all__ = ["individual_gan", "individual_generator"]


def individual_gan(
    generator: SlimmableGenerator, discriminators: DiscriminatorBank, width: float
) -> tuple[SlimmableGenerator, DiscriminatorBank]:
    """Return new nets for a plain GAN: a generator with one width's channels alone, and one full discriminator.

    Raises:
        SlimGANError: If the width is not in the generator's list.
    """
    alone = {"num_branches": 1, "num_shared": 0, "share_head": False}
    bank = type(discriminators)(**{**discriminators.arguments, **alone})
    return individual_generator(generator, width), bank


def individual_generator(generator: SlimmableGenerator, width: float) -> SlimmableGenerator:
    """Return a new generator with one width's channels alone.

    Raises:
        SlimGANError: If the width is not in the generator's list.
    """
    plain = {
        "channels": generator.channels_at(generator.widths[width_index(generator.widths, width)]),
        "widths": (1.0,),
        "conditional_norm": "switchable",  # with one width it is the usual conditional batch norm
    }
    return type(generator)(**{**generator.arguments, **plain})
