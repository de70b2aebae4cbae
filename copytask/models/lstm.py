"""The LSTM."""

from torch import nn

from copytask.models.gates import set_gate_bias


class LSTM(nn.LSTM):
    """torch.nn.LSTM, one layer, whose forget gates start open.

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997. A forget bias of 1
    follows Gers, Schmidhuber & Cummins, "Learning to Forget", 2000, and Jozefowicz, Zaremba
    & Sutskever, "An Empirical Exploration of Recurrent Network Architectures", 2015.
    """

    def __init__(self, input_size: int, hidden_size: int, forget_bias: float = 1.0):
        super().__init__(input_size, hidden_size)
        set_gate_bias(self, 1, forget_bias)  # order of the gates: i, f, g, o
