"""The GRU."""

from torch import nn

from copytask.models.recurrent import TorchCell


class GRU(TorchCell, nn.GRU):  # type: ignore[misc]  # its forward takes tokens too
    """torch.nn.GRU with one layer, whose update gates start by keeping the state.

    In torch's form, h_t = (1 - z) n + z h_{t-1}, the update gate z does what the forget gate does
    in an LSTM. So ``forget_bias`` is its bias.

    Source: Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder", 2014.
    """

    cell = "gru"
