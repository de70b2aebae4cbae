"""A trainer's own state of torch's global random generators."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class RandomState:
    """A private state of torch's global generators, those of the CPU and of one GPU.

    Initial weights and a cell's dropout draw from the global generators. Each trainer has a state
    of its own, so that trainers in one process do not disturb one another.

    Args:
        device: the trainer's device.
        seed: a torch seed, see :func:`copytask.training.seeds.stream_seed`.
    """

    def __init__(self, device: torch.device, seed: int):
        self._gpus: list[int] = []  # the index of the GPU, if there is one
        if device.type == "cuda":
            self._gpus = [torch.cuda.current_device() if device.index is None else device.index]
        with torch.random.fork_rng(devices=self._gpus):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed would seed all GPUs
            for index in self._gpus:
                with torch.cuda.device(index):
                    torch.cuda.manual_seed(seed)
            self._state = self._global_state()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Draw from this state inside the context; restore the global state afterwards."""
        with torch.random.fork_rng(devices=self._gpus):
            torch.set_rng_state(self._state["cpu"])
            if self._gpus and (states := self._state["cuda"]):
                # The state of our GPU; an earlier version wrote those of all GPUs.
                torch.cuda.set_rng_state(states[min(self._gpus[0], len(states) - 1)], self._gpus[0])
            yield
            self._state = self._global_state()

    def state_dict(self) -> dict[str, Any]:
        """The state, for a checkpoint."""
        return self._state

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned; raises whatever a damaged state makes torch
        raise.

        A training that comes from the CPU has no state of a GPU: there it begins with its seed's.
        """
        self._state = {**state, "cuda": state["cuda"] or self._state["cuda"]}
        with self.active():
            pass

    def _global_state(self) -> dict[str, Any]:
        cuda = [torch.cuda.get_rng_state(index) for index in self._gpus]
        return {"cpu": torch.get_rng_state(), "cuda": cuda}
