"""Pictures, sizes and times of a trained net, for a page."""

from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

from slimgan_pl.errors import SlimGANError
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.report.pictures import Picture, animation, picture, picture_file
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.timings import Timings, measure_here, read_profile
from slimgan_pl.runs.checkpoints import load_model
from slimgan_pl.runs.folder import RunFolder, path_beside
from slimgan_pl.training.sample_grid import sample_grid, shown_classes
from slimgan_pl.training.slimgan import SlimGAN
from slimgan_pl.utils.images import width_grid
from slimgan_pl.utils.torch_state import evaluating

__all__ = ["Drawn", "closed_walk", "draw_run", "draw_walk", "slerp"]

COLUMNS = 10  # latents, as in the grids that training leaves

STOPS, STEPS = 5, 8  # latents on the way, and frames from one to the next

MOST_COLUMNS, MOST_PIXELS = 6, 384  # walks beside each other, and pixels that they may take together

T = TypeVar("T")


class Drawn(NamedTuple):
    """Pictures of a run, with the names of their rows, and what each width costs: parameters, MACs and time."""

    grid: Picture | None = None
    grid_rows: tuple[str, ...] = ()
    walk: Picture | None = None
    walk_still: Picture | None = None
    walk_rows: tuple[str, ...] = ()
    parameters: dict[float, int] = {}  # noqa: RUF012  # a default that is never changed
    macs: dict[float, int] = {}  # noqa: RUF012
    latency: Timings | None = None


def draw_run(run: RunFiles, seed: int, trust: bool) -> Drawn:
    """Make pictures with a run's checkpoint, or take the last picture of a run without one.

    Args:
        run: The run; what is missing is noted in it.
        seed: Seed of the latents.
        trust: Whether the checkpoint may name classes of other packages.
    """
    latency = latency_of(run)
    if run.checkpoint is not None:
        try:
            return draw_model(load_model(run.checkpoint, trust), seed, latency)
        except SlimGANError as error:
            run.notes.append(f"Nothing is drawn: {error}.")
    grid = left_picture(run)
    return Drawn(grid=grid, latency=latency)


def latency_of(run: RunFiles) -> Timings | None:
    """Return the times of ``slimgan profile``, if there are any."""
    try:
        return read_profile(path_beside(RunFolder(run.folder).checkpoint, "profile"))
    except SlimGANError as error:
        run.notes.append(f"Other times are shown: {error}.")
        return None


def draw_model(model: SlimGAN, seed: int, latency: Timings | None) -> Drawn:
    """Make pictures with a net, count its numbers, and measure it unless that was done."""
    generator = model.generator
    frames = draw_walk(generator, seed)
    names = tuple(f"{width:g}" for width in shown_widths(model).values())
    classes = shown_classes(generator.num_classes)
    measured = latency or measure_here(generator)
    return Drawn(
        grid=picture(sample_grid(model, COLUMNS, seed)),
        grid_rows=tuple(f"{each}: {name}" if generator.num_classes else name for each in classes for name in names),
        walk=animation(frames),
        walk_still=picture(frames[0]),
        walk_rows=names,
        parameters=renamed(model, {width: count_parameters(generator, width) for width in generator.widths}),
        macs=renamed(model, {width: count_macs(generator, width) for width in generator.widths}),
        latency=measured._replace(seconds=renamed(model, measured.seconds)),
    )


def shown_widths(model: SlimGAN) -> dict[float, float]:
    """Return the width in logs and tables of each width of the generator."""
    return {width: model.individual or width for width in model.generator.widths}


def renamed(model: SlimGAN, values: dict[float, T]) -> dict[float, T]:
    """Return values by their widths in logs and tables."""
    return {shown_widths(model).get(width, width): value for width, value in values.items()}


def left_picture(run: RunFiles) -> Picture | None:
    """Return the last picture of a run."""
    folder = RunFolder(run.folder)
    paths = [folder.samples, *reversed(folder.sample_grids().values())]
    path = next((path for path in paths if path.is_file()), None)
    try:
        return None if path is None else picture_file(path)
    except SlimGANError as error:
        run.notes.append(f"No picture: {error}.")
        return None


def slerp(start: Tensor, end: Tensor, place: float) -> Tensor:
    """Return latents ``(N, D)`` on the great circles between latents of equal norms; ``place`` is from 0 to 1."""
    radius = start.norm(dim=-1, keepdim=True)
    cosine = (start * end).sum(-1, keepdim=True) / radius**2
    angle = torch.acos(cosine.clamp(-1 + 1e-6, 1 - 1e-6))
    between = torch.sin((1 - place) * angle) * start + torch.sin(place * angle) * end
    latents: Tensor = between / between.norm(dim=-1, keepdim=True) * radius
    return latents


def closed_walk(num_walks: int, latent_dim: int, seed: int) -> Tensor:
    """Return latents ``(frames, num_walks, latent_dim)`` that go round on the sphere where most of a Gaussian lies."""
    source = torch.Generator().manual_seed(seed)
    stops = torch.randn(STOPS, num_walks, latent_dim, generator=source)
    stops = stops / stops.norm(dim=-1, keepdim=True) * latent_dim**0.5
    pairs = zip(stops, stops.roll(-1, dims=0), strict=True)
    return torch.stack([slerp(start, end, step / STEPS) for start, end in pairs for step in range(STEPS)])


@torch.no_grad()
def draw_walk(generator: SlimmableGenerator, seed: int) -> list[Tensor]:
    """Return the frames as uint8 pictures ``(3, H, W)``: a row per width, narrow to wide, and a column per walk.

    Each walk is of one class, where there are classes.
    """
    columns = max(1, min(MOST_COLUMNS, MOST_PIXELS // generator.image_size))
    labels = torch.arange(columns) % generator.num_classes if generator.num_classes else None
    frames = []
    with evaluating(generator):
        for latents in closed_walk(columns, generator.latent_dim, seed):
            latents = latents.to(generator.device, generator.dtype)
            frames.append(width_grid([generator(latents, labels, width=width) for width in generator.widths]))
    return frames
