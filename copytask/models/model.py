"""What every architecture is: tokens in, outputs of the last steps and a state out.

Shapes: L steps, B sequences, D width of the outputs, S recalled steps.
"""

from abc import ABC, abstractmethod
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

from copytask.engine import check_tokens, recalled_steps
from copytask.models.modes import evaluation_mode

PART = 2048
"""Steps of a sequence that are run at once where no gradients are needed."""


class SequenceModel(nn.Module, ABC):
    """An architecture. Its constructor takes the number of symbols, and by keyword its own
    hyperparameters, each with a type and a default: they are fixed in the section ``architecture``
    of a configuration or searched in ``space``.

    A subclass defines ``forward(tokens, state=None, recalled=None)``, which runs over a sequence or
    a part of one. ``tokens`` has the shape (L, B), int64; ``state`` is what an earlier part
    returned, None at the beginning; ``recalled`` asks for the last outputs only. It
    returns the outputs, shape (L or recalled, B, D), and the state after the last step.

    Attributes:
        width: D, size of an output.
        streams: whether a sequence can be run in parts, with a bounded state passed on.
        step_floats: numbers that a step of a sequence takes in the largest buffer, about: so many
            fewer sequences are evaluated at once.
    """

    width: int
    streams: bool = True
    step_floats: int = 128

    @abstractmethod
    def state_floats(self, steps: int) -> int:
        """How many numbers are carried on after ``steps`` steps of one sequence."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameters for the optimizer, each group with its own ``lr_scale``.

        ``lr_scale`` multiplies the learning rate, at every step.
        """
        return [{"params": list(self.parameters()), "lr_scale": 1.0}]


class CellAdapter(SequenceModel):
    """A cell with the interface of torch.nn.GRU as an architecture: it gets one-hot vectors.

    Args:
        cell: maps inputs of shape (L, B, symbols) to outputs of shape (L, B, hidden_size) and a
            state.
        symbols: number of different tokens.
        hidden_size: width of the cell's outputs.
    """

    streams = False  # the state that a cell returns need not be all that it would continue from
    one_hot: Tensor

    def __init__(self, cell: nn.Module, symbols: int, hidden_size: int):
        super().__init__()
        self.register_buffer("one_hot", torch.eye(symbols), persistent=False)
        self.cell, self.width = cell, hidden_size
        self.step_floats = max(self.step_floats, symbols)
        self.register_load_state_dict_pre_hook(_name_cell)  # type: ignore[no-untyped-call]

    def forward(
        self, tokens: Tensor, state: Any = None, recalled: int | None = None
    ) -> tuple[Tensor, Any]:
        """See :class:`SequenceModel`.

        Raises:
            ValueError: tokens and weights are on different devices, or ``recalled`` is negative.
            IndexError: a token is unknown.
        """
        check_tokens(tokens, len(self.one_hot), self.one_hot)
        given = () if state is None else (state,)
        outputs, state = self.cell(self.one_hot[tokens.long()], *given)
        return outputs[len(outputs) - recalled_steps(recalled, len(outputs)) :], state

    def state_floats(self, steps: int) -> int:
        """See :meth:`SequenceModel.state_floats`; found out by running a few steps."""
        tokens = torch.zeros(2, 1, dtype=torch.int64, device=self.one_hot.device)
        # In evaluation mode a normalization does not learn from these steps.
        with evaluation_mode(self), torch.no_grad():
            return count_floats(self(tokens)[1])


def count_floats(state: Any) -> int:
    """Number of elements of the tensors in nested tuples and lists."""
    if isinstance(state, Tensor):
        return state.numel()
    return sum(map(count_floats, state)) if isinstance(state, tuple | list) else 0


def _name_cell(adapter: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Read a checkpoint of an earlier version, in which the cell was the architecture itself."""
    named = {n: f"{prefix}cell.{n.removeprefix(prefix)}" for n in state if n.startswith(prefix)}
    expected = {f"{prefix}{name}" for name in adapter.state_dict()}
    if set(named) != expected and set(named.values()) == expected:
        state.update({after: state.pop(before) for before, after in named.items()})


class CopyModel(nn.Module):
    """An architecture and a linear readout of a task's classes.

    Args:
        core: the architecture.
        outputs: number of classes.
    """

    def __init__(self, core: SequenceModel, outputs: int):
        super().__init__()
        self.core = core
        self.readout = nn.Linear(core.width, outputs)

    def forward(self, tokens: Tensor, recalled: int | None = None) -> Tensor:
        """Score the classes.

        Without gradients an architecture that streams is run in parts, in the memory of one part.

        Args:
            tokens: shape (L, B), int64.
            recalled: score only the last ``recalled`` steps.

        Returns:
            Logits, shape (L or recalled, B, outputs).
        """
        if self.core.streams and len(tokens) > PART and not torch.is_grad_enabled():
            return self._stream(tokens, recalled_steps(recalled, len(tokens)))
        outputs, _ = self.core(tokens, recalled=recalled)
        logits: Tensor = self.readout(outputs)
        return logits

    def _stream(self, tokens: Tensor, recalled: int) -> Tensor:
        """Score the last ``recalled`` steps, running ``PART`` steps at once."""
        state, logits = None, []
        first = len(tokens) - recalled
        for start in range(0, len(tokens), PART):
            part = tokens[start : start + PART]
            wanted = max(0, min(len(part), start + len(part) - first))
            outputs, state = self.core(part, state, recalled=wanted)
            logits.append(self.readout(outputs))
        return torch.cat(logits)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The trained parameters as the architecture groups them; the readout is in the first.

        Raises:
            ValueError: a group has a learning rate (``lr``) instead of ``lr_scale``, or a trained
                parameter is in none of them, or in several.
        """
        first, *others = self.core.parameter_groups()
        first = {**first, "params": [*first["params"], *self.readout.parameters()]}
        trained = [
            {**group, "params": [p for p in group["params"] if p.requires_grad]}
            for group in (first, *others)
        ]
        if any("lr" in group for group in trained):
            raise ValueError(
                "parameter_groups: the training sets lr; give lr_scale, which multiplies it"
            )
        groups = Counter(id(p) for group in trained for p in group["params"])
        for name, parameter in self.named_parameters():
            if parameter.requires_grad and groups[id(parameter)] != 1:
                where = "several groups" if groups[id(parameter)] else "no group"
                raise ValueError(f"parameter_groups: {name.removeprefix('core.')} is in {where}")
        return [group for group in trained if group["params"]]

    def parameter_count(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)
