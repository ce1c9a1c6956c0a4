"""Failures of one request, told apart by what to do about them."""

__all__ = [
    "Failed",
    "JobError",
    "Malformed",
    "Overflow",
    "Refused",
    "RequestFailure",
    "Unreachable",
]


class RequestFailure(Exception):
    """Base of the failures of one request; never leaves this room."""

    advice: str
    """Advice to the user, who can do something about it."""


class Malformed(RequestFailure):
    """The answer cannot be right: cut short, not a table, of other ids. Asking again may help."""

    advice = "Asking again did not help. Try later, or with a smaller `chunk_size`."


class Overflow(RequestFailure):
    """The service cut the answer off at a row limit. Asking for less helps."""

    advice = "Ask another service, since this one does not give all rows of even one id."


class Refused(RequestFailure):
    """The service understood and said no. Asking the same again does not help."""

    advice = "Asking again will not help: check the service's tables and your access to them."


class Failed(RequestFailure):
    """The service tried and did not manage: a server error, no end in time. Less may help."""

    advice = "Try later, with a smaller `chunk_size`, or raise `timeout` or `job_timeout`."


class JobError(Failed):
    """A job ended in error, for a reason that passes or one that does not."""


class Unreachable(RequestFailure):
    """No service there, or too busy, after the retries that the session makes."""

    advice = "Check the network, try later, or raise `max_retries`."
