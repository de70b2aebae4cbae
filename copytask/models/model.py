"""The whole network: one-hot tokens -> cell -> readout."""

import torch
from torch import Tensor, nn

from copytask.engine import check_tokens, recalled_steps
from copytask.models.recurrent import RecurrentCell
from copytask.tasks import ALPHABET_SIZE, PAYLOAD_SYMBOLS


class CopyModel(nn.Module):
    """A cell between one-hot input tokens and a linear readout of payload symbols.

    Shapes: L tokens in a sequence, B sequences in a batch.

    Args:
        core: the cell, a module with the interface of torch.nn.GRU: it maps inputs of shape
            (L, B, 12) to outputs of shape (L, B, hidden_size) and a state.
        hidden_size: width of the cell's outputs.

    Attributes:
        core: the cell; checkpoints name its parameters ``core.*``.
        readout: the linear layer from the cell's outputs to 10 logits.
    """

    one_hot: Tensor

    def __init__(self, core: nn.Module, hidden_size: int):
        super().__init__()
        self.register_buffer("one_hot", torch.eye(ALPHABET_SIZE), persistent=False)
        self.core = core
        self.readout = nn.Linear(hidden_size, PAYLOAD_SYMBOLS)

    def forward(self, tokens: Tensor, recalled: int | None = None) -> Tensor:
        """Score the payload symbols at each position.

        Args:
            tokens: shape (L, B), int64 in 0..11.
            recalled: score only this many positions, the last ones; None scores all.

        Returns:
            Logits, shape (L or recalled, B, 10).

        Raises:
            ValueError: tokens and weights are on different devices, or ``recalled`` is negative.
            IndexError: a token is not in 0..11.
        """
        if isinstance(self.core, RecurrentCell):
            outputs, _ = self.core(tokens, recalled=recalled)
        else:
            check_tokens(tokens, ALPHABET_SIZE, self.one_hot)
            outputs, _ = self.core(self.one_hot[tokens.long()])
            outputs = outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :]
        logits: Tensor = self.readout(outputs)
        return logits

    def parameter_count(self) -> int:
        """Number of trainable parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)
