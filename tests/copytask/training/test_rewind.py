import copy
import dataclasses

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from copytask import Metrics, Trainer, TrainingConfig
from copytask.training.rewind import LOWEST_RATE, Rewind, has_fallen

accuracies = st.lists(st.floats(0, 1), max_size=30)


def made() -> tuple[torch.nn.Linear, torch.optim.Adam]:
    """A model, and an optimizer with a state."""
    model = torch.nn.Linear(2, 2)
    optimizer = torch.optim.Adam(model.parameters())
    step(model, optimizer)
    return model, optimizer


def step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    model(torch.randn(3, 2)).square().sum().backward()
    optimizer.step()


def state(model: torch.nn.Linear, optimizer: torch.optim.Adam) -> list[torch.Tensor]:
    """All that training changes, as it is now."""
    moments = [value for of in optimizer.state.values() for value in of.values()]
    return [value.detach().clone() for value in (model.weight, model.bias, *moments)]


@pytest.mark.parametrize(
    ("accuracy", "best", "fallen"),
    [
        (0.14, 0.98, True),
        (0.53, 0.98, True),
        (0.55, 0.98, False),  # half of the lead over guessing is left
        (0.1, 0.54, False),  # it had less than half of what there is to gain
        (0.1, 0.56, True),
        (0.9, 0.9, False),
    ],
)
def test_a_training_has_fallen_when_it_has_lost_half_of_what_it_had(accuracy, best, fallen):
    assert has_fallen(accuracy, best, chance=0.1) == fallen


def test_after_a_fall_model_and_optimizer_are_as_at_the_best_evaluation():
    training = made()
    rewind = Rewind(*training, chance=0.1)
    rewind.after(0.9)
    step(*training)
    rewind.after(0.95)
    best = state(*training)
    for accuracy in (0.94, 0.6, 0.2):
        step(*training)
        before = state(*training)
        rewind.after(accuracy)
        expected = best if accuracy == 0.2 else before
        assert all(map(torch.equal, state(*training), expected))
    assert rewind.rate == 0.5
    step(*training)  # what is kept is not what is trained on
    rewind.after(0.2)
    assert all(map(torch.equal, state(*training), best))
    assert rewind.rate == 0.25


@given(accuracies)
def test_the_rate_is_halved_at_each_fall_and_never_too_low(accuracies):
    rewind = Rewind(*made(), chance=0.1)
    best, expected = 0.0, 1.0
    for accuracy in accuracies:
        rewind.after(accuracy)
        best = max(best, accuracy)
        if has_fallen(accuracy, best, 0.1):
            expected = max(LOWEST_RATE, expected / 2)
        assert rewind.rate == expected


@given(accuracies, accuracies)
def test_one_that_was_restored_goes_on_where_the_other_was(before, then):
    whole, restored = made(), made()
    first = Rewind(*whole, chance=0.1)
    for accuracy in before:
        step(*whole)
        first.after(accuracy)
    saved = copy.deepcopy((first.state_dict(), *(of.state_dict() for of in whole)))
    for of, values in zip(restored, saved[1:], strict=True):
        of.load_state_dict(values)
    second = Rewind(*restored, chance=0.1)
    second.load_state_dict(saved[0])
    for accuracy in then:
        for rewind, training in ((first, whole), (second, restored)):
            torch.manual_seed(0)
            step(*training)
            rewind.after(accuracy)
        assert all(map(torch.equal, state(*whole), state(*restored)))
        assert first.rate == second.rate


def small(**changes) -> TrainingConfig:
    values = {
        "model": "gru", "task": "sequence", "T": 1, "hidden_size": 16, "learning_rate": 1e-2,
        "curriculum_length": 0, "tokens_per_iteration": 8000, "max_tokens": 160_000,
        "decay_share": 0, "stop_when_solved": False, "validation_payloads": 50,
        "precision": "fp32", **changes,
    }  # fmt: skip
    return TrainingConfig(**values)


def timeless(metrics: Metrics) -> Metrics:
    return dataclasses.replace(metrics, seconds=0.0, seconds_to_solve=None)


def test_a_training_that_never_falls_is_the_same_without_rewinding():
    with_it, without = (list(map(timeless, Trainer(small(rewind=on)))) for on in (True, False))
    assert with_it == without
    assert with_it[-1].ladder_accuracy > 0.9


def fall(trainer: Trainer) -> tuple[dict[str, torch.Tensor], Metrics]:
    """Let it learn, and ruin its weights: the weights before that, and the next iteration."""
    while not trainer.history or trainer.history[-1].ladder_accuracy < 0.9:
        trainer.run_iteration()
    best = copy.deepcopy(trainer.model.state_dict())
    with torch.no_grad():
        for weight in trainer.model.parameters():
            weight.zero_()
    fallen = trainer.run_iteration()
    assert fallen.ladder_accuracy < 0.5
    return best, fallen


def test_without_rewinding_a_training_that_has_fallen_goes_on_from_there():
    trainer = Trainer(small(rewind=False))
    _, fallen = fall(trainer)
    after = trainer.run_iteration()
    assert after.ladder_accuracy < 0.8
    assert after.learning_rate == fallen.learning_rate


def test_a_training_that_falls_goes_back_and_a_resumed_one_goes_on_like_it(tmp_path):
    trainer = Trainer(small())
    best, fallen = fall(trainer)
    for name, weight in trainer.model.state_dict().items():
        assert weight.equal(best[name]), name

    trainer.save(tmp_path)
    resumed = Trainer.load(tmp_path)
    after = trainer.run_iteration()
    assert after.ladder_accuracy > 0.8
    assert after.learning_rate == fallen.learning_rate / 2 == 5e-3
    assert timeless(resumed.run_iteration()) == timeless(after)


def test_only_what_an_earlier_version_has_recorded_does_not_go_back():
    values = {"model": "gru", "T": 1}
    assert TrainingConfig.from_dict(values) == TrainingConfig(**values)
    assert not TrainingConfig.from_recorded(values).rewind
    assert TrainingConfig.from_recorded(small().to_dict()) == small()
