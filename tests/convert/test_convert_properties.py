"""Properties of the authors' files of any schedule."""

import pytest
import torch
from authors import Net, discriminator_file, generate, generator_file
from hypothesis import given
from hypothesis import strategies as st
from sharing import bounded

from slimgan_pl.convert import Sharing, make_discriminators, make_generator
from slimgan_pl.convert.files import refusing
from slimgan_pl.errors import SlimGANError

examples = bounded(25)
multiples = st.lists(st.integers(1, 3), min_size=2, max_size=4)
widths = st.sampled_from([(1.0,), (0.5, 1.0), (0.25, 0.5, 0.75, 1.0)])


@torch.no_grad()
@examples
@given(st.booleans(), multiples, st.integers(1, 3), widths, st.sampled_from([0, 3]))
def test_a_generator_of_any_schedule_generates_as_in_the_authors_code(
    residual: bool, schedule: list[int], bottom_size: int, shares: tuple[float, ...], classes: int
) -> None:
    net = Net(residual, [4 * entry for entry in schedule], bottom_size, (4,), num_classes=classes if residual else 0)
    tensors = generator_file(net, shares)
    generator = make_generator(tensors).eval()
    assert generator.channels == tuple(net.channels)
    assert generator.widths == shares
    latents, labels = torch.randn(2, 128), torch.tensor([0, 2]) if net.num_classes else None
    for number, width in enumerate(shares):
        expected = generate(tensors, net, latents, labels, width, number)
        torch.testing.assert_close(generator(latents, labels, width=width), expected, atol=1e-4, rtol=0)


@examples
@given(multiples, st.integers(1, 3), st.integers(1, 4), st.integers(0, 3))
def test_discriminators_of_any_schedule_are_recognised(
    schedule: list[int], bottom_size: int, copies: int, num_shared: int
) -> None:
    net = Net(False, (4, 4), bottom_size, [4 * entry for entry in schedule])
    bank = make_discriminators(discriminator_file(net, copies), 8, Sharing(num_shared))
    assert list(bank.arguments["channels"]) == list(net.bank_channels)
    assert bank.num_branches == copies
    assert bank.num_shared == (num_shared if copies > 1 else 0)


@examples
@given(st.data(), st.booleans())
def test_a_file_that_lacks_a_tensor_or_has_an_odd_one_is_refused(data: st.DataObject, residual: bool) -> None:
    tensors = generator_file(Net(residual, (8, 8), 2, (4,)), (0.5, 1.0))
    name = data.draw(st.sampled_from([name for name in tensors if not name.endswith("num_batches_tracked")]))
    value = tensors.pop(name)
    if data.draw(st.booleans()):
        tensors[name] = value[..., None]
    with pytest.raises(SlimGANError, match="expected is a file of the SlimGAN authors' code"), refusing("net", "G.pth"):
        make_generator(tensors)
