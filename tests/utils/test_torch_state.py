"""States that PyTorch is put into end where they began."""

from collections.abc import Iterator

import pytest
import torch

from slimgan_pl.utils.torch_state import exact_float32, num_threads, tensor_float32


def error_of_a_matmul() -> float:
    first, second = torch.randn(2, 300, 300, generator=torch.Generator().manual_seed(0))
    return float((first @ second - (first.double() @ second.double()).float()).abs().max())


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    yield
    torch.set_float32_matmul_precision("highest")


@pytest.mark.parametrize("precision", ["highest", "high", "medium"])
def test_matmuls_are_exact_inside_and_as_before_outside(precision: str) -> None:
    torch.set_float32_matmul_precision(precision)
    before = error_of_a_matmul()
    with exact_float32(torch.device("cpu")):
        assert error_of_a_matmul() < 1e-3
    assert torch.get_float32_matmul_precision() == precision
    assert error_of_a_matmul() == before


def test_a_precision_that_was_set_for_one_backend_is_kept() -> None:
    matmul = torch.backends.cuda.matmul
    if not hasattr(matmul, "fp32_precision"):
        pytest.skip("this PyTorch has one precision for all")
    matmul.fp32_precision = "tf32"
    with exact_float32(torch.device("cpu")):
        assert matmul.fp32_precision == "ieee"
    assert matmul.fp32_precision == "tf32"


@pytest.mark.parametrize("allowed", [True, False, None])
def test_tf32_is_as_asked_inside_and_as_before_outside(allowed: bool | None) -> None:
    def state() -> tuple[bool, bool, str]:
        matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
        return matmul, cudnn, torch.get_float32_matmul_precision()

    before = state()
    with tensor_float32(allowed):
        inside = state()
    assert inside == (before if allowed is None else (allowed, allowed, "high" if allowed else "highest"))
    assert state() == before


@pytest.mark.parametrize("count", [2, None])
def test_threads_are_as_asked_inside_and_as_before_outside(count: int | None) -> None:
    with num_threads(count):
        assert torch.get_num_threads() == (count or 1)
    assert torch.get_num_threads() == 1
