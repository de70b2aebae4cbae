"""The architectures that the measurements of docs/training.md compare."""

CELLS = ("gru", "lstm", "mgru", "mlstm")
"""The gated cells, which the compiled kernels compute."""
