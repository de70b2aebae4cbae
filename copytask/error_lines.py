"""An exception in one line, for messages, logs and records."""


def error_line(error: BaseException) -> str:
    """Type and message of an exception, ``KeyError: 'x'``; only its type if it has no message."""
    message = first_line(str(error))
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def message_line(error: BaseException) -> str:
    """The message of an exception without its type; its type if it has no message."""
    return first_line(str(error)) or type(error).__name__


def reason_line(error: BaseException) -> str:
    """Why a call of the system or of a store failed: the message, for an OSError without its number
    and its file, which those who print it name."""
    return first_line(str(getattr(error, "strerror", None) or "")) or message_line(error)


def first_line(text: str) -> str:
    """The first line of a text that is not blank; empty if there is none."""
    return next(iter(text.strip().splitlines()), "").rstrip()
