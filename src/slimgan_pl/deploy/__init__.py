"""What a trained generator becomes where it is only drawn from, in pure PyTorch.

``Runtime`` draws from exported files without PyTorch; it is the package ``slimgan-runtime``, imported when it is asked
for.
"""

from typing import TYPE_CHECKING, Any

from slimgan_pl.deploy.folding import folded_slice
from slimgan_pl.errors import UserError
from slimgan_pl.models.folded import FoldedDCGANGenerator, FoldedGenerator, FoldedResNetGenerator

if TYPE_CHECKING:
    from slimgan_runtime import Runtime as Runtime

# Runtime is not among them: taking all names must not need ONNX Runtime.
__all__ = ["FoldedDCGANGenerator", "FoldedGenerator", "FoldedResNetGenerator", "folded_slice"]


def __getattr__(name: str) -> Any:
    if name != "Runtime":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        from slimgan_runtime import Runtime
    except ModuleNotFoundError as error:
        raise UserError(
            f"Runtime needs {error.name}; install it from the repository's root: pip install ./runtime"
        ) from error
    return Runtime
