"""The reverse protocol: the payload is asked for from its end."""

from torch import Tensor

from copytask.tasks.sequence import Sequence
from copytask.tasks.task import Batch


class Reverse(Sequence):
    """As ``sequence``, but the last symbol is recalled first::

        tokens    3  1  4  _ ... _  >  _  _  _
        targets                        4  1  3

    The lag is 12 for the last symbol and 2 T + 10 for the first: a stack does it, a fixed lag does
    not.

    Source: Zaremba & Sutskever, "Learning to Execute", 2014; Joulin & Mikolov 2015, arXiv
    1503.01007.
    """

    def encode(self, payload: Tensor, T: int) -> Batch:
        """See :meth:`CopyTask.encode`."""
        return Batch(super().encode(payload, T).tokens, payload.flip(0))
