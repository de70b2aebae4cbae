"""The configurations in configs/ are ones that every model can be searched with."""

from pathlib import Path

import pytest
from searches import ROOT, read, run

from copytask import MODELS, Trainer
from search.config.reading import load_config
from search.config.study_config import StudyConfig
from studies import format as files

CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
SEED_PROTOCOL = ROOT / "configs" / "seed-protocol.yaml"
SEQUENCE = ROOT / "configs" / "sequence.yaml"


def load(path: Path, *overrides: str, model: str = "lstm") -> StudyConfig:
    return load_config(path, overrides, {"model": model})


@pytest.mark.parametrize("model", sorted(MODELS))
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_trial_of_every_configuration_has_a_valid_training(path, model):
    config = load(path, model=model)
    examples = {name: d.examples()[0] for name, d in config.dimensions().items()}
    for T in config.T:
        training = config.training_config(T, examples, seed=0)
        assert training.max_tokens >= training.tokens_per_iteration


def test_the_protocol_of_the_old_study_is_forty_steps_on_fixed_data_at_full_length():
    config = load(
        SEED_PROTOCOL, "training.batch_size=4", "training.training_payloads=8",
        "space.hidden_size=32",
    )  # fmt: skip
    assert config.dimensions() == {}  # nothing is searched
    for T in (5, 20):
        (metrics,) = Trainer(config.training_config(T, {}, seed=0))
        assert metrics.step == 40
        assert metrics.tokens == 40 * 4 * (2 * T + 11)
        assert metrics.max_length == T
        assert metrics.learning_rate == 1e-3


@pytest.mark.slow
def test_the_protocol_of_the_old_study_learns_nothing(tmp_path):
    code, _, err = run(
        "search.run", "--config", SEED_PROTOCOL, "--model", "gru", "--storage", tmp_path,
        "--T", 30, "--set", "training.batch_size=16", "--set", "training.training_payloads=32",
    )  # fmt: skip
    assert (code, err) == (0, "")
    (row,) = read(tmp_path / "gru-sequence" / files.BEST_FILE)
    assert float(row["accuracy_low"]) <= 0.1 <= float(row["accuracy_high"])
    assert int(row["trials"]) == 3


def test_the_adaptive_curriculum_learns():
    config = load(
        SEQUENCE, "training.max_tokens=400000", "training.tokens_per_iteration=50000",
        "training.precision=fp32", "space.hidden_size=64",
    )  # fmt: skip
    history = list(Trainer(config.training_config(4, {"learning_rate": 1e-2}, seed=0)))
    lengths = [metrics.max_length for metrics in history]
    assert lengths[0] == 2
    assert lengths[-1] == 4
    assert history[-1].validation_accuracy > 0.5  # chance is 0.1
