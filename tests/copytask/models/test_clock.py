"""Which tokens set a clock back, and how that is learned."""

import math

import pytest
import torch

from copytask import Trainer, TrainingConfig, build_model
from copytask.models.clock import Clock

TOKENS = torch.tensor([[0, 1], [2, 3]])


def make_clock(gate: str, kind: str = "reset") -> Clock:
    return Clock(4, 8, "mixed", kind, gate)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_delimiter_comes_to_set_the_clock_back_and_nothing_else(seed):
    config = TrainingConfig(
        model="linear_attention", task="sequence", T=20, hidden_size=16, seed=seed, batch_size=8,
        learning_rate=0.01, curriculum_length=400, tokens_per_iteration=40_000,
        validation_payloads=20, precision="fp32", architecture={"key_size": 64, "value_size": 8},
    )  # fmt: skip
    trainer = Trainer(config)
    metrics = next(iter(trainer))
    (clock,) = (module for module in trainer.model.modules() if isinstance(module, Clock))
    *others, delimiter = clock.eval().gates(torch.arange(12)[:, None])[:, 0].tolist()
    assert (set(others), delimiter) == ({1.0}, 0.0)
    assert metrics.validation_accuracy > 0.95


def test_a_hard_gate_is_noisy_in_training_and_rounded_in_evaluation():
    clock = make_clock("hard")
    drawn = clock.gates(TOKENS)
    assert drawn.unique().numel() == drawn.numel()  # for each place, not for each token
    assert ((drawn > 0) & (drawn < 1)).all()
    drawn.sum().backward()
    assert (clock.resets.grad > 0).all()
    assert clock.eval().gates(TOKENS).eq(1).all()


@pytest.mark.parametrize("training", [True, False])
def test_a_soft_gate_starts_with_a_memory_of_ten_steps(training):
    gates = make_clock("soft").train(training).gates(TOKENS)
    torch.testing.assert_close(gates, torch.full((2, 2), 10 / 11))


@pytest.mark.parametrize("gate", ["hard", "soft"])
def test_two_threads_give_the_gradients_of_one(gate, use_threads):
    clock = make_clock(gate)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(4, (1200, 32), generator=generator)  # torch shares out 32768 and more
    grad = torch.randn(tokens.shape, generator=generator)
    found = []
    for threads in (1, 2):
        use_threads(threads)
        torch.manual_seed(0)
        found.append(torch.autograd.grad(clock.gates(tokens), clock.resets, grad)[0])
    assert torch.equal(*found)


def test_an_absolute_clock_is_never_set_back():
    assert make_clock("hard", "absolute").gates(TOKENS).eq(1).all()


def test_a_checkpoint_of_an_earlier_version_goes_on_with_its_start_and_without_noise():
    model = build_model("transformer", 8)
    state = model.state_dict()
    for name in list(state):
        if name.endswith(("clock.bias", "clock.noise")):
            del state[name]
    model.load_state_dict(state)
    (clock,) = (module for module in model.modules() if isinstance(module, Clock))
    gates = clock.train().gates(TOKENS)
    torch.testing.assert_close(gates, torch.full((2, 2), 1 - 1 / (1 + 1e4)))


def test_a_checkpoint_of_another_part_of_a_model_leaves_its_clock_as_it_is():
    clock = make_clock("hard")
    clock.load_state_dict({}, strict=False)
    assert (float(clock.bias), float(clock.noise)) == (pytest.approx(math.log(10)), 1.0)


@pytest.mark.parametrize("part", ["bias", "noise"])
def test_a_checkpoint_that_lacks_a_part_of_its_clock_is_refused(part):
    state = make_clock("hard").state_dict()
    del state[part]
    with pytest.raises(RuntimeError, match=f"Missing key.*{part}"):
        make_clock("hard").load_state_dict(state)
