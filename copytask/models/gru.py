"""The GRU."""

from torch import nn

from copytask.models.core import PlainCore


class GRU(PlainCore, nn.GRU):  # type: ignore[misc]  # its forward takes tokens too
    """torch.nn.GRU, one layer, whose update gates start at keeping the state.

    In torch's form, h_t = (1 - z) n + z h_{t-1}, the update gate z does what the forget gate
    does in an LSTM, so ``forget_bias`` is its bias.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """

    cell = "gru"
