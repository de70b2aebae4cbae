"""Points of learning curves for the tests."""

from typing import Any

from studies.events import Point


def point(iteration: int, accuracy: float, **changes: Any) -> Point:
    """The evaluation of this iteration, with this accuracy at T and half of it on the ladder."""
    values: dict[str, Any] = {
        "iteration": iteration, "step": 10 * iteration, "tokens": 100 * iteration,
        "seconds": 1.5 * iteration, "learning_rate": 5e-4, "max_length": 3, "training_loss": 2.0,
        "validation_accuracy": accuracy, "ladder_accuracy": accuracy / 2, "exact_match": 0.0,
        "validation_loss": 2.0, "recalled_bits": 1.0,
    }  # fmt: skip
    return Point(**values | changes)
