"""The delay protocol: a short payload, remembered over T steps."""

from copytask.tasks.copying import CopyTask


class Delay(CopyTask):
    """Show ten symbols, then T - 1 blanks; then the delimiter asks for the ten symbols.

    Each symbol is recalled T + 10 steps after it was shown. So T measures how *far* a network
    remembers 10 log2(10) = 33 bits.

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997, in the form of
    Arjovsky, Shah & Bengio, "Unitary Evolution Recurrent Neural Networks", 2016.
    """

    def recalled(self, T: int) -> int:
        return 10

    def gap(self, T: int) -> int:
        return T - 1
