"""The network around a core: one-hot tokens -> core -> readout."""

import torch
from torch import Tensor, nn

from copytask.engine import check_tokens, recalled_steps
from copytask.models.core import RecurrentCore
from copytask.tasks import ALPHABET_SIZE, PAYLOAD_SYMBOLS


class CopyModel(nn.Module):
    """A recurrent core between one-hot input tokens and a linear readout of payload symbols.

    Args:
        core: a module with the interface of torch.nn.GRU: it maps (L, B, 12) to outputs of
            shape (L, B, hidden_size) and a state.
        hidden_size: width of the core's output.
    """

    one_hot: Tensor

    def __init__(self, core: nn.Module, hidden_size: int):
        super().__init__()
        self.register_buffer("one_hot", torch.eye(ALPHABET_SIZE), persistent=False)
        self.core = core
        self.readout = nn.Linear(hidden_size, PAYLOAD_SYMBOLS)

    def forward(self, tokens: Tensor, recall: int | None = None) -> Tensor:
        """Score the payload symbols.

        Args:
            tokens: shape (L, B), int64.
            recall: score only the last ``recall`` positions.

        Returns:
            Logits of shape (L or recall, B, 10).
        """
        if isinstance(self.core, RecurrentCore):
            outputs, _ = self.core(tokens, recalled=recall)
        else:
            check_tokens(tokens, ALPHABET_SIZE, self.one_hot)
            outputs, _ = self.core(self.one_hot[tokens.long()])
            outputs = outputs[len(outputs) - recalled_steps(recall, len(outputs)) :]
        logits: Tensor = self.readout(outputs)
        return logits

    def parameter_count(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)
