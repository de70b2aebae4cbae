"""Checks what a cell must promise, on a few steps, in milliseconds.

A cell is ``factory(input_size, hidden_size)``, a module that maps inputs of shape (L, B, I) to
(outputs, state), as torch.nn.GRU does; outputs have the shape (L, B, H). Training and evaluation
use only the outputs. Stepping through a sequence needs the state: a cell that cannot continue from
a state returns None for it, or takes none.
"""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from copytask.error_lines import error_line
from copytask.models.model import CellAdapter, SequenceModel
from copytask.models.recurrent import RecurrentCell
from copytask.models.registry import build_model, find_factory
from copytask.tasks import TASKS

L, B = 5, 3
"""Steps and sequences of the input. L, B, input size and hidden size must all differ, so that a
mistaken dimension shows."""

SYMBOLS = TASKS["delay"].symbols
"""Input size of the cell that is tried out."""

CUT = 3
"""The step at which we change a sequence, or split it in two."""


def check_interface(name: str, hidden_size: int) -> None:
    """Check that the cell ``name`` has the interface of torch.nn.GRU.

    Raises:
        ValueError: it does not; the message says what was found instead.
    """
    _Examination(name, hidden_size)


def check_cell(name: str, hidden_size: int) -> None:
    """Check that the cell ``name`` has the interface of torch.nn.GRU and can learn.

    Outputs are compared in evaluation mode, where dropout does nothing, with the same random
    numbers; gradients are computed in training mode.

    Args:
        name: a key of ``copytask.MODELS``, ``path/file.py:factory`` or ``package.module:factory``.
        hidden_size: units of the cell.

    Raises:
        ValueError: the interface differs, or the cell keeps something between calls, mixes the
            sequences of a batch, looks ahead, blocks gradients, or does not continue from the
            state that it returns. The message says what is wrong and what to do.
    """
    examination = _Examination(name, hidden_size)
    examination.check_repeats()
    examination.check_sequences_apart()
    examination.check_order()
    examination.check_sequence_model()
    examination.check_state()
    examination.check_groups()
    examination.check_gradients()  # last: training mode may change what the cell keeps


