"""``slimgan import``: conversion of the authors' checkpoints."""

import logging
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.next_steps import next_lines
from slimgan_pl.utils.files import writing_output
from slimgan_pl.utils.terminal import typed_command

if TYPE_CHECKING:
    from slimgan_pl.models import DiscriminatorBank, SlimmableGenerator

__all__ = ["import_checkpoint"]

DATA = {32: "CIFAR10DataModule", 48: "STL10DataModule", 64: "CelebADataModule"}  # the paper's data sets by image size
RESIDUAL_ADAM = {"class_path": "torch.optim.Adam", "init_args": {"lr": 2e-4, "betas": [0.0, 0.9]}}


def import_checkpoint(
    generator: str, output: str, discriminator: str | None = None, num_shared: int | None = None
) -> None:
    """Convert a checkpoint of the SlimGAN authors for test, sample and fit.

    Args:
        generator: Their generator file; the net is read from its tensors. A plain generator becomes a GAN of one width.
        output: The checkpoint to write.
        discriminator: Their discriminator file; without one the discriminators start fresh.
        num_shared: Stages that the discriminators share, for a file that does not show it.
    """
    if num_shared is not None and discriminator is None:
        raise SlimGANError("--num_shared says what a discriminator file holds; give that with --discriminator")
    if Path(output).exists():
        raise SlimGANError(f"{output} already exists; give another --output, or delete it")
    from slimgan_pl.convert.discriminators import default_discriminators  # PyTorch, which help does not need
    from slimgan_pl.convert.files import read_weights, refusing
    from slimgan_pl.convert.generators import make_generator

    weights = read_weights(generator)
    with refusing("generator", generator):
        net = make_generator(weights.tensors)
    print(f"Generator: {describe(net)}, iteration {weights.iteration}")
    bank = default_discriminators(net)
    if discriminator is None:
        print(f"Discriminators: {describe(bank)}; they start fresh, as no --discriminator is given")
    else:
        bank = import_discriminators(discriminator, net, num_shared)
    write_checkpoint(net, bank, weights.iteration, Path(output))
    print(f"Checkpoint: {output}. Adam's state is not taken over: slimgan fit starts the optimizers fresh.")
    data = DATA.get(net.image_size, "ImageFolderDataModule")
    commands = {
        f"sample --ckpt_path {quote(output)} --width all --num_images 10": "sample every width",
        f"test --ckpt_path {quote(output)} --data {data} --data.root data": "evaluate it, on these or other data",
    }
    print(next_lines(commands, typed_command()))


def import_discriminators(path: str, generator: "SlimmableGenerator", num_shared: int | None) -> "DiscriminatorBank":
    """Read the discriminators of a file, and print what they share."""
    from slimgan_pl.convert.discriminators import DEFAULT_SHARED, Sharing, find_sharing, make_discriminators
    from slimgan_pl.convert.files import read_weights, refusing
    from slimgan_pl.training.compatibility import check_fit

    weights = read_weights(path)
    with refusing("discriminators", path):
        found = find_sharing(weights.tensors, weights.optimizer)
        if num_shared is None:
            sharing = found or Sharing(DEFAULT_SHARED)
        else:
            sharing = Sharing(num_shared, found is not None and found.share_head)
        bank = make_discriminators(weights.tensors, generator.image_size, sharing)
    print(f"Discriminators: {describe(bank)}, iteration {weights.iteration}")
    if found is not None and found != sharing:
        print(f"NOTE: {path} shows that they share {found.num_shared} stages; taken is --num_shared {num_shared}.")
    if found is None and num_shared is None:
        print(
            f"NOTE: {path} does not show how many stages they share, as it was hardly trained; taken is the paper's "
            f"{DEFAULT_SHARED}. Give --num_shared if it is another."
        )
    check_fit(generator, bank)
    return bank


def describe(net: "SlimmableGenerator | DiscriminatorBank") -> str:
    """Return a net's description in a few words."""
    from slimgan_pl.models import SlimmableGenerator

    words = [type(net).__name__, f"channels {list(net.arguments['channels'])}"]
    if isinstance(net, SlimmableGenerator):
        words += [f"{net.image_size}x{net.image_size}", f"widths {', '.join(f'{width:g}' for width in net.widths)}"]
    else:
        words += [f"{net.num_branches} of them", f"num_shared {net.num_shared}"]
        words += ["one last layer"] if net.num_branches > len(net.heads) else []
    return ", ".join(words + ([f"{net.num_classes} classes"] if net.num_classes else []))


def write_checkpoint(generator: "SlimmableGenerator", bank: "DiscriminatorBank", iteration: int, path: Path) -> None:
    """Write a checkpoint with the paper's settings, without optimizer states."""
    from lightning.pytorch import Trainer
    from lightning.pytorch.cli import instantiate_module

    from slimgan_pl.models import ResNetGenerator
    from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
    from slimgan_pl.training.slimgan import SlimGAN

    settings: dict[str, Any] = {"evaluator": {"class_path": "slimgan_pl.evaluation.Evaluator"}}
    if isinstance(generator, ResNetGenerator):
        settings |= {"critic_steps": 5, "distill_weight": 10.0 if generator.num_classes else 20.0}
        settings |= {"generator_optimizer": RESIDUAL_ADAM, "discriminator_optimizer": RESIDUAL_ADAM}
    recipes = {"generator": generator.recipe, "discriminators": bank.recipe}
    model: SlimGAN = instantiate_module(SlimGAN, {**recipes, **settings})
    model.generator.load_state_dict(generator.state_dict())
    model.discriminators.load_state_dict(bank.state_dict())
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    trainer = Trainer(accelerator="cpu", logger=False, enable_checkpointing=False, plugins=[AtomicCheckpointIO()])
    trainer.strategy.connect(model)
    steps = trainer.fit_loop.epoch_loop.manual_optimization.optim_step_progress
    steps.total.ready = steps.total.completed = iteration
    with writing_output("the checkpoint", path):
        trainer.save_checkpoint(path)
