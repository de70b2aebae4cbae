"""Our journal as Optuna reads it; tests/search/decide/test_samplers.py has what a search writes."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.study.optuna_journal import OptunaJournal, TrialProgress

SPACE = {
    "rate": FloatDistribution(1e-4, 1e-2, log=True),
    "size": CategoricalDistribution([8, 16, None, "wide"]),
}


def trial(state: TrialState, *values: float, size=16) -> FrozenTrial:
    finished = state in (TrialState.COMPLETE, TrialState.PRUNED)
    return create_trial(
        state=state,
        value=values[-1] if finished else None,
        params={"rate": 0.003, "size": size},
        distributions=SPACE,
        intermediate_values=dict(enumerate(values, 1)),
        user_attrs={"trial_id": "a"},
    )


def facts(found: FrozenTrial) -> tuple:
    return (
        found.state, found.values, found.params, found.distributions, found.intermediate_values,
        found.user_attrs, found.datetime_complete is None, found.datetime_start is None,
    )  # fmt: skip


def read(path) -> dict[str, list[tuple]]:
    """What Optuna reads: the trials of each study."""
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    storage = optuna.storages.JournalStorage(backend)
    return {
        study.study_name: [facts(found) for found in storage.get_all_trials(study._study_id)]
        for study in storage.get_all_studies()
    }


def catch_up(journal: OptunaJournal, T: int, trials: list[FrozenTrial]) -> None:
    progress = [TrialProgress(one.state, len(one.intermediate_values)) for one in trials]
    journal.catch_up(T, progress, SPACE, trials.__getitem__)


LIVES = [
    [trial(TrialState.RUNNING), trial(TrialState.RUNNING, 0.1), trial(TrialState.COMPLETE, 0.1, 2)],
    [trial(TrialState.RUNNING, size=None), trial(TrialState.PRUNED, 0.1, 0.2, size=None)],
    [trial(TrialState.RUNNING, size="wide"), trial(TrialState.FAIL, size="wide")],
]


@pytest.mark.parametrize("reopened", [False, True])
def test_optuna_reads_each_trial_as_it_is(tmp_path, reopened):
    path = tmp_path / "journal"
    journal = OptunaJournal(path)
    for T in (5, 9):
        catch_up(journal, T, [])
    now: dict[int, list[FrozenTrial]] = {5: [], 9: []}
    for step in range(3):
        for T in (9, 5):
            for number, life in enumerate(LIVES):
                if step == 0:
                    journal.start(T, number, life[0])
                    now[T].append(life[0])
                elif step < len(life):
                    journal.update(T, number, life[step])
                    now[T][number] = life[step]
        expected = {f"T={T}": list(map(facts, now[T])) for T in (5, 9)}
        assert read(path) == expected
        if reopened:
            journal = OptunaJournal(path)
            for T in (5, 9):
                catch_up(journal, T, now[T])
            assert read(path) == expected


def test_what_is_missing_is_added_and_nothing_is_written_twice(tmp_path):
    path = tmp_path / "journal"
    ended = [life[-1] for life in LIVES]
    catch_up(OptunaJournal(path), 5, [LIVES[0][1], LIVES[1][0]])
    catch_up(OptunaJournal(path), 5, ended)
    size = path.stat().st_size
    catch_up(OptunaJournal(path), 5, ended)
    assert path.stat().st_size == size
    assert read(path) == {"T=5": list(map(facts, ended))}


@pytest.mark.parametrize(
    "others",
    [
        [trial(TrialState.RUNNING)],  # a failed trial runs again
        [],  # the log lost what Optuna has
    ],
)
def test_trials_that_cannot_become_the_expected_ones_are_written_anew(tmp_path, others):
    path = tmp_path / "journal"
    journal = OptunaJournal(path)
    catch_up(journal, 9, [LIVES[0][0]])
    catch_up(journal, 5, [trial(TrialState.FAIL)])
    journal = OptunaJournal(path)
    catch_up(journal, 5, others)
    catch_up(journal, 9, [LIVES[0][0]])
    journal.update(9, 0, LIVES[0][2])
    journal.start(5, len(others), LIVES[1][1])
    expected = {"T=9": [facts(LIVES[0][2])], "T=5": [*map(facts, others), facts(LIVES[1][1])]}
    assert read(path) == expected
    catch_up(OptunaJournal(path), 5, [*others, LIVES[1][1]])
    assert read(path) == expected


@pytest.mark.parametrize("damage", [b"nonsense\n", b"3\n", b'{"op_code":4}\n', b'{"op_code":7}\n'])
def test_a_damaged_file_is_set_aside(tmp_path, damage):
    path = tmp_path / "journal"
    path.write_bytes(damage)
    catch_up(OptunaJournal(path), 5, [LIVES[0][0]])
    assert read(path) == {"T=5": [facts(LIVES[0][0])]}
    assert (tmp_path / "journal.damaged").read_bytes() == damage
