"""The LSTM."""

from torch import nn

from copytask.models.recurrent import TorchCell


class LSTM(TorchCell, nn.LSTM):  # type: ignore[misc]  # its forward takes tokens too
    """torch.nn.LSTM with one layer, whose forget gates start open.

    Source: Hochreiter & Schmidhuber, "Long Short-Term Memory", 1997. A forget bias of 1
    follows Gers, Schmidhuber & Cummins, "Learning to Forget", 2000, and Jozefowicz, Zaremba
    & Sutskever, "An Empirical Exploration of Recurrent Network Architectures", 2015.
    """

    cell = "lstm"
