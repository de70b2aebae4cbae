"""Whether the modules of a model train or are evaluated."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Within, the model is in evaluation mode; then each of its modules is in its own mode again.

    A model of a user may keep some of its modules in evaluation mode while it trains.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
