"""The reason why a request takes long, on the line of progress that is shown meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

__all__ = ["Waiting"]


class Waiting:
    """A session's reason to wait, and the line of progress that tells it, if there is one."""

    def __init__(self) -> None:
        self._line: tqdm | None = None
        self._told = False

    @contextmanager
    def shown_on(self, line: tqdm) -> Iterator[tqdm]:
        """Give a line of progress that tells of waiting while it is open, and close it."""
        self._line = line
        try:
            with line:
                yield line
        finally:
            self._line = None

    def tell(self, reason: str) -> None:
        """Show why the session waits."""
        if self._line is not None:
            self._line.set_postfix_str(reason)
            self._told = True

    def is_over(self) -> None:
        """Take away what was shown."""
        if self._line is not None and self._told:
            self._line.set_postfix_str("")
            self._told = False
