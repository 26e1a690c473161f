"""What a page needs of a trained net: pictures, sizes and times."""

from typing import NamedTuple, TypeVar

from slimgan_pl.callbacks import SampleGrid, draw_grid
from slimgan_pl.callbacks.samples import shown_classes
from slimgan_pl.checkpoints import load_model
from slimgan_pl.errors import UserError
from slimgan_pl.models.cost import count_macs, count_parameters
from slimgan_pl.report.pictures import Picture, animation, picture, picture_file
from slimgan_pl.report.reading import RunFiles
from slimgan_pl.report.timings import Timings, measure_here, read_profile
from slimgan_pl.report.walk import draw_walk
from slimgan_pl.slimgan import SlimGAN

__all__ = ["Drawn", "draw_run"]

COLUMNS = SampleGrid().num_latents

T = TypeVar("T")


class Drawn(NamedTuple):
    """Pictures of a run, with the names of their rows, and what each width costs: parameters, MACs and time."""

    grid: Picture | None = None
    grid_rows: tuple[str, ...] = ()
    walk: Picture | None = None
    walk_still: Picture | None = None
    walk_rows: tuple[str, ...] = ()
    parameters: dict[float, int] = {}  # noqa: RUF012  # a default that nobody changes
    macs: dict[float, int] = {}  # noqa: RUF012
    latency: Timings | None = None


def draw_run(run: RunFiles, seed: int, trust: bool) -> Drawn:
    """Draw with a run's checkpoint; without one show the picture that the run has left.

    Args:
        run: The run; what is missing is noted in it.
        seed: Seed of the latents.
        trust: Whether the checkpoint may name classes of other packages.
    """
    latency = latency_of(run)
    if run.checkpoint is not None:
        try:
            return draw_model(load_model(run.checkpoint, trust), seed, latency)
        except UserError as error:
            run.notes.append(f"Nothing is drawn: {error}.")
    grid = left_picture(run)
    return Drawn(grid=grid, latency=latency)


def latency_of(run: RunFiles) -> Timings | None:
    """Return the times of ``slimgan profile``, if there are any."""
    try:
        return read_profile(run.folder / "checkpoints" / "last.profile.json")
    except UserError as error:
        run.notes.append(f"Other times are shown: {error}.")
        return None


def draw_model(model: SlimGAN, seed: int, latency: Timings | None) -> Drawn:
    """Draw a net, count its numbers and measure it, unless that was done."""
    generator = model.generator
    frames = draw_walk(generator, seed)
    names = tuple(f"{width:g}" for width in shown_widths(model).values())
    classes = shown_classes(generator.num_classes)
    measured = latency or measure_here(generator)
    return Drawn(
        grid=picture(draw_grid(model, COLUMNS, seed)),
        grid_rows=tuple(f"{each}: {name}" if generator.num_classes else name for each in classes for name in names),
        walk=animation(frames),
        walk_still=picture(frames[0]),
        walk_rows=names,
        parameters=renamed(model, {width: count_parameters(generator, width) for width in generator.widths}),
        macs=renamed(model, {width: count_macs(generator, width) for width in generator.widths}),
        latency=measured._replace(seconds=renamed(model, measured.seconds)),
    )


def shown_widths(model: SlimGAN) -> dict[float, float]:
    """Return what logs and tables call each width of the generator."""
    return {width: model.individual or width for width in model.generator.widths}


def renamed(model: SlimGAN, values: dict[float, T]) -> dict[float, T]:
    """Return values by what logs and tables call their widths."""
    return {shown_widths(model).get(width, width): value for width, value in values.items()}


def left_picture(run: RunFiles) -> Picture | None:
    """Return the last picture of a run."""
    paths = [run.folder / "samples.png", *sorted(run.folder.glob("samples/iteration_*.png"), reverse=True)]
    path = next((path for path in paths if path.is_file()), None)
    try:
        return None if path is None else picture_file(path)
    except UserError as error:
        run.notes.append(f"No picture: {error}.")
        return None
