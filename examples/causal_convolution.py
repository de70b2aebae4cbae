r"""An architecture of your own: a causal convolution over the last tokens.

Its keyword ``window`` is a hyperparameter, so a search can fix it or search it::

    python -m search.run --model examples/causal_convolution.py:CausalConvolution --task delay \
        --T 50 --name convolution --set 'space.window={choices: [32, 64, 128]}' \
        --set training.curriculum_length=0 --set search.metric=accuracy
    python -m analysis.compare
"""

import torch
from torch import Tensor, nn

from copytask import SequenceModel


class CausalConvolution(SequenceModel):
    """y_t = W sum_k c_k * e[x_{t-k}] + b, for k = 0..window - 1.

    Each of the D channels of the embedding e has its own coefficients c. So the network sees as
    many tokens as its window has, and no further: to repeat a symbol after a lag, it needs a window
    that is longer than the lag.

    Shapes: L steps, B sequences, D channels, K steps of the window.

    Args:
        symbols: number of different tokens.
        hidden_size: D.
        window: K.
    """

    def __init__(self, symbols: int, *, hidden_size: int = 64, window: int = 32):
        super().__init__()
        if window < 1:
            raise ValueError(f"window must be >= 1, but got {window}")
        self.width, self.window = hidden_size, window
        self.embedding = nn.Embedding(symbols, hidden_size)
        self.convolution = nn.Conv1d(hidden_size, hidden_size, window, groups=hidden_size)
        self.mix = nn.Linear(hidden_size, hidden_size)

    def forward(
        self, tokens: Tensor, state: Tensor | None = None, recalled: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """Run over a sequence or a part of one.

        Args:
            tokens: shape (L, B).
            state: embeddings of the K - 1 tokens before, shape (K - 1, B, D); zeros if None.
            recalled: return only this many outputs, the last ones; None returns all.

        Returns:
            The outputs, shape (L or recalled, B, D), and the state after the last step.
        """
        x = self.embedding(tokens)
        if state is None:
            state = x.new_zeros(self.window - 1, *x.shape[1:])
        seen = torch.cat((state, x))  # (K - 1 + L, B, D)
        outputs = self.mix(self.convolution(seen.permute(1, 2, 0)).permute(2, 0, 1))
        first = 0 if recalled is None else len(tokens) - recalled
        return outputs[first:], seen[len(tokens) :]

    def state_floats(self, steps: int) -> int:
        """The embeddings of the window without its newest token, whatever the length."""
        return (self.window - 1) * self.width
