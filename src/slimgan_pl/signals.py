"""Signals that ask a run to end: Ctrl-C, and what schedulers send before they take a machine away."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["Handler", "Interrupted", "interrupt", "interrupting", "on_signals"]

SIGNALS = (signal.SIGINT, signal.SIGTERM)

Handler = Callable[[int, FrameType | None], None]


class Interrupted(BaseException):
    """A signal ended the run; the message says what was saved.

    Like KeyboardInterrupt it is no Exception, so nothing takes it for a failure that it could go on from.
    """

    def __init__(self, signum: int, message: str | None = None) -> None:
        super().__init__(message or f"stopped by {signal.Signals(signum).name}")
        self.signum = signum

    @property
    def status(self) -> int:
        """The status that a shell gives a program that a signal ended: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.signum


def interrupt(signum: int, frame: FrameType | None = None) -> NoReturn:
    """Raise Interrupted: what a signal does while nothing has to be finished first."""
    raise Interrupted(signum)


def on_signals(handler: Handler) -> None:
    """Have SIGINT and SIGTERM handled; Python allows it in the main thread alone."""
    if threading.current_thread() is threading.main_thread():
        for signum in SIGNALS:
            signal.signal(signum, handler)


@contextmanager
def interrupting() -> Iterator[None]:
    """Raise Interrupted on SIGINT and SIGTERM, and leave the handlers as they were."""
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    on_signals(interrupt)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, handler in before.items():
                signal.signal(signum, handler)
