"""The LSTM."""

from torch import nn

from copytask.models.core import RecurrentCore


class LSTM(RecurrentCore, nn.LSTM):  # type: ignore[misc]  # its forward takes tokens too
    """torch.nn.LSTM, one layer, whose forget gates start open.

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997. A forget bias of 1
    follows Gers, Schmidhuber & Cummins, "Learning to Forget", 2000, and Jozefowicz, Zaremba
    & Sutskever, "An Empirical Exploration of Recurrent Network Architectures", 2015.
    """

    cell = "lstm"

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        forget_bias: float = 1.0,
        implementation: str = "auto",
    ):
        super().__init__(input_size, hidden_size)
        self.set_implementation(implementation)
        self.set_gate_bias(1, forget_bias)  # order of the gates: i, f, g, o
