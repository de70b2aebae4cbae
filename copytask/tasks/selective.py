"""The selective protocol: ten symbols among T blanks, at random places."""

import torch

from copytask.tasks.copying import BLANK, DELIMITER, PAYLOAD_SYMBOLS
from copytask.tasks.task import Batch, Task


class Selective(Task):
    """Ten symbols are scattered among T blanks; then the delimiter asks for them in order.

    With three symbols and T = 4::

        tokens    _  3  _  _  1  4  _  >  _  _  _
        targets                           3  1  4

    The places are new in every sequence, so no fixed lag will do: a network must let blanks pass.

    Source: selective copying of Jing et al. 2019 and Gu & Dao 2023, arXiv 2312.00752.
    """

    symbols = PAYLOAD_SYMBOLS + 2
    outputs = PAYLOAD_SYMBOLS

    def length(self, T: int) -> int:
        """See :meth:`Task.length`."""
        return T + 2 * self.recalled(T) + 1

    def recalled(self, T: int) -> int:
        """See :meth:`Task.recalled`."""
        return 10

    def draw(self, generator: torch.Generator, batch_size: int, T: int) -> Batch:
        """See :meth:`Task.draw`."""
        S = self.recalled(T)
        payload = torch.randint(PAYLOAD_SYMBOLS, (S, batch_size), generator=generator)
        order = torch.rand(T + S, batch_size, generator=generator)
        places = order.argsort(0)[:S].sort(0).values
        tokens = payload.new_full((self.length(T), batch_size), BLANK)
        tokens.scatter_(0, places, payload)
        tokens[T + S] = DELIMITER
        return Batch(tokens, payload)
