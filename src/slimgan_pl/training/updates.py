"""Losses and gradients of the two updates of an iteration.

The caller has the optimizers, processes, randomness and logs, so an update can be compiled or captured as it is.
"""

from slimgan_pl.training.discriminator_update import DiscriminatorUpdate, WidthInputs
from slimgan_pl.training.generator_update import GeneratorUpdate
from slimgan_pl.training.update_metrics import Metrics

__all__ = ["Metrics", "Updates", "WidthInputs"]


class Updates(DiscriminatorUpdate, GeneratorUpdate):
    """Gradients of one discriminator or generator update, added to the nets'.

    Any widths may take part; the others get no gradient. While ``measures_gradients``, the metrics hold the norms of
    what each width adds to the generator's gradient, and of the gradient of each discriminator's own layers.
    """
