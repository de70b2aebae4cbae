"""The architectures that several measurements train, if no others are named."""

CELLS = ("gru", "lstm", "mgru", "mlstm")
"""The gated cells, which the compiled kernels compute."""
