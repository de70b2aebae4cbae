"""The error that ends a command with one line instead of a traceback."""


class InputError(Exception):
    """What was asked for cannot be read or written; the message is for the user."""
