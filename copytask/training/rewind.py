"""Takes a training that has fallen far back to the best state that it had."""

import copy
from typing import Any

import torch

LOWEST_RATE = 1 / 8


def has_fallen(accuracy: float, best: float, chance: float) -> bool:
    """Whether a training has lost more than half of its best lead over guessing.

    Before that lead was at least half of what is possible, evaluations differ too much to tell.

    Args:
        accuracy: of the present state.
        best: that of the best one.
        chance: that of guessing.
    """
    return best - chance >= (1 - chance) / 2 and accuracy - chance < (best - chance) / 2


class Rewind:
    """Keeps the best state of a training, and brings it back after a fall.

    A network that is almost done may fall back to guessing within an iteration, and then does not
    recover in its budget: over hundreds of steps its dynamics have become chaotic. So after an
    evaluation that :func:`has_fallen`, the model and the optimizer return to their state at the
    best evaluation, and the learning rate is halved, down to an eighth. The data go on, so the
    steps that led to the fall are not repeated. PaLM was trained like that: before a spike of the
    loss it was restarted, with other data (Chowdhery et al., 2022, section 5.1).

    Args:
        model: the model that is trained.
        optimizer: its optimizer.
        chance: accuracy of guessing.
        enabled: whether to go back at all.

    Attributes:
        rate: factor of the learning rate.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        chance: float,
        enabled: bool = True,
    ):
        self.rate = 1.0
        self._enabled = enabled
        self._of: dict[str, torch.nn.Module | torch.optim.Optimizer] = {
            "model": model,
            "optimizer": optimizer,
        }
        self._chance = chance
        self._best_accuracy = 0.0
        self._best: dict[str, Any] | None = None
        self._is_best = False  # the present state is the best one

    def after(self, accuracy: float) -> None:
        """Take note of an evaluation; after a fall, go back.

        Args:
            accuracy: of the present state.
        """
        if not self._enabled:
            return
        self._is_best = accuracy >= self._best_accuracy
        if self._is_best:
            self._best_accuracy = accuracy
            self._keep()
        elif has_fallen(accuracy, self._best_accuracy, self._chance):
            self._bring_back()
            self.rate = max(LOWEST_RATE, self.rate / 2)

    def _keep(self) -> None:
        self._best = {name: copy.deepcopy(of.state_dict()) for name, of in self._of.items()}

    def _bring_back(self) -> None:
        assert self._best is not None
        for name, state in copy.deepcopy(self._best).items():
            self._of[name].load_state_dict(state)
        self._is_best = True

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint needs beside the state of the model and of the optimizer."""
        if not self._enabled:
            return {}
        best = None if self._is_best else self._best
        return {"rate": self.rate, "best_accuracy": self._best_accuracy, "best": best}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` gave, after the model and the optimizer."""
        if not self._enabled:
            return
        self.rate = state["rate"]
        self._best_accuracy = state["best_accuracy"]
        self._best = state["best"]
        if self._best is None:
            self._is_best = True
            self._keep()
