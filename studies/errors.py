"""The error that ends a command with one line instead of a traceback."""


class InputError(Exception):
    """What the user named cannot be read or written; the message says what, and what to do."""
