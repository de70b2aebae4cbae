import gzip

import pandas as pd
import pytest

from benchmarks import learning_curves
from benchmarks.replay.curves import Pool, read_table
from search.config.reading import load_config

POINTS = [
    {"iteration": 1, "tokens": 400, "seconds": 1.5, "validation_accuracy": 0.995,
     "ladder_accuracy": 0.9, "tokens_to_solve": None},
    {"iteration": 2, "tokens": 800, "seconds": 3.0, "validation_accuracy": 0.998,
     "ladder_accuracy": 0.95, "tokens_to_solve": 400},
]  # fmt: skip


@pytest.fixture
def trained(monkeypatch) -> list:
    """The trainings that were made; none trains."""
    made = []
    monkeypatch.setattr(
        learning_curves, "learning_curve", lambda training: made.append(training) or POINTS
    )
    return made


def start(monkeypatch, path, *options: str) -> pd.DataFrame:
    arguments = ["--output", str(path), "--configurations", "2", "--processes", "1", *options]
    monkeypatch.setattr("sys.argv", ["learning_curves", *arguments])
    learning_curves.main()
    return read_table(path)


def test_each_configuration_is_trained_twice_with_fresh_seeds(tmp_path, monkeypatch, trained):
    rows = start(monkeypatch, tmp_path / "pool.csv.gz")
    assert len(rows) == 2 * 2 * 2 * len(POINTS), "models, configurations, seeds"
    assert len({training.seed for training in trained}) == 2 * 2, "the models share them"
    assert all(training.validation_seed == training.seed for training in trained)
    assert all(training.validation_payloads == 500 for training in trained)
    assert {training.T for training in trained} == {1000}
    for _, group in rows.groupby(["configuration"]):
        assert group["learning_rate"].nunique() == 1


def test_the_pool_can_be_replayed(tmp_path, monkeypatch, trained):
    rows = start(monkeypatch, tmp_path / "pool.csv.gz", "--configurations", "20")
    config = load_config(learning_curves.make_parser().parse_args([]).config, [], {"model": "lstm"})
    pool = Pool.read(rows, "lstm", 1000, config.dimensions())
    assert len(pool) == 20
    assert all(c.solved == 2 for c in pool.configurations)


def test_the_name_of_a_machine_may_have_a_comma(tmp_path, monkeypatch, trained):
    path = tmp_path / "pool.csv.gz"
    monkeypatch.setattr(learning_curves, "machine", lambda: "Processor (Fast, 3), 2 cores")
    start(monkeypatch, path)
    rows = start(monkeypatch, path, "--configurations", "3")
    assert set(rows["machine"]) == {"Processor (Fast, 3), 2 cores"}
    assert set(rows["validation_payloads"]) == {500}


def test_a_second_start_trains_what_is_missing(tmp_path, monkeypatch, trained):
    path = tmp_path / "pool.csv.gz"
    start(monkeypatch, path)
    before = path.read_bytes()
    trained.clear()
    start(monkeypatch, path)
    assert not trained
    assert path.read_bytes() == before
    rows = start(monkeypatch, path, "--configurations", "3")
    assert len(trained) == 2 * 2
    assert rows["configuration"].nunique() == 3


def test_a_pool_of_other_settings_is_refused_in_one_line(tmp_path, monkeypatch, trained):
    path = tmp_path / "pool.csv.gz"
    start(monkeypatch, path)
    with pytest.raises(SystemExit, match=r"pool.csv.gz was measured with precision fp32, not bf16"):
        start(monkeypatch, path, "--set", "training.precision=bf16")


def test_a_training_that_diverges_ends_with_a_row_without_accuracies(tmp_path):
    config = load_config(
        learning_curves.make_parser().parse_args([]).config,
        ["training.tokens_per_iteration=2000", "training.max_tokens=4000"],
        {"model": "lstm", "T": [4]},
    )
    values = {"learning_rate": 1e30, "hidden_size": 32, "curriculum_length": 0}
    curve = learning_curves.learning_curve(
        config.model_copy(update={"space": {}}).training_config(4, values, 0)
    )
    assert "validation_accuracy" not in curve[-1]
    pool = learning_curves.PoolFile(tmp_path / "pool.csv.gz", ["learning_rate"], {"torch": "2"})
    identity = {"model": "lstm", "T": 4, "configuration": 0, "seed": 0, "learning_rate": 1e30}
    pool.add(identity, curve)
    with gzip.open(tmp_path / "pool.csv.gz", "rt") as file:
        assert file.read().splitlines()[-1].endswith(",,,,2")
