"""The multiplicative LSTM (not the matrix-memory mLSTM of xLSTM)."""

from copytask.models.multiplicative import MultiplicativeCell


class MultiplicativeLSTM(MultiplicativeCell):
    """An LSTM in which m_t = (W_mx x_t) * (W_mh h_{t-1}) replaces h_{t-1} in all four gates.

    With m = h it is torch.nn.LSTM.

    Source: Krause, Lu, Murray & Renals, "Multiplicative LSTM for sequence modelling", 2016,
    arXiv 1609.07959.
    """

    cell = "lstm"