class _Examination:
    """A cell and its outputs on random tokens, as one-hot vectors."""

    def __init__(self, name: str, hidden_size: int):
        self.name = name
        find_factory(name)
        generator = torch.Generator().manual_seed(0)
        self.tokens = torch.randint(SYMBOLS, (L, B), generator=generator)
        called = f"factory(input_size={SYMBOLS}, hidden_size={hidden_size})"
        self.model = self.attempt(lambda: build_model(name, hidden_size), f"as {called}")
        model = self.model.core.eval()
        # What is no cell takes the tokens themselves.
        self.takes_vectors = isinstance(model, CellAdapter | RecurrentCell)
        self.cell: nn.Module = model.cell if isinstance(model, CellAdapter) else model
        self.inputs = self.encode(self.tokens)
        shape = tuple(self.inputs.shape)
        result = self.run(self.inputs, how=f"as {called} on an input of shape {shape}")
        if not isinstance(result, tuple) or len(result) != 2 or not torch.is_tensor(result[0]):
            raise ValueError(
                f"the cell {name!r} must return (outputs, state) as torch.nn.GRU does, "
                f"but returned {type(result).__name__}"
            )
        self.outputs, self.state = result
        expected, found = (L, B, hidden_size), tuple(self.outputs.shape)
        if found != expected:
            raise ValueError(
                f"the cell {name!r} must return outputs of shape {expected} (length, batch, "
                f"hidden_size), but returned {found}"
            )
        if self.outputs.dtype != torch.float32:
            self.refuse(f"returns outputs of {self.outputs.dtype} for inputs of torch.float32")

    def encode(self, tokens: Tensor) -> Tensor:
        """Tokens as the cell takes them: as one-hot vectors, unless it takes tokens."""
        return torch.eye(SYMBOLS)[tokens] if self.takes_vectors else tokens

    def attempt(self, call: Callable[[], Any], how: str) -> Any:
        """Call the user's code, always with the same random numbers."""
        try:
            with torch.random.fork_rng(devices=[]), torch.enable_grad():
                torch.default_generator.manual_seed(0)  # torch.manual_seed would seed all GPUs
                return call()
        except Exception as error:  # the user's code may raise anything
            raise ValueError(f"the cell {self.name!r} failed {how}: {error_line(error)}") from error

    def run(self, inputs: Tensor, *state: Any, how: str = "on a second input") -> Any:
        return self.attempt(lambda: self.cell(inputs.clone(), *state), how)

    def refuse(self, fault: str) -> NoReturn:
        raise ValueError(f"the cell {self.name!r} {fault}")

    def run_changed(self, step: slice, sequence: slice) -> Tensor:
        """The outputs after a change of these tokens."""
        tokens = self.tokens.clone()
        tokens[step, sequence] = (tokens[step, sequence] + 1) % SYMBOLS
        outputs: Tensor = self.run(self.encode(tokens))[0]
        return outputs

    def check_repeats(self) -> None:
        self.outputs = self.run(self.inputs)[0]
        if not self.outputs.isfinite().all():
            self.refuse("returns outputs that are not finite, with its initial weights")
        if not close(self.run(self.inputs)[0], self.outputs):
            self.refuse(
                "returns different outputs when it is called again on the same input: keep nothing "
                "from one call to the next, and draw random numbers from torch's generator"
            )

    def check_sequences_apart(self) -> None:
        changed = self.run_changed(slice(0, L), slice(0, 1))
        if close(changed[:, 1:], self.outputs[:, 1:]):
            return
        changed = self.run_changed(slice(0, 1), slice(0, 1))
        mixes = "mixes the sequences of a batch: a change in one of them changes the outputs of"
        if close(changed[1:, 0], self.outputs[1:, 0]):
            self.refuse(
                f"{mixes} the others, but not its own later ones. It mistakes the batch for the "
                "time: inputs have the shape (length, batch, features), so remove batch_first=True"
            )
        self.refuse(
            f"{mixes} the others. Inputs have the shape (length, batch, features): do not "
            "normalize, sum or attend over dimension 1"
        )

    def check_order(self) -> None:
        changed = self.run_changed(slice(CUT, L), slice(0, B))
        if not close(changed[:CUT], self.outputs[:CUT]):
            self.refuse(
                "looks ahead: a change of later inputs changes earlier outputs. The output of a "
                "step may only depend on inputs up to that step: mask attention, and remove "
                "bidirectional=True and normalization over time"
            )

    def check_sequence_model(self) -> None:
        """What a SequenceModel promises beyond a cell."""
        if not isinstance(self.cell, SequenceModel) or self.takes_vectors:
            return
        if self.cell.streams and (self.state is None or not takes_state(self.cell)):
            self.refuse(
                "returns or takes no state, but says that it streams: return the state after the "
                "last step, or set streams = False"
            )
        for recalled in (0, CUT):
            call = partial(self.cell, self.inputs, recalled=recalled)
            outputs = self.attempt(call, f"when called with recalled={recalled}")[0]
            expected = self.outputs[L - recalled :]
            if outputs.shape != expected.shape or not close(outputs, expected):
                self.refuse(
                    f"called with recalled={recalled} must return the last {recalled} outputs, "
                    f"shape {tuple(expected.shape)}; it returned others, shape "
                    f"{tuple(outputs.shape)}"
                )

    def check_groups(self) -> None:
        self.attempt(self.model.parameter_groups, "when asked for its groups of parameters")

    def check_state(self) -> None:
        if self.state is None or not takes_state(self.cell):
            return
        if self.draws_random_numbers():  # then two halves draw other numbers than the whole
            return
        first, state = self.run(self.inputs[:CUT])
        how = "when called with the state that it returned"
        rest, _ = self.run(self.inputs[CUT:], state, how=how)
        if not close(torch.cat((first, rest)), self.outputs):
            self.refuse(
                "does not continue from the state that it returns: two halves of a sequence, the "
                "second started with the state of the first, give other outputs than the whole. "
                "Return everything that the next step needs and start from it, or say that it "
                f"cannot: {'set streams = False' if not self.takes_vectors else 'return None'}"
            )

    def draws_random_numbers(self) -> bool:
        def draw() -> bool:
            before = torch.get_rng_state()
            self.cell(self.inputs)
            return not torch.get_rng_state().equal(before)

        return bool(self.attempt(draw, "on a second input"))

    def check_gradients(self) -> None:
        parameters = dict(self.cell.named_parameters())
        trained = {label: p for label, p in parameters.items() if p.requires_grad}
        if not trained:  # a fixed cell: only the readout learns
            return
        remembers = not close(self.run_changed(slice(0, 1), slice(0, B))[-1], self.outputs[-1])
        inputs = self.inputs.clone()
        if self.takes_vectors:
            inputs.requires_grad_()
        self.cell.train()
        outputs = self.run(inputs, how="in training mode")[0]
        self.cell.eval()
        if not outputs.requires_grad:
            self.refuse(
                "returns outputs without a gradient, so its parameters cannot learn: remove "
                "detach(), .data, numpy and torch.no_grad() from its forward"
            )
        wanted = [*([inputs] if self.takes_vectors else []), *trained.values()]

        def gradients(of: Tensor) -> tuple[Tensor | None, ...]:
            return torch.autograd.grad(of, wanted, retain_graph=True, allow_unused=True)

        # Weighted, because a plain sum over normalized outputs has no gradient.
        weights = torch.linspace(0.5, 1.5, outputs.numel()).view_as(outputs)
        of_all = self.attempt(lambda: gradients((outputs * weights).sum()), "in its backward pass")
        without = [
            label for label, g in zip(trained, of_all[-len(trained) :], strict=True) if g is None
        ]
        if without:
            which = "parameters" if len(without) > 1 else "parameter"
            self.refuse(
                f"gives no gradient to its {which} {', '.join(without[:3])}"
                f"{', ...' * (len(without) > 3)}: use it in forward without detach(), remove it, "
                "or set its requires_grad to False"
            )
        if not self.takes_vectors:
            return
        last = (outputs * weights)[-1].sum()
        of_last = self.attempt(lambda: gradients(last)[0], "in its backward pass")
        unreached = of_last is None or not of_last[0].any()
        if remembers and unreached and len(trained) == len(parameters):
            self.refuse(
                "passes no gradient back from its last output to its first input, so it cannot "
                "learn what to remember: remove detach(), .data and torch.no_grad() from what it "
                "does with its state"
            )


def takes_state(cell: nn.Module) -> bool:
    """Whether a cell can be called with a state as its second argument."""
    try:
        inspect.signature(cell.forward).bind(None, None)
    except TypeError:
        return False
    return True


def close(one: Tensor, other: Tensor) -> bool:
    """Whether outputs are equal up to rounding."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)
