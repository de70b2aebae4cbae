import torch
from torch.nn import functional as F

from copytask import Trainer, TrainingConfig, check_cell, find_task
from copytask.models import architecture_keywords
from copytask.training.seeds import Purpose, make_generator
from examples.causal_convolution import CausalConvolution
from examples.minimal_gated_unit import MinimalGatedUnit

SUM = "examples/running_sum.py:RunningSum"
CONVOLUTION = "examples.causal_convolution:CausalConvolution"


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


def test_the_task_of_the_example_is_the_one_that_its_docstring_draws():
    task = find_task("examples.running_sum:RunningSum")
    drawn = [line.split() for line in (task.__doc__ or "").splitlines() if "  " in line.strip()]
    rows = {name: torch.tensor(list(map(int, row))) for name, *row in drawn}
    assert rows["targets"].equal(rows["tokens"].cumsum(0) % 5)
    tokens, targets = task.sample_batch(make_generator(0, Purpose.TEST), 3, 7)
    assert tokens.shape == (task.length(7), 3)
    assert targets.shape == (task.recalled(7), 3)
    assert targets.equal(tokens.cumsum(0) % 5)
    assert task.chance_accuracy == 0.2


def test_the_task_of_the_example_is_learned():
    config = TrainingConfig(
        model="gru", task=SUM, T=3, hidden_size=16, learning_rate=1e-2, curriculum_length=0,
        tokens_per_iteration=50_000, max_tokens=50_000,
    )  # fmt: skip
    (metrics,) = Trainer(config)
    assert metrics.validation_accuracy > 0.8  # chance is 0.2


def test_the_architecture_of_the_example_is_what_its_equation_says():
    torch.manual_seed(0)
    K, tokens = 4, torch.randint(6, (9, 2))
    core = CausalConvolution(6, hidden_size=8, window=K)
    outputs, state = core(tokens)
    embedded = F.pad(core.embedding(tokens), (0, 0, 0, 0, K - 1, 0))  # zeros before the first step
    for t in range(len(tokens)):
        seen = embedded[t : t + K]  # e_{t-K+1}..e_t
        summed = (core.convolution.weight[:, 0].T[:, None] * seen).sum(0) + core.convolution.bias
        torch.testing.assert_close(outputs[t], core.mix(summed))
    assert state.numel() == core.state_floats(9) * tokens.shape[1]


def test_the_architecture_of_the_example_has_a_keyword_that_is_searched():
    check_cell(CONVOLUTION, 8)
    assert list(architecture_keywords(CausalConvolution)) == ["window"]
    config = TrainingConfig(
        model=CONVOLUTION, T=1, task="sequence", hidden_size=16, architecture={"window": 16},
        learning_rate=3e-2, tokens_per_iteration=50_000, max_tokens=50_000,
    )  # fmt: skip
    (metrics,) = Trainer(config)
    assert metrics.validation_accuracy > 0.3  # chance is 0.1
