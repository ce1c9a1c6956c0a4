"""What can go wrong with one request, told apart by what to do about it."""

__all__ = ["Malformed", "Overflow", "Refused", "RequestFailure", "Unreachable"]


class RequestFailure(Exception):
    """Base of the failures of one request; never leaves this room."""


class Malformed(RequestFailure):
    """The answer cannot be right: cut short, not a table, of other ids. Asking again may help."""


class Overflow(RequestFailure):
    """The service cut the answer off at a row limit. Asking for less helps."""


class Refused(RequestFailure):
    """The service understood and said no. Asking the same again does not help."""


class Unreachable(RequestFailure):
    """No answer, after the retries that the session makes."""
