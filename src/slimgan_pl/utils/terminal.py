"""What the command prints: a terminal that is gone or a full disk behind a log does not end a run."""

import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.utils.files import reason_of

__all__ = ["LossyOutput", "print_whole", "printing_at_any_price", "show_in_one_line"]

MAX_COLUMNS = 200  # of a table


def print_whole(table: Table) -> None:
    """Print a table with nothing cut off, however narrow the terminal."""
    console = Console()
    needed = console.measure(table, options=console.options.update_width(MAX_COLUMNS)).maximum
    Console(width=max(console.width, needed)).print(table)


class LossyOutput:
    """A text stream that drops what it cannot write, and warns the first time.

    Args:
        stream: Where it writes; None, which is Python's for a stream that was closed before the start, is nowhere.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream: TextIO = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text as far as it can be."""
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write what waits as far as it can be."""
        with self._dropping():
            self._stream.flush()

    def check(self) -> None:
        """Raise a SlimGANError if something was dropped."""
        self.flush()
        if self.error is not None:
            raise SlimGANError(
                f"what the command prints could not be written ({reason_of(self.error)}); name another place"
            )

    def finish(self) -> None:
        """Write what waits; what cannot be written goes nowhere, for Python would fail over it at its own end."""
        self.flush()
        if self.error is not None:
            with suppress(OSError):  # a stream without a file
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)

    @contextmanager
    def _dropping(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if self.error is None:
                self.error = error  # before the warning, which may be written here
                message = f"what is printed cannot be written ({reason_of(error)}); going on without it"
                warnings.warn(message, SlimGANWarning, stacklevel=4)


@contextmanager
def printing_at_any_price() -> Iterator[LossyOutput]:
    """Go on where standard output or standard error cannot be written; give the former."""
    output, errors = LossyOutput(sys.stdout), LossyOutput(sys.stderr)
    stdout: Any = output
    stderr: Any = errors
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            yield output
        finally:
            output.finish()
            errors.finish()


def show_in_one_line(show: Callable[..., None]) -> Callable[..., None]:
    """Return what prints this package's warnings as one sentence, and others as ``show`` does."""

    def show_ours(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if issubclass(category, SlimGANWarning):
            print(f"slimgan: warning: {message}", file=sys.stderr)
        else:
            show(message, category, *where)

    return show_ours
