"""Files as users have them, good and bad, written into the working directory."""

import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from authors import NETS, discriminator_file, generator_file, reduced
from lightning.pytorch import Callback
from PIL import Image, ImageDraw

from slimgan_pl.data import DigitsDataModule

__all__ = [
    "FailingData",
    "FailingExtractor",
    "FailingProgress",
    "Prepare",
    "UnbuiltExtractor",
    "authors_files",
    "bomb",
    "changed",
    "checkpoint",
    "config",
    "cut",
    "flipped",
    "foreign_zip",
    "frames",
    "images",
    "link",
    "odd_one",
    "picture",
    "raw",
    "results",
    "several",
    "text",
    "transparent_palette",
    "without",
]

Prepare = Callable[[], object]


def several(*steps: Prepare) -> Prepare:
    """Return what takes several steps."""
    return lambda: [step() for step in steps]


def text(name: str, content: str) -> Prepare:
    """Return what writes a text file."""
    return raw(name, content.encode())


def raw(name: str, content: bytes) -> Prepare:
    """Return what writes bytes, into a folder of its own if the name says so."""

    def write() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(content)

    return write


def config(content: str) -> Prepare:
    """Return what writes ``bad.yaml``."""
    return text("bad.yaml", content)


# Checkpoints


def cut(name: str, share: float) -> Prepare:
    """Return what cuts a file off."""

    def write() -> None:
        content = Path(name).read_bytes()
        Path(name).write_bytes(content[: int(len(content) * share)])

    return write


def flipped(name: str, place: float) -> Prepare:
    """Return what changes 64 bytes of a file."""

    def write() -> None:
        content = bytearray(Path(name).read_bytes())
        start = int(len(content) * place)
        content[start : start + 64] = bytes(255 - byte for byte in content[start : start + 64])
        Path(name).write_bytes(content)

    return write


def checkpoint(content: object) -> Prepare:
    """Return what writes ``bad.ckpt`` with some content."""
    return lambda: torch.save(content, "bad.ckpt")


def without(*keys: str) -> Prepare:
    """Return what writes ``bad.ckpt``, which lacks entries of the good checkpoint."""
    return changed(lambda content: [content.pop(key) for key in keys])


def changed(change: Callable[[dict[str, Any]], object]) -> Prepare:
    """Return what writes ``bad.ckpt``, the good checkpoint after a change."""

    def write() -> None:
        content = torch.load("last.ckpt", weights_only=True)
        change(content)
        torch.save(content, "bad.ckpt")

    return write


def foreign_zip() -> None:
    """Write ``bad.ckpt``, an archive of something else."""
    with zipfile.ZipFile("bad.ckpt", "w") as archive:
        archive.writestr("letter.txt", "Dear reader")


# Images


def images(count: int = 12, folder: str = "images", size: int = 16) -> Prepare:
    """Return what fills a folder with images."""

    def write() -> None:
        Path(folder).mkdir(parents=True)
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 256, (size, size), dtype=np.uint8)
            Image.fromarray(pixels).save(Path(folder) / f"{number:02}.png")

    return write


def picture(name: str, image: Image.Image, **settings: Any) -> Prepare:
    """Return what puts one more image among good ones."""

    def write() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        image.save(name, **settings)

    return several(images(), write)


def odd_one(name: str, content: bytes) -> Prepare:
    """Return what puts one more file of any bytes among good images."""
    return several(images(), raw(f"images/{name}", content))


def frames(mode: str = "RGB") -> dict[str, Any]:
    """Return Pillow's settings for an animation."""
    return {"save_all": True, "append_images": [Image.new(mode, (16, 16), shade) for shade in (80, 160)]}


def bomb(side: int) -> bytes:
    """Return a small PNG that says it has so many pixels a side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def transparent_palette() -> Image.Image:
    image = Image.new("P", (16, 16))
    image.putpalette([value for shade in range(256) for value in (shade, 0, 0)])
    ImageDraw.Draw(image).rectangle((4, 4, 12, 12), fill=200)
    image.info["transparency"] = 0
    return image


# Results


def results(folder: str, content: Any = None, **more: Any) -> Prepare:
    """Return what writes a run with results, or with something else in their file."""
    good = {
        "extractor": {"name": "inception", "weights_sha256": "0"},
        "iteration": 500,
        "individual": None,
        "protocol": {"data": "x", "num_real": 9, "num_fake": 9, "num_score": 9, "splits": 1},
        "widths": [{"width": 0.5, "fid": 4.0}, {"width": 1.0, "fid": 2.5}],
        "training": {"iterations": 500, "device_seconds": 3600.0, "macs": 2_000_000},
    }
    return text(f"{folder}/results.json", json.dumps({**good, **more} if content is None else content))


# Classes that a user writes


class UnbuiltExtractor(torch.nn.Module):
    """Extractor whose constructor fails."""

    def __init__(self) -> None:
        raise RuntimeError("there is no GPU")


class FailingExtractor(torch.nn.Module):
    """Extractor that fails on images."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.view(3, 7)


class FailingData(DigitsDataModule):
    """Data module whose constructor fails."""

    def __init__(self, batch_size: int = 8) -> None:
        raise KeyError("width")


class FailingProgress(Callback):
    """Callback whose constructor fails."""

    def __init__(self) -> None:
        raise OSError("no display")


# Files of the authors' code


def authors_files() -> None:
    """Write ``G.pth`` and ``D.pth``."""
    net = reduced(NETS["dcgan32"])
    torch.save({"model_state_dict": generator_file(net), "global_step": 5}, "G.pth")
    torch.save({"model_state_dict": discriminator_file(net), "global_step": 5}, "D.pth")


def link(name: str, target: str) -> Prepare:
    """Return what makes a link."""

    def write() -> None:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        os.symlink(target, name)

    return write
