import copy
import dataclasses
import itertools
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from copytask import (
    MODELS,
    OPTIMIZERS,
    TASKS,
    DivergedError,
    Purpose,
    Trainer,
    TrainingConfig,
    check_cell,
    evaluate,
    load_model,
)
from copytask.tasks.delay import Delay
from copytask.training.checkpoint import load_state, save_state
from copytask.training.metrics import Progress, solving_accuracy
from copytask.training.seeds import make_generator


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


ADAPTIVE = {
    "curriculum": "adaptive", "growth_accuracy": 0.2, "task": "sequence", "beyond_share": 0.3,
    "decay_share": 0.7, "learning_rate": 1e-2,
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [*({"model": model} for model in [*sorted(MODELS), USER_CELL]), ADAPTIVE,
     {"training_payloads": 7, "max_steps": 40}],
    ids=lambda changes: changes.get("model", next(iter(changes))),
)  # fmt: skip
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_run_that_was_stopped_and_restored_is_bit_identical(changes, stop_after, tmp_path):
    whole = Trainer(make_config(**changes))
    expected = [comparable(m) for m in whole]

    trainer = Trainer(make_config(**changes))
    for _ in range(stop_after):
        trainer.run_iteration()
    trainer.save(tmp_path)
    torch.manual_seed(12345)  # a fresh process has another global state
    restored = Trainer.load(tmp_path, cell=whole.config.model)
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


def test_the_budget_in_steps_ends_the_run_and_its_last_iteration():
    config = make_config(max_steps=23, tokens_per_iteration=1000, max_tokens=10**9)
    trainer = Trainer(config)
    metrics = list(trainer)
    assert metrics[-1].step == 23
    assert metrics[-1].learning_rate == 0.0
    assert trainer.finished


def test_the_learning_rate_falls_with_whichever_budget_is_spent_first():
    config = make_config(max_steps=100, max_tokens=10**9, decay_share=0.5, learning_rate=0.1)
    rates = {m.step: m.learning_rate for m in Trainer(config)}
    for step, rate in rates.items():
        assert rate == pytest.approx(0.1 * min(1.0, (1 - step / 100) / 0.5))


def training_batches(config) -> list[torch.Tensor]:
    """The tokens of every training batch, each of shape (L, B)."""
    trainer = Trainer(config)
    batches = []
    trainer.model.register_forward_hook(
        lambda model, inputs, output: batches.append(inputs[0]) if model.training else None
    )
    list(trainer)
    return batches


def test_fixed_payloads_are_visited_epoch_by_epoch():
    config = make_config(training_payloads=6, curriculum_length=0, max_steps=9, batch_size=4)
    tokens = torch.cat(training_batches(config), dim=1)
    assert tokens.shape[1] == 9 * 4
    epochs = tokens.split(6, dim=1)
    assert all(epoch.equal(epochs[0]) for epoch in epochs)
    assert len({tuple(column.tolist()) for column in epochs[0].T}) == 6
    other = torch.cat(training_batches(dataclasses.replace(config, seed=1)), dim=1)
    assert not other.equal(tokens)


def validated_payloads(trainer: Trainer) -> list[torch.Tensor]:
    """The payloads of each evaluation at T of the delay task, shape (10, payloads)."""
    found = []
    trainer.model.register_forward_hook(
        lambda model, inputs, output: None if model.training else found.append(inputs[0])
    )
    list(trainer)
    length = TASKS["delay"].length(trainer.config.T)
    return [tokens[:10] for tokens in found if len(tokens) == length]


def columns(payloads: list[torch.Tensor]) -> list[tuple[int, ...]]:
    return [tuple(column.tolist()) for tokens in payloads for column in tokens.T]


def test_every_evaluation_has_payloads_of_its_own():
    parts = validated_payloads(Trainer(make_config()))
    assert len(parts) == 6
    assert len(set(columns(parts))) == 6 * 8


def test_trials_that_are_compared_have_the_same_payloads_at_the_same_iteration():
    one, other = (validated_payloads(Trainer(make_config(seed=seed))) for seed in (0, 1))
    assert all(a.equal(b) for a, b in zip(one, other, strict=True))
    another = validated_payloads(Trainer(make_config(validation_seed=1)))
    assert not set(columns(one)) & set(columns(another))


def test_data_for_training_validation_test_and_confirmation_never_coincide():
    # All of one seed, which is when they would.
    config = make_config(task="delay", curriculum_length=0, max_steps=9)
    sets = [set(columns([tokens[:10] for tokens in training_batches(config)])),
            set(columns(validated_payloads(Trainer(config))))]  # fmt: skip
    for purpose in (Purpose.TEST, Purpose.CONFIRMATION, Purpose.VALIDATION):
        generator = make_generator(config.seed, purpose)
        batches = [TASKS["delay"].sample_batch(generator, 8, 6) for _ in range(6)]
        sets.append(set(columns([batch.targets for batch in batches])))
    assert sets.pop() & sets[1]  # payloads of one stream would be found
    assert len(set.union(*sets)) == sum(map(len, sets))


