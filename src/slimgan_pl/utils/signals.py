"""Signals of Ctrl-C, schedulers and closed terminals that end a run."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

__all__ = ["Handler", "Interrupted", "interrupt", "interrupting", "on_signals"]

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

Handler = Callable[[int, FrameType | None], None]


class Interrupted(BaseException):
    """A signal ended the run; the message says what was saved.

    Like KeyboardInterrupt it is no Exception, so nothing takes it for a failure that it could recover from.
    """

    def __init__(self, signum: int, message: str | None = None) -> None:
        super().__init__(message or f"stopped by {signal.Signals(signum).name}")
        self.signum = signum

    @property
    def status(self) -> int:
        """Exit status by convention: SIGHUP 129, SIGINT 130, SIGTERM 143."""
        return 128 + self.signum


def interrupt(signum: int, frame: FrameType | None = None) -> NoReturn:
    """Raise Interrupted, where nothing has to be finished first."""
    raise Interrupted(signum)


def on_signals(handler: Handler) -> None:
    """Handle the signals that this process was not started to ignore.

    ``nohup`` starts such processes. Python allows it in the main thread alone.
    """
    if threading.current_thread() is threading.main_thread():
        for signum in SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                signal.signal(signum, handler)


@contextmanager
def interrupting() -> Iterator[None]:
    """Raise Interrupted on these signals, and leave the handlers as they were."""
    before = {signum: signal.getsignal(signum) for signum in SIGNALS}
    on_signals(interrupt)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for signum, handler in before.items():
                signal.signal(signum, handler)
