"""Output of the command, which survives closed terminals and full disks."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from slimgan_pl.errors import SlimGANError, SlimGANWarning
from slimgan_pl.utils.files import reason_of

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "MAX_COLUMNS",
    "LossyOutput",
    "fail",
    "print_whole",
    "printing_at_any_price",
    "show_in_one_line",
    "typed_command",
    "typed_python",
]

MAX_COLUMNS = 200  # of a table


def fail(message: str, status: int) -> NoReturn:
    """Print one sentence and exit."""
    sys.stderr.write(f"slimgan: error: {' '.join(message.split())}\n")  # at once: other processes write there too
    sys.exit(status)


def print_whole(table: "Table") -> None:
    """Print a table with nothing cut off, however narrow the terminal."""
    from rich.console import Console

    console = Console()
    needed = console.measure(table, options=console.options.update_width(MAX_COLUMNS)).maximum
    Console(width=max(console.width, needed)).print(table)


def typed_command() -> str:
    """Return what starts this command again in the user's shell, quoted."""
    script, found = Path(sys.argv[0]), shutil.which("slimgan")
    if script.stem != "slimgan":
        return f"{typed_python()} -m slimgan_pl"
    is_on_path = found is not None and Path(found).resolve().with_suffix("") == script.resolve().with_suffix("")
    return "slimgan" if is_on_path else quote(sys.argv[0])


def typed_python() -> str:
    """Return what starts this Python again in the user's shell, quoted."""
    return quote(sys.orig_argv[0] if Path(sys.argv[0]).name == "__main__.py" else sys.executable)


class LossyOutput:
    """Text stream that drops text that it cannot write, and warns once.

    ``stream`` is None if it was closed before Python started; then everything is dropped.
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream: TextIO = stream or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
        self.error: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write text as far as possible."""
        with self._dropping():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Write buffered text as far as possible."""
        with self._dropping():
            self._stream.flush()

    def check(self) -> None:
        """Raise a SlimGANError if text was dropped."""
        self.flush()
        if self.error is not None:
            raise SlimGANError(
                f"what the command prints could not be written ({reason_of(self.error)}); name another place"
            )

    def finish(self) -> None:
        """Write or drop buffered text, over which Python would fail at exit."""
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
                message = f"what is printed cannot be written ({reason_of(error)}); continuing without it"
                warnings.warn(message, SlimGANWarning, stacklevel=4)


@contextmanager
def printing_at_any_price() -> Iterator[LossyOutput]:
    """Survive broken standard output and error; yield standard output."""
    output: Any = LossyOutput(sys.stdout)
    errors: Any = LossyOutput(sys.stderr)
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            yield output
        finally:
            output.finish()
            errors.finish()


def show_in_one_line(show: Callable[..., None]) -> Callable[..., None]:
    """Wrap ``show`` to print this package's warnings as one sentence."""

    def show_ours(message: Warning | str, category: type[Warning], *where: Any) -> None:
        if issubclass(category, SlimGANWarning):
            print(f"slimgan: warning: {message}", file=sys.stderr)
        else:
            show(message, category, *where)

    return show_ours