def write_as_before(trainer: Trainer, path) -> None:
    """The checkpoint of a version that validated on the same payloads each time."""
    trainer.save(path)
    state = load_state(path)
    del state["validation_generator"]
    save_state(state, path)


def test_a_run_of_an_earlier_version_goes_on_with_fresh_payloads(tmp_path):
    whole = list(Trainer(make_config()))
    trainer = Trainer(make_config())
    trainer.run_iteration()
    write_as_before(trainer, tmp_path)
    restored = Trainer.load(tmp_path)
    parts = validated_payloads(restored)
    assert len(set(columns(parts))) == 5 * 8
    assert [m.training_loss for m in restored.history] == [m.training_loss for m in whole]


def test_fresh_payloads_do_not_repeat():
    tokens = torch.cat(training_batches(make_config(curriculum_length=0, max_steps=9)), dim=1)
    assert len({tuple(column.tolist()) for column in tokens.T}) == 9 * 4


def test_a_curriculum_shows_the_beginnings_of_fixed_payloads():
    config = make_config(task="sequence", T=9, training_payloads=4, curriculum_length=5)
    batches = training_batches(config)
    whole = next(b for b in batches if len(b) == 2 * 9 + 11)[:9]
    for batch in batches:
        S = (len(batch) - 11) // 2
        assert batch[:S].equal(whole[:S])


def test_lengths_beyond_the_curriculum_get_their_share_while_the_learning_rate_falls():
    config = make_config(
        task="sequence", T=60, curriculum="adaptive", growth_accuracy=1.0, beyond_share=0.4,
        decay_share=0.5, max_tokens=100_000, tokens_per_iteration=100_000,
    )  # fmt: skip
    sizes = [batch.numel() for batch in training_batches(config)]
    longest = 4 * (2 * 2 + 11)  # that the curriculum has reached
    ends = list(itertools.accumulate(sizes))
    early = [size for size, end in zip(sizes, ends, strict=True) if end <= 50_000]
    late = sizes[len(early) :]
    assert max(early) == longest
    assert max(late) == 4 * (2 * 60 + 11)
    share = sum(size for size in late if size > longest) / sum(late)
    assert share == pytest.approx(0.4, abs=0.05)


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


@pytest.mark.parametrize(
    ("accuracies", "first"),
    [
        ([1.0, 0.98, 0.992, 0.9935, 0.5], 2),
        ([0.991, 0.9915, 0.9939], 1),  # the first two are within the sampling error of 0.99
        ([0.989, 1.0, 0.989, 1.0], None),  # each must reach 0.99
        ([0.991] * 9, None),
    ],
)
def test_solving_takes_two_evaluations_in_a_row_that_show_it_together(accuracies, first):
    progress = Progress()
    for number, accuracy in enumerate(accuracies):
        progress.tokens = number
        progress.note_accuracy(accuracy, symbols=2000)
    assert progress.solved == (first is not None)
    if progress.solved:
        assert progress.tokens_at_first_hit == first


@given(st.integers(1, 10**6))
def test_a_perfect_accuracy_always_shows_that_T_is_solved(symbols):
    assert 0.99 < solving_accuracy(symbols) <= 1.0


def test_the_margin_is_the_sampling_error():
    rng = np.random.default_rng(0)
    for symbols in (2000, 4000, 100_000):
        accuracies = rng.binomial(symbols, 0.99, size=20_000) / symbols
        assert 0.035 < (accuracies >= solving_accuracy(symbols)).mean() < 0.06


@pytest.mark.parametrize("changes", [{"learning_rate": 1e3}, {"learning_rate": 1e30}])
def test_divergence_is_told(changes):
    trainer = Trainer(make_config(max_tokens=100_000, clip_norm=0, **changes))
    with pytest.raises(DivergedError, match=r"training diverged: mean loss .* \(chance is 2.30\)"):
        list(trainer)


class LargeLoss(Delay):
    """Its loss has another scale."""

    def loss(self, logits, targets):
        return 1000 * super().loss(logits, targets)


def test_a_loss_of_the_task_s_own_may_have_any_scale():
    metrics = Trainer(make_config(task=f"{__name__}:LargeLoss", max_tokens=500)).run_iteration()
    assert metrics.training_loss > 1000
    assert metrics.validation_loss < 10


