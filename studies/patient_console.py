"""A console whose reader may go away."""

import os

from rich.console import Console


class PatientConsole(Console):
    """A console that falls silent when nobody reads it any more, as after ``| head``.

    Rich's own console would end the process without a message.
    """

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # what Python flushes when it ends goes there
        os.close(nowhere)
