"""What makes a study unreadable."""


class ProblemError(Exception):
    """A file of a study breaks the contract; the message names the file."""


def one_line(error: Exception) -> str:
    """The message of an error in one line."""
    return " ".join(str(error).split())
