"""Files of random damage: a sentence or a result, and never anything else."""

import io
import math
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, run
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sharing import bounded

from slimgan_pl.data.image_folder import open_image
from slimgan_pl.data.transform import Transform, convert_image
from slimgan_pl.errors import SlimGANError
from slimgan_pl.runs.checkpoints import load_model, read_checkpoint
from slimgan_pl.training.slimgan import SlimGAN


@st.composite
def damage(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """Return what flips, cuts, or repeats bytes at places given as shares of the whole."""
    kind = draw(st.sampled_from(["flip", "cut", "repeat", "insert"]))
    places = draw(st.lists(st.floats(0, 1, exclude_max=True), min_size=2, max_size=6))
    noise = draw(st.binary(min_size=1, max_size=32))

    def apply(content: bytes) -> bytes:
        first, second = sorted(int(place * len(content)) for place in places[:2])
        if kind == "cut":
            return content[:first] + content[second:]
        if kind == "repeat":
            return content[:second] + content[first:]
        if kind == "insert":
            return content[:first] + noise + content[first:]
        changed = bytearray(content)
        for place in places:
            changed[int(place * len(content))] ^= noise[0] or 1
        return bytes(changed)

    return apply


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec="ascii"), max_size=8),
    st.sampled_from(
        ["[]", "{}", "[1, 2]", "{a: 1}", "*x", "&x [*x]", "!!python/name:os.system", "'", "-", "? ", "<<: 1"]
    ),
)


@st.composite
def configs(draw: st.DrawFn) -> bytes:
    """Return the tiny configuration after a few changes of lines, values or bytes."""
    lines = TINY.strip().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        number = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "repeat", "value", "swap"]))
        if change == "drop" and len(lines) > 1:
            del lines[number]
        elif change == "repeat":
            lines.insert(number, lines[number])
        elif change == "swap":
            lines[number], lines[0] = lines[0], lines[number]
        else:
            lines[number] = f"{lines[number].partition(':')[0]}: {draw(VALUES)}"
    content = "\n".join(lines).encode()
    return draw(damage())(content) if draw(st.booleans()) else content


@bounded(60)
@given(configs())
def test_a_damaged_configuration_is_read_or_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.yaml"
    path.write_bytes(content)
    said = io.StringIO()
    with redirect_stderr(said), redirect_stdout(io.StringIO()), pytest.raises(SystemExit) as exit_info:
        run("fit", "--config", path, "--print_config")
    assert exit_info.value.code in (0, 1, 2)
    errors = [line for line in said.getvalue().splitlines() if line.startswith("slimgan: error:")]
    assert len(errors) == (exit_info.value.code != 0)


@pytest.fixture
def whole(tmp_path: Path, make_model: Callable[..., SlimGAN]) -> bytes:
    """Return the bytes of a checkpoint of a tiny net."""
    model = make_model()
    content: dict[str, Any] = {"state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams)}
    rest = {"loops": {}, "callbacks": {}, "optimizer_states": [], "pytorch-lightning_version": "2.6.0"}
    torch.save({**content, **rest, "global_step": 3}, tmp_path / "whole.ckpt")
    load_model(tmp_path / "whole.ckpt")
    return (tmp_path / "whole.ckpt").read_bytes()


@bounded(100)
@given(damage())
def test_a_damaged_checkpoint_is_refused_or_read_as_it_was(
    tmp_path: Path, whole: bytes, change: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "damaged.ckpt"
    path.write_bytes(change(whole))
    try:
        read = load_model(path).state_dict()
    except SlimGANError:
        return
    weights = read_checkpoint(tmp_path / "whole.ckpt")["state_dict"]
    assert all(torch.equal(value, weights[name]) for name, value in read.items())


def encoded(kind: str) -> bytes:
    image = Image.linear_gradient("L").resize((24, 20)).convert("P" if kind == "GIF" else "RGB")
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
@bounded(100)
@given(change=damage())
def test_a_damaged_image_is_read_or_refused(tmp_path: Path, kind: str, change: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "damaged.png"
    path.write_bytes(change(encoded(kind)))
    try:
        with open_image(path) as image:
            pixels = convert_image(image, Transform(8, 3, None))
    except SlimGANError:
        return
    assert pixels.shape == (3, 8, 8)
    assert math.isfinite(pixels.sum())
