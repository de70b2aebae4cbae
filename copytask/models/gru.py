"""The GRU."""

from torch import nn

from copytask.models.core import RecurrentCore


class GRU(RecurrentCore, nn.GRU):  # type: ignore[misc]  # its forward takes tokens too
    """torch.nn.GRU, one layer, whose update gates start at keeping the state.

    In torch's form, h_t = (1 - z) n + z h_{t-1}, the update gate z does what the forget gate
    does in an LSTM, so ``forget_bias`` is its bias.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """

    cell = "gru"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        implementation: str = "auto",
    ):
        super().__init__(input_size, hidden_size)
        self.set_implementation(implementation)
        self.set_gate_bias(1, forget_bias)  # order of the gates: r, z, n
