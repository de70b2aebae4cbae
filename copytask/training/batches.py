"""The batches that a model is trained on: fresh ones, or those of a fixed set of payloads."""

import torch
from torch import Tensor

from copytask.tasks import Batch, CopyTask, Task
from copytask.training.config import TrainingConfig
from copytask.training.seeds import Purpose, make_generator

CUDA_STATE_BYTES = 16
"""Size of the state of a generator on a GPU; the state of one on the CPU has thousands."""


class TrainingBatches:
    """Draws the batches of one training.

    Args:
        config: of the training: its seed, batch size and ``training_payloads``.
        task: the task that it names.
        device: where batches are returned.
    """

    def __init__(self, config: TrainingConfig, task: Task, device: torch.device):
        self._task, self._device = task, device
        self._size, self._payloads = config.batch_size, config.training_payloads
        self._generator = make_generator(config.seed, Purpose.TRAINING)
        self._fixed: Tensor | None = None  # (S at T, training_payloads)
        if self._payloads > 0:
            drawn = task.sample_batch(self._generator, self._payloads, config.T, device)
            self._fixed = drawn.tokens[: len(drawn.targets)]

    def next(self, step: int, length: int) -> Batch:
        """Draw a fresh batch, or take the next one of the fixed payloads.

        Args:
            step: optimizer steps before it.
            length: of its sequences, as a T.
        """
        if self._fixed is None:
            return self._task.sample_batch(self._generator, self._size, length, self._device)
        columns = torch.arange(self._size, device=self._device) + self._size * step
        assert isinstance(self._task, CopyTask)
        S = self._task.recalled(length)
        return self._task.encode(self._fixed[:S, columns % self._payloads], length)

    def get_state(self) -> Tensor:
        """The state of the generator, for a checkpoint."""
        return self._generator.get_state()

    def set_state(self, state: Tensor) -> None:
        """Restore what :meth:`get_state` returned.

        An earlier version drew on the GPU. Then the stream of the CPU, still unseen, goes on.
        """
        if len(state) != CUDA_STATE_BYTES:
            self._generator.set_state(state)
