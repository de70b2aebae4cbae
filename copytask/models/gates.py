"""How the gates of the gated cells vary, and where their biases start.

Shapes: H hidden units.
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class GateForm:
    """A form of a cell's gates.

    Attributes:
        engine: which cell computes it, a key of ``copytask.engine.GATES``.
        rows: the gates in the order of the rows of the weights, H rows each. ``KEEPING`` gates keep
            the state. i takes in what is new; s refines the gate that keeps the state.
    """

    engine: str
    rows: str


FORMS = {
    "lstm": {
        "plain": GateForm("lstm", "ifgo"),
        "refined": GateForm("refined_lstm", "sfgo"),
        "coupled": GateForm("lstm", "fgo"),
    },
    "gru": {
        "plain": GateForm("gru", "rzn"),
        "refined": GateForm("refined_gru", "rzsn"),
    },
    "orthogonal": {"plain": GateForm("orthogonal", "")},
    "goru": {"plain": GateForm("goru", "rzn")},
}
"""Cell -> name of each form of its gates -> the form.

``plain``: as published. ``refined``: a gate s moves the one that keeps the state, see
:func:`copytask.engine.unrolled.refine`; the state takes in as much as it does not keep.
``coupled``: i = 1 - f, so there are no rows for i. A plain GRU is coupled already.
"""

KEEPING = "fz"
"""The gates that keep the state: of an LSTM, of a GRU."""

OPPOSITE = "is"
"""The gates whose biases are drawn as the negative of those of the keeping gate."""


def start_biases(start: float | str, hidden_size: int, longest: int) -> Tensor:
    """The biases that a gate which keeps the state starts with, shape (H).

    Args:
        start: a number, the same for all units; or how they are drawn. ``chrono``:
            log U(1, longest - 1), so that units forget after 1 to ``longest`` steps (Tallec &
            Ollivier 2018, "Can recurrent neural networks warp time?", arXiv 1804.11188).
            ``uniform``: the gate itself is uniform on (1 / H, 1 - 1 / H) (Gu et al. 2020,
            "Improving the Gating Mechanism of Recurrent Neural Networks", arXiv 1910.09890).
        longest: in steps, at least 2.

    Raises:
        ValueError: ``start`` is none of these, or ``longest`` is too small.
    """
    if not isinstance(start, str):
        return torch.full((hidden_size,), float(start))
    if start == "chrono":
        if longest < 2:
            raise ValueError(f"longest >= 2 must hold, but got longest={longest}")
        return torch.empty(hidden_size).uniform_(1, longest - 1).log()
    if start == "uniform":
        edge = min(1 / hidden_size, 0.5)
        return torch.empty(hidden_size).uniform_(edge, 1 - edge).logit()
    raise ValueError(f"forget_bias must be a number, chrono or uniform, but got {start!r}")
