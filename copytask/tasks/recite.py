"""The recite protocol: the symbol before is fed back, as to a language model."""

from torch import Tensor

from copytask.tasks.sequence import Sequence
from copytask.tasks.task import Batch


class Recite(Sequence):
    """As ``sequence``, but while the payload is recalled, the input is its symbol before::

        tokens    3  1  4  _ ... _  >  _  3  1
        targets                        3  1  4

    So what comes next can be looked up by what came before, which ``sequence`` does not allow.

    Source: Jelassi et al. 2024, "Repeat After Me", arXiv 2402.01032.
    """

    def encode(self, payload: Tensor, T: int) -> Batch:
        """See :meth:`CopyTask.encode`."""
        tokens = super().encode(payload, T).tokens
        if len(payload) > 1:
            tokens[-len(payload) + 1 :] = payload[:-1]
        return Batch(tokens, payload)
