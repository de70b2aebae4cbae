import dataclasses
import math
import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from copytask import MODELS, DivergedError, Trainer, TrainingConfig, evaluate, load_model
from copytask.checkpoint import load_state


class DropoutGRU(nn.GRU):
    """A user's cell that draws from torch's global generator."""

    def forward(self, input, state=None):
        outputs, state = super().forward(input, state)
        return nn.functional.dropout(outputs, 0.5, self.training), state


USER_CELL = f"{__name__}:DropoutGRU"


def make_config(**changes) -> TrainingConfig:
    values = {
        "model": "gru",
        "T": 6,
        "hidden_size": 8,
        "curriculum_length": 20,
        "batch_size": 4,
        "tokens_per_iteration": 500,
        "max_tokens": 3000,
        "validation_payloads": 8,
        "precision": "fp32",
    }
    return TrainingConfig(**{**values, **changes})


def comparable(metrics):
    """Everything of the metrics that must not differ between two equal runs."""
    return dataclasses.replace(metrics, seconds=0.0, seconds_to_solve=None)


@pytest.mark.parametrize("model", [*sorted(MODELS), USER_CELL])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_run_that_was_stopped_and_restored_is_bit_identical(model, stop_after, tmp_path):
    whole = Trainer(make_config(model=model))
    expected = [comparable(m) for m in whole]

    trainer = Trainer(make_config(model=model))
    for _ in range(stop_after):
        trainer.run_iteration()
    trainer.save(tmp_path)
    torch.manual_seed(12345)  # a fresh process has another global state
    restored = Trainer.load(tmp_path)
    assert [comparable(m) for m in restored] == expected[stop_after:]
    for label, weight in whole.model.state_dict().items():
        assert restored.model.state_dict()[label].equal(weight), label


def test_trainers_do_not_disturb_one_another():
    alone = [comparable(m) for m in Trainer(make_config(model=USER_CELL))]
    one, other = (iter(Trainer(make_config(model=USER_CELL))) for _ in range(2))
    pairs = [(comparable(a), comparable(b)) for a, b in zip(one, other, strict=True)]
    assert pairs == [(m, m) for m in alone]


def test_training_leaves_the_global_generator_alone():
    torch.manual_seed(0)
    before = torch.get_rng_state()
    Trainer(make_config(model=USER_CELL)).run_iteration()
    assert torch.get_rng_state().equal(before)


def test_an_iteration_has_a_fixed_number_of_tokens():
    batch = 4 * 26  # at T = 6
    for number, metrics in enumerate(Trainer(make_config()), start=1):
        assert 500 * number <= metrics.tokens < 500 * number + batch
        assert metrics.iteration == number


def test_the_learning_rate_falls_linearly_over_the_last_share_of_the_budget():
    config = make_config(learning_rate=0.1, decay_share=0.5)
    rates = {m.tokens: m.learning_rate for m in Trainer(config)}
    for tokens, rate in rates.items():
        left = max(0.0, 1 - tokens / config.max_tokens)
        assert rate == pytest.approx(0.1 * min(1.0, left / 0.5))
    assert min(rates.values()) == 0.0
    assert max(rates.values()) == 0.1


def test_a_model_learns_solves_T_and_stops(tmp_path):
    config = make_config(
        model="lstm", task="sequence", T=2, hidden_size=32, learning_rate=1e-2,
        curriculum_length=1, batch_size=32, tokens_per_iteration=30_000, max_tokens=2_000_000,
        validation_payloads=64,
    )  # fmt: skip
    trainer = Trainer(config)
    history = list(trainer)
    assert trainer.finished
    assert [m.validation_accuracy >= 0.99 for m in history[-2:]] == [True, True]
    assert history[-1].tokens_to_solve == history[-2].tokens
    assert history[-1].seconds_to_solve == history[-2].seconds
    assert history[-2].tokens_to_solve is None
    assert history[-1].tokens < config.max_tokens
    trainer.save(tmp_path)
    assert evaluate(load_model(tmp_path), "sequence", 2).accuracy > 0.97


def test_an_iteration_has_at_least_one_step():
    trainer = Trainer(make_config(tokens_per_iteration=1, max_tokens=100))
    assert [metrics.step for metrics in trainer] == list(range(1, trainer.progress.step + 1))
    assert trainer.progress.step > 1


def test_solving_takes_two_evaluations_in_a_row():
    trainer = Trainer(make_config())
    for tokens, accuracy in [(10, 1.0), (20, 0.98), (30, 0.99), (40, 0.995), (50, 0.5)]:
        trainer.progress.tokens = tokens
        trainer._note_accuracy(accuracy)
    assert trainer.progress.solved
    assert trainer.progress.tokens_at_first_hit == 30


