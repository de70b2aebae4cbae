"""The sequence protocol: a payload of T symbols after a short gap."""

from copytask.tasks.copying import CopyTask


class Sequence(CopyTask):
    """Show T symbols, then ten blanks; then the delimiter asks for all T symbols.

    T measures how *much* a network remembers: T log2(10) bits, 3322 at T = 1000. This is the
    protocol of the study that this project starts from.
    """

    def recalled(self, T: int) -> int:
        return T

    def gap(self, T: int) -> int:
        return 10
