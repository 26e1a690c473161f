"""All formats that Pillow decodes are read; what is left out of a folder is named."""

import sys
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slimgan_pl.data import list_images
from slimgan_pl.data.broken_images import BrokenImageError
from slimgan_pl.data.image_files import (
    describe_left_out,
    image_formats,
    list_folder,
    open_image,
    opened_formats,
    warn_left_out,
)
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError, SlimGANWarning

LOSSLESS = ["apng", "bmp", "dds", "dib", "gif", "im", "j2k", "jp2", "pcx", "png", "pnm", "ppm", "qoi", "rgb", "sgi"]
LOSSLESS += ["tga", "tif", "tiff"]
LOSSY = ["avif", "jfif", "jpe", "jpeg", "jpg", "mpo", "webp"]


def gradient() -> Image.Image:
    across = np.linspace(0, 255, 16).astype(np.uint8)[None].repeat(16, 0)
    return Image.fromarray(np.stack([across, across.T, across], 2))


@pytest.mark.parametrize("suffix", [*LOSSLESS, *LOSSY])
def test_what_pillow_writes_is_found_and_read_as_it_is(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"IMAGE.{suffix.upper()}"
    try:
        gradient().save(path)
    except (KeyError, OSError):  # a build of Pillow without it
        pytest.skip(f"this Pillow cannot write {suffix}")
    assert list_images(tmp_path) == [path]
    with open_image(path) as image:
        pixels = convert_image(image, Transform(16, 3, None)).astype(int)
    expected = np.asarray(gradient()).transpose(2, 0, 1).astype(int)
    assert np.abs(pixels - expected).max() <= (30 if suffix in LOSSY or suffix == "gif" else 0)


def test_formats_that_pillow_only_identifies_are_left_out() -> None:
    assert not image_formats().keys() & {".eps", ".ps", ".pdf", ".mpg", ".wmf", ".emf", ".h5", ".hdf", ".grib", ".bufr"}
    assert "EPS" not in opened_formats()  # whatever the suffix: another program would run


@pytest.fixture
def _fresh_formats() -> Iterator[None]:
    yield
    for function in (image_formats, opened_formats):
        function.cache_clear()


@pytest.mark.usefixtures("_fresh_formats")
def test_a_plugin_is_registered_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = types.ModuleType("pillow_heif")

    def register() -> None:
        Image.register_open("HEIF", Image.OPEN["PNG"][0])
        Image.register_extension("HEIF", ".heic")

    plugin.register_heif_opener = register  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pillow_heif", plugin)
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    for table in ("OPEN", "EXTENSION"):
        monkeypatch.setattr(Image, table, dict(getattr(Image, table)))
    for function in (image_formats, opened_formats):
        function.cache_clear()
    assert ".heic" in image_formats()
    assert "HEIF" in opened_formats()


def test_what_is_left_out_is_counted_by_suffix_in_one_warning(tmp_path: Path) -> None:
    for name in ("a.HEIC", "deep/b.heic", "c.jxl", "readme.txt", "LICENSE", ".hidden.txt", ".cache/x.txt", "x.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    known = image_formats().keys()  # a plugin may be installed here
    expected = Counter(
        {suffix: n for suffix, n in {".heic": 2, ".jxl": 1, ".txt": 1, "": 1}.items() if suffix not in known}
    )
    others = list_folder(tmp_path).others
    assert others == expected
    with pytest.warns(SlimGANWarning, match="what is not read as an image: .*1 without suffix, .*1 .txt") as caught:
        warn_left_out(tmp_path, others)
    assert len(caught) == 1


def test_many_kinds_are_shortened_and_a_plugin_is_named() -> None:
    told = describe_left_out(Counter({".heic": 9} | {f".{letter}": 1 for letter in "abcdefgh"}))
    assert (
        told
        == '9 .heic, 1 .a, 1 .b, 1 .c, 1 .d, 1 .e, 3 more (pip install "slimgan-pl[images]" reads HEIF and JPEG XL)'
    )


def test_a_folder_without_images_says_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "a.svg").touch()
    with pytest.raises(SlimGANError, match=r"no images in .*, only 1 \.svg; put some there"):
        list_images(tmp_path)


@pytest.mark.parametrize("suffix", ["gif", "png", "tif", "webp"])
def test_the_first_image_of_an_animation_or_a_stack_is_read(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("L", (4, 4), shade) for shade in (50, 100, 150)]
    path = tmp_path / f"frames.{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], quality=100)
    with open_image(path) as image:
        assert convert_image(image, Transform(4, 1, None)) == pytest.approx(50, abs=2)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no image that Pillow can read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n", "no image that Pillow can read"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_no_image_says_why(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "x.png").write_bytes(content)
    with (
        pytest.raises(BrokenImageError, match=rf"x\.png cannot be used \(.*{words}.*\); repair or delete it"),
        open_image(tmp_path / "x.png"),
    ):
        pass


def test_a_failing_disk_is_no_broken_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Image, "open", fail)
    with pytest.raises(SlimGANError, match="Input/output error") as error, open_image(tmp_path / "x.png"):
        pass
    assert not isinstance(error.value, BrokenImageError)
