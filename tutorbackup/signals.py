"""What signals do while something must not be left half done."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Mapping

Handler = Callable[[int, Any], None]


@contextmanager
def handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    """The handlers of before come back at the end."""
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore(_number: int, _frame: Any) -> None:
    """Unlike SIG_IGN not for the programs that are started meanwhile."""


def leave(number: int, _frame: Any) -> None:
    """Ends the process with all cleaning up, where by default there is none."""
    raise SystemExit(128 + number)


def interrupt(_number: int, _frame: Any) -> None:
    """As Ctrl-C does."""
    raise KeyboardInterrupt
