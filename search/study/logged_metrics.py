"""What loggers show of each point of a learning curve."""

METRICS = (
    "validation_accuracy", "ladder_accuracy", "exact_match", "training_loss", "validation_loss",
    "recalled_bits", "max_length",
)  # fmt: skip
"""Columns of progress.csv that are metrics. The step is in tokens."""
