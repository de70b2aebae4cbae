"""Variations of the gates of the four gated cells, and the starts of their biases."""

import pytest
import torch
from recurrences import CELLS, VARIATIONS
from torch.nn import functional as F

from copytask import MODELS

H = 6
REFINED = [name for name in VARIATIONS if "refined" in name]


def make_cell(name: str, hidden_size: int = H, **keywords):
    torch.manual_seed(0)
    model, variation = VARIATIONS.get(name, (name, {}))
    return MODELS[model](12, hidden_size, **variation, **keywords)


def gates_by_hand(cell, x, h) -> tuple[dict, torch.Tensor]:
    """The gates of a step of a multiplicative or plain cell, and what the candidate is made of."""
    inputs, recurrent = x, h
    if hasattr(cell, "weight_mx_l0"):
        m = F.linear(x, cell.weight_mx_l0) * F.linear(h, cell.weight_mh_l0)
        inputs, recurrent = (m, h) if cell.input_gated else (x, m)
    of_inputs = F.linear(inputs, cell.weight_ih_l0, cell.bias_ih_l0).split(H, dim=1)
    of_state = F.linear(recurrent, cell.weight_hh_l0, cell.bias_hh_l0).split(H, dim=1)
    rows = {"coupled": "fgo", "refined": "sfgo" if cell.cell == "lstm" else "rzsn"}
    rows = rows.get(cell.gates, "ifgo" if cell.cell == "lstm" else "rzn")
    gates = {g: (a + b).sigmoid() for g, a, b in zip(rows, of_inputs, of_state, strict=True)}
    if cell.cell == "lstm":
        place = rows.index("g")
        return gates, (of_inputs[place] + of_state[place]).tanh()
    return gates, (of_inputs[-1] + gates["r"] * of_state[-1]).tanh()


def step_by_hand(cell, x, h, c) -> tuple[torch.Tensor, torch.Tensor]:
    gates, new = gates_by_hand(cell, x, h)
    keep = gates["f" if cell.cell == "lstm" else "z"]
    take = gates.get("i", 1 - keep)
    if "s" in gates:  # as it is written in the paper
        s = gates["s"]
        keep = s * (1 - (1 - keep) ** 2) + (1 - s) * keep**2
        take = 1 - keep
    if cell.cell == "lstm":
        c = keep * c + take * new
        return gates["o"] * c.tanh(), c
    return keep * h + take * new, c


@pytest.mark.parametrize("name", [*CELLS, *VARIATIONS])
def test_a_step_is_what_its_equations_say(name):
    cell = make_cell(name).double()
    x, h, c = (torch.randn(3, size, dtype=torch.float64) for size in (12, H, H))
    state = (h[None], c[None]) if cell.cell == "lstm" else h[None]
    outputs, _ = cell(x[None], state)
    torch.testing.assert_close(outputs[0], step_by_hand(cell, x, h, c)[0])


@pytest.mark.parametrize("name", REFINED)
def test_a_refining_gate_of_one_half_changes_nothing(name):
    """So a number as forget_bias means the same with refined gates."""
    cell = make_cell(name)
    tokens = torch.randint(12, (7, 3))
    place = cell.form.rows.index("s")
    with torch.no_grad():
        for rows in (cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0):
            rows[place * H : (place + 1) * H] = 0
    plain = make_cell(name.replace("refined", "coupled" if cell.cell == "lstm" else "plain")
                      .removesuffix("-plain"))  # fmt: skip
    others = [i for i in range(len(cell.form.rows)) if i != place]
    with torch.no_grad():
        for label, parameter in plain.named_parameters():
            values = cell.get_parameter(label)
            if len(values) != len(parameter):
                values = torch.cat([values[i * H : (i + 1) * H] for i in others])
            parameter.copy_(values)
    torch.testing.assert_close(cell(tokens)[0], plain(tokens)[0], rtol=1e-5, atol=1e-6)


def total_biases(cell) -> dict[str, torch.Tensor]:
    biases = (cell.bias_ih_l0 + cell.bias_hh_l0).split(cell.hidden_size)
    return dict(zip(cell.form.rows, biases, strict=True))


def spread(values: torch.Tensor, low: float, high: float) -> None:
    """Check that values are spread uniformly, by their quartiles."""
    assert low <= values.min()
    assert values.max() <= high
    quartiles = (values.quantile(torch.tensor([0.25, 0.5, 0.75])) - low) / (high - low)
    torch.testing.assert_close(quartiles, torch.tensor([0.25, 0.5, 0.75]), rtol=0, atol=0.03)


@pytest.mark.parametrize("name", ["gru", "gru-refined", "lstm", "lstm-refined", "lstm-coupled"])
@pytest.mark.parametrize("start", ["chrono", "uniform"])
def test_biases_are_drawn_for_each_unit(name, start):
    size = 4000
    biases = total_biases(make_cell(name, size, forget_bias=start, longest=300))
    keeping = biases["f" if "f" in biases else "z"]
    if start == "chrono":
        spread(keeping.exp(), 0.999, 299.001)
    else:
        spread(keeping.sigmoid(), 0.999 / size, 1 - 0.999 / size)
    for other in "is":
        if other in biases:
            assert biases[other].equal(-keeping)
    drawn = {"f", "z", "i", "s"} & set(biases)
    assert all(biases[gate].abs().max() < 1 for gate in set(biases) - drawn)


def test_one_unit_can_be_drawn():
    assert total_biases(make_cell("lstm", 1, forget_bias="uniform"))["f"] == 0.0


@pytest.mark.parametrize(
    ("name", "keywords", "told"),
    [
        ("gru", {"gates": "coupled"}, "gates must be one of plain, refined, but got 'coupled'"),
        ("mlstm", {"gates": "refind"}, "gates must be one of plain, refined, coupled, but got"),
        ("lstm", {"forget_bias": "chrno"}, "a number, chrono or uniform, but got 'chrno'"),
        ("lstm", {"forget_bias": "chrono", "longest": 1}, "longest >= 2 must hold, but got"),
        ("lstm", {"gates": "coupled", "implementation": "torch"}, "computes plain gates only"),
    ],
)
def test_what_a_cell_cannot_be_is_refused(name, keywords, told):
    with pytest.raises(ValueError, match=told):
        make_cell(name, **keywords)
