"""The reason that a reader or writer of files gives for its failure, fit for one line."""

__all__ = ["reason_of"]


def reason_of(error: Exception) -> str:
    """Return the first line of what a reader or writer says, which may cite any bytes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines[0] if lines else type(error).__name__).removesuffix(".")
    return "".join(letter if letter.isprintable() else "?" for letter in reason)
