"""Pictures, sizes and latency of a trained net."""

from typing import NamedTuple

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.models.walk import make_closed_walk
from slimgan_pl.report.pictures import Picture, animation, picture, picture_file
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.timings import Timings, measure_here, read_profile
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.runs.folder import RunFolder, path_beside
from slimgan_pl.training.sample_grid import choose_classes, sample_grid
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.images import width_grid
from slimgan_pl.utils.torch_state import evaluating
from slimgan_pl.utils.weights import Weights

__all__ = ["RunSummary", "generate_walk", "make_walks", "summarize_run"]

COLUMNS = 10  # latents, as in the grids that training leaves

STOPS, STEPS = 5, 8  # latents on the way, and frames from one to the next

MOST_COLUMNS, MOST_PIXELS = 6, 384  # walks beside each other, and pixels that they may take together


class RunSummary(NamedTuple):
    """Pictures of a run with their row names, and each width's costs."""

    grid: Picture | None = None
    grid_rows: tuple[str, ...] = ()
    walk: Picture | None = None
    walk_still: Picture | None = None
    walk_rows: tuple[str, ...] = ()
    parameters: dict[float, int] = {}  # noqa: RUF012  # a default that is never changed
    macs: dict[float, int] = {}  # noqa: RUF012
    latency: Timings | None = None


def summarize_run(run: RunFiles, seed: int, trust: bool, weights: Weights = "averaged") -> RunSummary:
    """Summarize a run's checkpoint, or its last picture without one.

    Args:
        run: The run; what is missing is noted in it.
        seed: Seed of the latents.
        trust: Whether the checkpoint may name classes of other packages.
        weights: Which weights the pictures are of.
    """
    latency = None
    try:
        latency = read_profile(path_beside(RunFolder(run.folder).checkpoint, "profile"))
    except SlimGANError as error:
        run.notes.append(f"Other times are shown: {error}.")
    if run.checkpoint is not None:
        try:
            return summarize_model(load_model(run.checkpoint, trust, weights), seed, latency)
        except SlimGANError as error:
            run.notes.append(f"No pictures: {error}.")
    return RunSummary(grid=last_picture(run), latency=latency)


def summarize_model(model: SlimGAN, seed: int, latency: Timings | None) -> RunSummary:
    """Make pictures of a net, count its costs, and measure missing latencies."""
    generator = model.inference_generator
    frames = generate_walk(generator, seed)
    shown = {width: model.individual or width for width in generator.widths}  # as logs and tables name them
    names = tuple(f"{width:g}" for width in shown.values())
    classes = choose_classes(generator.num_classes)
    measured = latency or measure_here(generator)
    return RunSummary(
        grid=picture(sample_grid(model, COLUMNS, seed, named=False)),
        grid_rows=tuple(
            f"{generator.classes.names[each]}: {name}" if generator.num_classes else name
            for each in classes
            for name in names
        ),
        walk=animation(frames),
        walk_still=picture(frames[0]),
        walk_rows=names,
        parameters={name: count_parameters(generator, width) for width, name in shown.items()},
        macs={name: count_macs(generator, width) for width, name in shown.items()},
        latency=measured._replace(seconds={shown.get(width, width): s for width, s in measured.seconds.items()}),
    )


def last_picture(run: RunFiles) -> Picture | None:
    """Return the last picture that training left, if any."""
    folder = RunFolder(run.folder)
    paths = [folder.samples, *reversed(folder.sample_grids().values())]
    path = next((path for path in paths if path.is_file()), None)
    try:
        return None if path is None else picture_file(path)
    except SlimGANError as error:
        run.notes.append(f"No picture: {error}.")
        return None


def make_walks(num_walks: int, latent_dim: int, seed: int) -> Tensor:
    """Return closed walks ``(frames, num_walks, latent_dim)`` on the sphere of typical latents."""
    stops = torch.randn(STOPS, num_walks, latent_dim, generator=torch.Generator().manual_seed(seed))
    return make_closed_walk(stops / stops.norm(dim=-1, keepdim=True) * latent_dim**0.5, STOPS * STEPS)


@torch.no_grad()
def generate_walk(generator: SlimmableGenerator, seed: int) -> list[Tensor]:
    """Return the frames of closed walks as uint8 pictures ``(3, H, W)``.

    A picture has a row per width, narrow to wide, and a column per walk, which is of one class where there are classes.
    """
    columns = max(1, min(MOST_COLUMNS, MOST_PIXELS // generator.image_size))
    labels = torch.arange(columns) % generator.num_classes if generator.num_classes else None
    frames = []
    with evaluating(generator):
        for latents in make_walks(columns, generator.latent_dim, seed):
            latents = latents.to(generator.device, generator.dtype)
            frames.append(width_grid([generator(latents, labels, width=width) for width in generator.widths]))
    return frames
