import torch

from copytask import Trainer, TrainingConfig
from examples.minimal_gated_unit import MinimalGatedUnit


def test_the_cell_of_the_example_is_what_its_equations_say():
    torch.manual_seed(0)
    cell = MinimalGatedUnit(3, 4)
    inputs, h = torch.randn(5, 2, 3), torch.randn(2, 4)
    outputs, last = cell(inputs, h[None])
    for x, output in zip(inputs, outputs, strict=True):
        w_f, w_n = cell.input.weight.chunk(2)
        b_f, b_n = cell.input.bias.chunk(2)
        f = torch.sigmoid(x @ w_f.T + h @ cell.forget.weight.T + b_f)
        n = torch.tanh(x @ w_n.T + (f * h) @ cell.new.weight.T + b_n)
        h = (1 - f) * h + f * n
        torch.testing.assert_close(output, h)
    torch.testing.assert_close(last[0], h)


def test_the_cell_of_the_example_learns_to_copy():
    config = TrainingConfig(
        model="examples.minimal_gated_unit:factory", T=1, task="sequence", hidden_size=16,
        learning_rate=1e-2, batch_size=32, tokens_per_iteration=50_000, max_tokens=50_000,
        validation_payloads=200,
    )  # fmt: skip
    (metrics,) = Trainer(config)
    assert metrics.validation_accuracy > 0.3  # chance is 0.1
