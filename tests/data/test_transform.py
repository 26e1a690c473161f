"""Images of any mode become the colours that they stand for."""

import colorsys
import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from slimgan_pl.data.transform import Transform, convert_image


def colour_of(image: Image.Image, channels: int = 3) -> list[int]:
    """Return the converted colour of an image that has only one."""
    colour: list[int] = convert_image(image, Transform(2, channels, None))[:, 0, 0].tolist()
    return colour


def flat(mode: str, pixel: tuple[int, ...]) -> Image.Image:
    """Return an image of one value, built from its bytes as a decoder does."""
    return Image.frombytes(mode, (4, 4), bytes(pixel) * 16)


def srgb(lightness: int, a: int, b: int) -> list[float]:
    """CIELAB (D50) to sRGB by the closed forms of the standards; bytes, a and b less 128."""
    fy = (lightness / 255 * 100 + 16) / 116
    steps = np.array([fy + (a - 128) / 500, fy, fy - (b - 128) / 200])
    relative = np.where(steps > 6 / 29, steps**3, 3 * (6 / 29) ** 2 * (steps - 4 / 29))
    xyz = relative * [0.96422, 1, 0.82521]
    to_linear = [  # Bradford's adaptation to D65 included
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    linear = (np.array(to_linear) @ xyz).clip(0, 1)
    encoded = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    result: list[float] = (encoded * 255).tolist()
    return result


@pytest.mark.parametrize("pixel", [(0, 128, 128), (255, 128, 128), (128, 128, 128), (150, 170, 100), (120, 115, 150)])
def test_cielab_becomes_srgb_by_the_closed_form(pixel: tuple[int, ...]) -> None:
    image = Image.merge("LAB", [Image.new("L", (4, 4), value) for value in pixel])
    expected = srgb(*pixel)
    assert colour_of(image) == pytest.approx(expected, abs=2)
    assert colour_of(image, channels=1) == pytest.approx([np.dot(expected, [0.299, 0.587, 0.114])], abs=2)


def on_white(colour: tuple[int, ...], alpha: int) -> list[float]:
    return [value * alpha / 255 + 255 - alpha for value in colour]


HALF = 128  # of an alpha
MODES: dict[str, tuple[Image.Image, list[float]]] = {
    "RGBX": (flat("RGBX", (10, 20, 30, 0)), [10, 20, 30]),
    "HSV": (flat("HSV", (0, 255, 255)), [255, 0, 0]),
    "HSV green": (flat("HSV", (85, 255, 128)), [255 * part for part in colorsys.hsv_to_rgb(1 / 3, 1, 128 / 255)]),
    "YCbCr": (flat("YCbCr", (76, 85, 255)), [254, 0, 0]),
    "YCbCr grey": (flat("YCbCr", (99, 128, 128)), [99, 99, 99]),
    "CMYK": (flat("CMYK", (255, 0, 0, 0)), [0, 255, 255]),
    "CMYK black": (flat("CMYK", (0, 0, 0, 255)), [0, 0, 0]),
    "RGBA": (flat("RGBA", (10, 200, 30, HALF)), on_white((10, 200, 30), HALF)),
    "RGBa": (flat("RGBa", (5, 100, 15, HALF)), on_white((10, 200, 30), HALF)),
    "LA": (flat("LA", (40, HALF)), on_white((40, 40, 40), HALF)),
    "La": (flat("LA", (40, HALF)).convert("La"), on_white((40, 40, 40), HALF)),
    "1": (Image.new("1", (4, 4), 1), [255, 255, 255]),
}


@pytest.mark.parametrize("name", MODES)
def test_modes_become_colour_and_grey_by_their_closed_forms(name: str) -> None:
    image, expected = MODES[name]
    assert colour_of(image) == pytest.approx(expected, abs=1)
    assert colour_of(image, channels=1) == pytest.approx([np.dot(expected, [0.299, 0.587, 0.114])], abs=2)


def test_a_palette_with_alpha_is_put_on_white() -> None:
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.info["transparency"] = bytes([255, HALF])
    assert colour_of(image) == pytest.approx(on_white((10, 200, 30), HALF), abs=1)
    assert colour_of(image.convert("PA")) == pytest.approx(on_white((10, 200, 30), HALF), abs=1)


def png(depth: int, colour: int, rows: bytes, transparent: bytes) -> Image.Image:
    """Return a PNG of 8x8 pixels in equal rows, whose tRNS chunk is given."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    parts = {
        b"IHDR": struct.pack(">IIBBBBB", 8, 8, depth, colour, 0, 0, 0),
        b"tRNS": transparent,
        b"IDAT": zlib.compress((b"\0" + rows) * 8),
        b"IEND": b"",
    }
    return Image.open(io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items())))


def packed(samples: npt.NDArray[np.int64], depth: int) -> bytes:
    """Return samples as the bytes of a PNG row."""
    if depth == 16:
        return samples.astype(">u2").tobytes()
    bits = "".join(f"{sample:0{depth}b}" for sample in samples.tolist())
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_transparent_value_of_a_grey_png_is_white_at_any_depth(depth: int, channels: int) -> None:
    top = 2**depth - 1
    samples = np.array([0, top // 2, top, 0, top // 2, top, 0, 0])
    image = png(depth, 0, packed(samples, depth), struct.pack(">H", top // 2))
    array = convert_image(image, Transform(8, channels, None))
    expected = np.where(samples == top // 2, 255, (samples / top * 255).round())
    assert (array == expected[None, None]).all()


@pytest.mark.parametrize("depth", [8, 16])
def test_the_transparent_colour_of_a_png_is_white_at_any_depth(depth: int) -> None:
    colour = np.array([[10, 20, 30], [40, 50, 60]])
    if depth == 16:
        colour = colour * 256 + 3  # Pillow reads the upper byte
    image = png(depth, 2, packed(np.tile(colour.flatten(), 4), depth), struct.pack(">HHH", *colour[1]))
    array = convert_image(image, Transform(8, 3, None))
    assert array[:, 0, 0].tolist() == [10, 20, 30]
    assert array[:, 0, 1].tolist() == [255, 255, 255]
