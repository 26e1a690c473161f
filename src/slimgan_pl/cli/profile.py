"""``slimgan profile``: cost of every width on a device."""

import json
import os
import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slimgan_pl.errors import SlimGANError, SlimGANWarning, check_range
from slimgan_pl.utils.files import check_folder, file_sha256, write_whole, writing_output
from slimgan_pl.utils.weights import Weights

if TYPE_CHECKING:
    import torch

    from slimgan_pl.profiling.latency import Form
    from slimgan_pl.training.slimgan import SlimGAN

__all__ = ["profile"]

DAY = 86_400.0  # seconds


def profile(
    ckpt_path: str | None = None,
    config: str | None = None,
    batch_sizes: int | Sequence[int] = (1, 64),
    rounds: int = 30,
    seconds: float = 5.0,
    threads: int | None = None,
    device: str = "auto",
    folded: bool = False,
    output: str | None = None,
    trust_checkpoint: bool = False,
    weights: Weights = "averaged",
) -> None:
    """Measure size, arithmetic, latency and memory of a generator's widths.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        config: A configuration of ``slimgan fit`` instead: its nets with new weights. No data set is needed.
        batch_sizes: Images in a batch: a number, or several such as [1,16,64].
        rounds: Times that each width and batch size is timed, at least.
        seconds: Least time of a measurement, in seconds.
        threads: Threads of PyTorch on the CPU; by default as many as it chooses.
        device: cpu, cuda, cuda:1, mps or the like; auto is the first GPU, or the CPU where there is none.
        folded: Measure the widths folded for inference, without batch norms, instead of plain slices.
        output: Folder for profile.json and profile.png; by default last.profile.json and last.profile.png beside
            last.ckpt, and for a configuration its name in the current folder.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: The averaged weights where training has kept an average, or the raw ones.
    """
    from slimgan_pl.profiling.latency import narrow_net  # PyTorch, which help does not need
    from slimgan_pl.profiling.memory import check_memory
    from slimgan_pl.profiling.profile_widths import profile_widths, sizes
    from slimgan_pl.utils.environment import find_device
    from slimgan_pl.utils.torch_state import num_threads

    batches = list(dict.fromkeys([batch_sizes] if isinstance(batch_sizes, int) else batch_sizes))
    check_options(batches, rounds, seconds, threads)
    where = find_device(device)
    model = find_model(ckpt_path, config, trust_checkpoint, weights)
    model.inference_generator.to(where)
    form: Form = "folded" if folded else "slice"
    widest = narrow_net(model.inference_generator, 1.0, form)
    for batch_size in batches:
        check_memory(widest, batch_size)
    source = ckpt_path or config or ""
    stem = output_stem(source, output, is_config=ckpt_path is None)
    with num_threads(threads):
        provenance = find_provenance(ckpt_path, config, where, form)
        print(f"Measuring {len(model.generator.widths)} widths in batches of {', '.join(map(str, batches))} ...")
        widths = profile_widths(model.inference_generator, batches, rounds, seconds, form)
    if model.individual is not None:
        widths[0]["width"] = model.individual  # its only width, as tables and logs call it
    whole = {"class": type(model.generator).__name__, **sizes(model.generator)}
    save({**provenance, "generator": whole, "widths": widths}, source, stem)


def check_options(batch_sizes: Sequence[int], rounds: int, seconds: float, threads: int | None) -> None:
    """Raise a SlimGANError where a number is out of range."""
    from slimgan_pl.profiling.latency import MAX_ROUNDS

    if not batch_sizes:
        raise SlimGANError("batch_sizes is empty; give some, for example --batch_sizes [1,64]")
    for batch_size in batch_sizes:
        check_range("a batch size", batch_size, 1)
    check_range("rounds", rounds, 1, MAX_ROUNDS)
    check_range("seconds", seconds, 0, DAY)
    if threads is not None:
        check_range("threads", threads, 1, os.cpu_count() or 1)


def find_model(ckpt_path: str | None, config: str | None, trust: bool, weights: Weights) -> "SlimGAN":
    """Return the model of either a checkpoint or a configuration."""
    if ckpt_path is not None and config is None:
        from slimgan_pl.runs.checkpoints import load_model

        return load_model(ckpt_path, trust, weights)
    if config is not None and ckpt_path is None:
        from slimgan_pl.cli.configured_model import build_configured_model

        return build_configured_model(config)
    raise SlimGANError("slimgan profile takes a net: give either a checkpoint with --ckpt_path or a --config")


def output_stem(source: str, output: str | None, is_config: bool) -> Path:
    """Return the files' path without suffixes, in a writable folder."""
    if output == "":
        raise SlimGANError("--output is empty; name a folder")
    path = Path(source)
    default = Path(f"{path.stem}.profile") if is_config else path.with_suffix(".profile")
    stem = default if output is None else Path(output) / "profile"
    check_folder(stem.parent)
    with writing_output("the profile", stem.parent):
        stem.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(stem.parent, os.W_OK):
        raise SlimGANError(f"{stem.parent} cannot be written to; name another folder with --output")
    return stem


def find_provenance(ckpt_path: str | None, config: str | None, device: "torch.device", form: "Form") -> dict[str, Any]:
    """Return the provenance of a profile as plain values."""
    import torch

    from slimgan_pl.profiling.memory import memory_kind
    from slimgan_pl.utils.environment import machine, versions

    is_rounded = device.type == "cuda" and torch.backends.cudnn.allow_tf32  # the factors of products
    checkpoint = None
    if ckpt_path is not None:
        checkpoint = {"file": Path(ckpt_path).name, "sha256": file_sha256(Path(ckpt_path))}
    return {
        "checkpoint": checkpoint,
        "config": None if config is None else Path(config).name,
        "date": datetime.now().astimezone().isoformat(timespec="seconds"),
        **machine(device),
        "precision": "float32 with TF32 convolutions" if is_rounded else "float32",
        "form": form,
        "memory": memory_kind(device),
        "versions": versions(),
    }


def save(profile: dict[str, Any], name: str, stem: Path) -> None:
    """Print a profile and write its files."""
    from rich.console import Console

    from slimgan_pl.profiling.table import profile_table

    Console(width=max(Console().width, 80)).print(profile_table(profile, name))
    path, picture = (stem.with_name(f"{stem.name}{suffix}") for suffix in (".json", ".png"))
    with writing_output("the profile", path):
        write_whole(path, f"{json.dumps(profile, indent=2)}\n".encode())
    print(f"Profile: {path}")
    try:
        from slimgan_pl.profiling.chart import save_picture
    except ImportError as error:
        message = f'there is no picture without {error.name}; install it with pip install "slimgan-pl[report]"'
        warnings.warn(message, SlimGANWarning, stacklevel=2)
        picture.unlink(missing_ok=True)  # of an earlier profile
        return
    with writing_output("the picture", picture):
        save_picture(profile, name, picture)
    print(f"Picture: {picture}")