@pytest.mark.parametrize("map", ["matrix_exp", "cayley", "householder"])
def test_weight_decay_leaves_an_orthogonal_matrix_orthogonal(map):
    architecture = {"map": map}
    trainer = Trainer(make_config(model="exprnn", architecture=architecture, weight_decay=0.1))
    trainer.run_iteration()
    weight = trainer.model.core.weight_hh_l0.detach()
    assert torch.allclose(weight @ weight.T, torch.eye(8), atol=1e-4)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_gradient_that_overflowed_changes_nothing(optimizer):
    trainer = Trainer(make_config(optimizer=optimizer, weight_decay=0.1))
    trainer.run_iteration()
    weights = [p.detach().clone() for p in trainer.model.parameters()]
    moments = copy.deepcopy(trainer._optimizer.state_dict()["state"])
    hook = trainer.model.readout.weight.register_hook(lambda gradient: gradient * math.inf)
    trainer._train_step()
    assert all(a.equal(b) for a, b in zip(weights, trainer.model.parameters(), strict=True))
    for index, of_parameter in trainer._optimizer.state_dict()["state"].items():
        for name, value in of_parameter.items():
            assert value is moments[index][name] is None or value.equal(moments[index][name])
    hook.remove()
    trainer._train_step()
    assert all(p.isfinite().all() for p in trainer.model.parameters())
    assert not weights[0].equal(next(trainer.model.parameters()))


class Rotation(nn.Module):
    """A cell with a complex parameter."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.inner = nn.GRU(input_size, hidden_size)
        self.factor = nn.Parameter(torch.randn(hidden_size, dtype=torch.complex64))

    def forward(self, input, state=None):
        output, state = self.inner(input, state)
        return (output * self.factor).real, state


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_complex_parameters_are_trained(optimizer):
    trainer = Trainer(make_config(model=f"{__name__}:Rotation", optimizer=optimizer))
    before = trainer.model.core.cell.factor.detach().clone()
    trainer.run_iteration()
    assert not trainer.model.core.cell.factor.equal(before)


class Counted(Delay):
    """A task that counts how often it is made."""

    made = 0

    def __init__(self):
        type(self).made += 1


def test_a_training_makes_its_task_once():
    """What a task of a user's own draws when it is made is then the same in every evaluation."""
    config = make_config(task=f"{__name__}:Counted")
    trainer = Trainer(config)
    made = Counted.made
    trainer.run_iteration()
    assert Counted.made == made


def test_a_training_on_the_cpu_leaves_generators_of_gpus_alone(monkeypatch):
    seeded = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    monkeypatch.setattr(torch.cuda, "manual_seed", seeded.append)
    Trainer(make_config(device="cpu")).run_iteration()
    check_cell(USER_CELL, 8)
    assert seeded == []


FIELD_CHANGES = {
    "model": "lstm", "T": 7, "task": "sequence", "hidden_size": 9, "learning_rate": 1e-2,
    "curriculum_length": 5, "batch_size": 5, "optimizer": "sgd", "weight_decay": 0.5,
    "clip_norm": 1e-3, "architecture": {"forget_bias": 3.0, "initialization": "published"},
    "tokens_per_iteration": 700, "max_tokens": 1500, "decay_share": 0.9, "seed": 1,
    "validation_payloads": 9, "validation_seed": 1, "curriculum": "adaptive", "growth": 1.0,
    "growth_accuracy": 0.9, "long_share": 0.9, "beyond_share": 0.4, "training_payloads": 3,
    "max_steps": 17,
}  # fmt: skip


@pytest.mark.parametrize("field", FIELD_CHANGES)
def test_every_setting_reaches_the_training(field):
    base = {"model": "mgru", "optimizer": "adamw"}
    # Adam hides the gradient's scale, so clipping and decay show in SGD.
    if field in {"clip_norm", "weight_decay"}:
        base["optimizer"] = "sgd"
    if field in {"growth", "growth_accuracy", "long_share"}:
        base |= {"curriculum": "adaptive", "growth_accuracy": 0.1}
    one = [comparable(m) for m in Trainer(make_config(**base))]
    other = [comparable(m) for m in Trainer(make_config(**{**base, field: FIELD_CHANGES[field]}))]
    assert one != other


@pytest.mark.parametrize("implementation", ["fused", "torch", "reference"])
def test_every_implementation_trains_alike(implementation):
    trainer = Trainer(make_config(model="gru", architecture={"implementation": implementation}))
    assert trainer.model.core.implementation == implementation
    losses = [m.training_loss for m in trainer]
    expected = [m.training_loss for m in Trainer(make_config(model="gru"))]
    assert losses == pytest.approx(expected, rel=1e-4)


