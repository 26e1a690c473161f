"""``slimgan recalibrate``: a checkpoint with batch-norm statistics measured anew."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.next_steps import commands_to_trust, next_lines
from slimgan_pl.utils.files import writing_output
from slimgan_pl.utils.terminal import typed_command

if TYPE_CHECKING:
    from rich.table import Table

    from slimgan_pl.models import Change

__all__ = ["recalibrate_checkpoint"]


def recalibrate_checkpoint(
    ckpt_path: str,
    output: str | None = None,
    num_batches: int = 100,
    batch_size: int = 64,
    seed: int = 0,
    trust_checkpoint: bool = False,
) -> None:
    """Write a checkpoint with each width's batch-norm statistics measured anew.

    Those of averaged weights are measured as well as those of the raw ones. All else in it stays.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        output: Checkpoint to write; by default last.recalibrated.ckpt beside last.ckpt.
        num_batches: Batches of latents that the statistics are measured over.
        batch_size: Latents in a batch.
        seed: Seed of the latents.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
    """
    path = Path(ckpt_path).with_suffix(".recalibrated.ckpt") if output is None else Path(output)
    if path.exists():
        raise SlimGANError(f"{path} already exists; choose another --output, or delete it")
    from rich.console import Console  # and PyTorch, which help does not need

    from slimgan_pl.models import recalibrate
    from slimgan_pl.runs.checkpoint_io import AtomicCheckpointIO
    from slimgan_pl.runs.checkpoints import load_model, read_checkpoint

    model = load_model(ckpt_path, trust_checkpoint)
    console = Console()
    nets = {"": model.generator}
    if model.averaged_generator is not None:
        nets = {" of averaged weights": model.averaged_generator, " of raw weights": model.generator}
    for name, net in nets.items():
        changes = recalibrate(net, num_batches, batch_size, seed)
        console.print(changes_table(changes, f"Batch-norm statistics{name} over {num_batches * batch_size:,} latents"))
    checkpoint = read_checkpoint(ckpt_path)
    checkpoint["state_dict"] = model.state_dict()
    with writing_output("the checkpoint", path):
        AtomicCheckpointIO().save_checkpoint(checkpoint, path)
    print(f"Checkpoint: {path}")
    to_trust = commands_to_trust(checkpoint["hyper_parameters"], checkpoint.get("datamodule_hyper_parameters"))
    print(next_lines({f"test --ckpt_path {quote(str(path))}": "evaluate every width"}, typed_command(), to_trust))


def changes_table(changes: "Sequence[Change]", title: str) -> "Table":
    """Return a table with a row per width."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title=title,
        caption="mean in standard deviations, pixel in [-1, 1]",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for head in ("width", "RMS change of mean", "of standard deviation", "of a pixel"):
        table.add_column(head, justify="right")
    for change in changes:
        table.add_row(f"{change.width:g}", f"{change.mean:.3g}", f"{change.deviation:.2%}", f"{change.images:.3g}")
    return table