@pytest.mark.parametrize("changes", [{"learning_rate": 1e3}, {"learning_rate": 1e30}])
def test_divergence_is_told(changes):
    trainer = Trainer(make_config(max_tokens=100_000, clip_norm=0, **changes))
    with pytest.raises(DivergedError, match=r"training diverged: mean loss .* \(chance is 2.30\)"):
        list(trainer)


def test_a_gradient_that_overflowed_changes_nothing():
    trainer = Trainer(make_config())
    trainer.run_iteration()
    weights = [p.detach().clone() for p in trainer.model.parameters()]
    hook = trainer.model.readout.weight.register_hook(lambda gradient: gradient * math.inf)
    trainer._train_step()
    assert all(a.equal(b) for a, b in zip(weights, trainer.model.parameters(), strict=True))
    hook.remove()
    trainer._train_step()
    assert all(p.isfinite().all() for p in trainer.model.parameters())
    assert not weights[0].equal(next(trainer.model.parameters()))


FIELD_CHANGES = {
    "model": "lstm", "T": 7, "task": "sequence", "hidden_size": 9, "learning_rate": 1e-2,
    "curriculum_length": 5, "batch_size": 5, "optimizer": "sgd", "weight_decay": 0.5,
    "clip_norm": 1e-3, "forget_bias": 3.0, "initialization": "published",
    "tokens_per_iteration": 700, "max_tokens": 1500, "decay_share": 0.9, "seed": 1,
    "validation_payloads": 9, "validation_seed": 1,
}  # fmt: skip


@pytest.mark.parametrize("field", FIELD_CHANGES)
def test_every_setting_reaches_the_training(field):
    base = {"model": "mgru", "optimizer": "adamw"}
    # Adam hides the gradient's scale, so clipping and decay show in SGD.
    if field in {"clip_norm", "weight_decay"}:
        base["optimizer"] = "sgd"
    one = [comparable(m) for m in Trainer(make_config(**base))]
    other = [comparable(m) for m in Trainer(make_config(**{**base, field: FIELD_CHANGES[field]}))]
    assert one != other


@pytest.mark.parametrize("implementation", ["fused", "torch", "reference"])
def test_every_implementation_trains_alike(implementation):
    trainer = Trainer(make_config(model="gru", implementation=implementation))
    assert trainer.model.core.implementation == implementation
    losses = [m.training_loss for m in trainer]
    expected = [m.training_loss for m in Trainer(make_config(model="gru"))]
    assert losses == pytest.approx(expected, rel=1e-4)


def test_the_list_of_settings_above_is_complete():
    fields = {field.name for field in dataclasses.fields(TrainingConfig)}
    assert set(FIELD_CHANGES) == fields - {
        "stop_when_solved", "device", "implementation", "precision",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"T": 0}, "T must be >= 1"),
        ({"hidden_size": 0}, "hidden_size must be >= 1"),
        ({"learning_rate": -1.0}, "learning_rate must be > 0"),
        ({"learning_rate": math.inf}, "learning_rate must be > 0"),
        ({"optimizer": "adamm"}, "optimizer must be one of adam"),
        ({"task": "delays"}, "task must be one of delay, sequence"),
        ({"decay_share": 1.5}, "decay_share must be in 0..1"),
        ({"seed": -1}, "seed"),
        ({"device": "warp"}, "device"),
        ({"model": "grru"}, "did you mean 'gru'"),
    ],
)
def test_values_out_of_range_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_config(**changes)


def test_a_checkpoint_loads_in_a_fresh_process(tmp_path):
    trainer = Trainer(make_config())
    metrics = trainer.run_iteration()
    trainer.save(tmp_path)
    script = (
        "import copytask, sys; m = copytask.load_model(sys.argv[1]);"
        "s = copytask.evaluate(m, 'delay', 6, payloads=8, purpose=copytask.Purpose.VALIDATION);"
        "print(repr(s.accuracy))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(result.stdout) == metrics.validation_accuracy


class Malicious:
    def __reduce__(self):
        return exec, ("raise SystemExit('code from the file ran')",)


def test_a_checkpoint_cannot_run_code(tmp_path):
    torch.save({"format": 1, "model": Malicious()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="no readable checkpoint"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", pickle.dumps({"a": 1})])
def test_a_damaged_checkpoint_is_told(content, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(ValueError, match="checkpoint"):
        load_state(tmp_path)


def test_a_truncated_checkpoint_is_told(tmp_path):
    Trainer(make_config()).save(tmp_path)
    file = tmp_path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-1000])
    with pytest.raises(ValueError, match="no readable checkpoint"):
        load_model(tmp_path)


def test_a_missing_checkpoint_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_model(tmp_path / "nothing")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("model", sorted(MODELS))
def test_training_on_a_gpu(model, tmp_path):
    trainer = Trainer(make_config(model=model, device="cuda"))
    metrics = list(trainer)
    trainer.save(tmp_path)
    assert Trainer.load(tmp_path).progress == trainer.progress
    assert metrics[-1].training_loss < 10