def test_the_list_of_settings_above_is_complete():
    fields = {field.name for field in dataclasses.fields(TrainingConfig)}
    assert set(FIELD_CHANGES) == fields - {
        "stop_when_solved", "device", "implementation", "precision",
        "rewind",  # see test_rewind.py: it needs a fall
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"T": 0}, "T must be >= 1"),
        ({"T": 10.5}, "T must be a whole number, but got 10.5"),
        ({"batch_size": True}, "batch_size must be a whole number, but got True"),
        ({"learning_rate": "1e-3"}, "learning_rate must be a number, but got '1e-3'"),
        ({"hidden_size": 0}, "hidden_size must be >= 1"),
        ({"learning_rate": -1.0}, "learning_rate must be > 0"),
        ({"learning_rate": math.inf}, "learning_rate must be > 0"),
        ({"optimizer": "adamm"}, "optimizer must be one of adam"),
        ({"task": "delays"}, "unknown task"),
        ({"decay_share": 1.5}, "decay_share must be in 0..1"),
        ({"curriculum": "steep"}, "curriculum must be one of ramp, adaptive"),
        ({"growth": 0.0}, "growth must be > 0"),
        ({"growth_accuracy": 1.1}, "growth_accuracy must be in 0..1"),
        ({"long_share": -0.1}, "long_share must be in 0..1"),
        ({"beyond_share": 2.0}, "beyond_share must be in 0..1"),
        ({"training_payloads": -1}, "training_payloads must be >= 0"),
        ({"max_steps": -1}, "max_steps must be >= 0"),
        ({"seed": -1}, "seed"),
        ({"device": "warp"}, "device"),
        ({"device": "mps"}, "mps has no float64"),
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
        "s = copytask.evaluate_ladder(m, 'delay', 6, payloads=8, seed=0)[6];"
        "print(repr(s.cross_entropy))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert float(result.stdout) == metrics.validation_loss


def test_a_missing_checkpoint_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint at"):
        load_model(tmp_path / "nothing")


def test_training_on_a_cpu_leaves_the_gpus_alone(monkeypatch):
    def fail(*_):
        raise AssertionError("the generator of a GPU was touched")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    # torch's optimizers ask once they believe that there is a GPU; without one that is an error.
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    for name in ("get_rng_state", "get_rng_state_all", "set_rng_state", "set_rng_state_all"):
        monkeypatch.setattr(torch.cuda, name, fail)
    Trainer(make_config(device="cpu")).run_iteration()


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("model", sorted(MODELS))
def test_training_on_a_gpu(model, tmp_path):
    trainer = Trainer(make_config(model=model, device="cuda"))
    metrics = list(trainer)
    trainer.save(tmp_path)
    assert Trainer.load(tmp_path).progress == trainer.progress
    assert metrics[-1].training_loss < 10


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("model", sorted(MODELS))
def test_the_same_training_on_a_gpu_gives_the_same_bits(model):
    one, other = (list(Trainer(make_config(model=model, device="cuda"))) for _ in range(2))
    assert [comparable(m) for m in one] == [comparable(m) for m in other]


@pytest.mark.gpu
@needs_gpu
def test_data_do_not_depend_on_the_device():
    configs = [make_config(device=device, training_payloads=n)
               for n in (0, 3) for device in ("cpu", "cuda")]  # fmt: skip
    fresh, fresh_gpu, fixed, fixed_gpu = ([b.cpu() for b in training_batches(c)] for c in configs)
    assert all(a.equal(b) for a, b in zip(fresh, fresh_gpu, strict=True))
    assert all(a.equal(b) for a, b in zip(fixed, fixed_gpu, strict=True))
    cpu, gpu = (validated_payloads(Trainer(config)) for config in configs[:2])
    assert all(a.equal(b.cpu()) for a, b in zip(cpu, gpu, strict=True))


@pytest.mark.gpu
@needs_gpu
@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_step_does_not_wait_for_the_gpu(model, optimizer):
    trainer = Trainer(make_config(model=model, optimizer=optimizer, device="cuda"))
    trainer.run_iteration()  # graphs are captured, buffers are made
    torch.cuda.set_sync_debug_mode("error")
    try:
        trainer._train_step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.gpu
@needs_gpu
def test_a_trainer_forks_the_generator_of_its_own_gpu_alone(tmp_path):
    trainer = Trainer(make_config(model=USER_CELL, device="cuda"))
    trainer.run_iteration()
    trainer.save(tmp_path)
    assert len(load_state(tmp_path)["global_rng"]["cuda"]) == 1
    rest = [comparable(m) for m in trainer]
    assert [comparable(m) for m in Trainer.load(tmp_path, cell=USER_CELL)] == rest


@pytest.mark.parametrize("task", ["selective", "recall"])
def test_a_task_that_is_more_than_a_payload_has_no_fixed_payloads(task):
    with pytest.raises(ValueError, match="training_payloads must be 0"):
        TrainingConfig(model="gru", T=3, task=task, training_payloads=2)
