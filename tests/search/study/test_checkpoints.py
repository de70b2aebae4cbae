import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copytask import Trainer, TrainingConfig
from search.study.checkpoints import checkpoint_path, load_latest, save_checkpoint, saved_iterations


def make_trainer() -> Trainer:
    config = TrainingConfig(
        model="gru", T=2, task="sequence", hidden_size=8, batch_size=4, learning_rate=0.02,
        tokens_per_iteration=200, max_tokens=4000, validation_payloads=8, precision="fp32",
        curriculum_length=10,
    )  # fmt: skip
    return Trainer(config)


@pytest.mark.parametrize("group", [1, 3])
def test_the_latest_the_best_and_the_best_that_the_search_knows_are_kept(tmp_path, group):
    trainer = make_trainer()
    for iteration in range(8):
        trainer.run_iteration()
        known = iteration // group * group  # it hears of so many at a time
        save_checkpoint(trainer, tmp_path, known)
        history = [(m.validation_accuracy, m.iteration) for m in trainer.history]
        best = {max(part)[1] for part in (history, history[:known]) if part}
        assert saved_iterations(tmp_path) == sorted({*best, len(history)})
    assert load_latest(tmp_path).history == trainer.history


def test_a_checkpoint_that_was_cut_off_is_passed_over(tmp_path):
    trainer = make_trainer()
    trainer.run_iteration()
    trainer.save(checkpoint_path(tmp_path, 1))
    trainer.run_iteration()
    trainer.save(checkpoint_path(tmp_path, 2))
    file = checkpoint_path(tmp_path, 2) / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-100])
    checkpoint_path(tmp_path, 3).mkdir()
    assert load_latest(tmp_path).progress.iteration == 1
    assert load_latest(tmp_path / "nothing") is None


def test_a_worker_that_was_given_up_removes_nothing_of_its_successor(tmp_path):
    old = make_trainer()
    old.run_iteration()
    save_checkpoint(old, tmp_path, old.progress.iteration - 1)
    new = load_latest(tmp_path)
    for _ in range(3):
        new.run_iteration()
        save_checkpoint(new, tmp_path, new.progress.iteration - 1)
    old.run_iteration()
    save_checkpoint(old, tmp_path, old.progress.iteration - 1)  # of iteration 2
    assert load_latest(tmp_path).progress.iteration == 4


def test_a_run_that_goes_on_from_its_checkpoint_is_bit_identical(tmp_path):
    whole, cut = make_trainer(), make_trainer()
    for _ in range(3):
        whole.run_iteration()
        cut.run_iteration()
        save_checkpoint(cut, tmp_path, cut.progress.iteration - 1)
        cut = load_latest(tmp_path)
    timing = {"seconds", "seconds_to_solve"}

    def curve(trainer):
        return [{k: v for k, v in vars(m).items() if k not in timing} for m in trainer.history]

    assert curve(cut) == curve(whole)


@pytest.fixture(scope="module")
def latest_two(tmp_path_factory) -> list[bytes]:
    """The checkpoints of the first two iterations of a run."""
    folder, trainer, contents = tmp_path_factory.mktemp("whole"), make_trainer(), []
    for _ in range(2):
        trainer.run_iteration()
        trainer.save(folder)
        contents.append((folder / "checkpoint.pt").read_bytes())
    return contents


@given(place=st.integers(0, 999), bits=st.integers(1, 255), cut=st.booleans())
def test_whatever_is_wrong_with_the_latest_the_one_before_is_taken(latest_two, place, bits, cut):
    before, after = latest_two
    content = bytearray(after)
    at = place * len(content) // 1000
    if cut:
        del content[at:]
    else:
        content[at] ^= bits
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for iteration, bytes_ in enumerate([before, content], start=1):
            path = checkpoint_path(folder, iteration)
            path.mkdir()
            (path / "checkpoint.pt").write_bytes(bytes_)
        iteration = load_latest(folder).progress.iteration
        if iteration == 2:  # the byte means nothing
            whole = folder / "whole"
            whole.mkdir()
            (whole / "checkpoint.pt").write_bytes(after)
            found, expected = (
                Trainer.load(path).model.state_dict()
                for path in (checkpoint_path(folder, 2), whole)
            )
            assert all(found[name].equal(expected[name]) for name in expected)
        else:
            assert iteration == 1


@pytest.mark.parametrize("content", [b"", b"PK"])
def test_damage_of_all_checkpoints_starts_anew(tmp_path, content):
    trainer = make_trainer()
    trainer.run_iteration()
    save_checkpoint(trainer, tmp_path, trainer.progress.iteration - 1)
    (checkpoint_path(tmp_path, 1) / "checkpoint.pt").write_bytes(content)
    assert load_latest(tmp_path) is None
