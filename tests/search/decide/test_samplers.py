import dataclasses
import math
from functools import partial
from pathlib import Path

import optuna
import pytest
from made_studies import SPACE, make_config, report
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

from search.config.algorithms import SAMPLERS
from search.decide.samplers import Sampler
from search.decide.suggester import Suggester, SuggesterLostError, trial_seed
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import format as files

LENGTHS = {"low": 5, "high": 500, "log": True}


def make_study(tmp_path, **search) -> Study:
    sampler = search.pop("sampler", "tpe")
    config = make_config(**search)
    space = {**SPACE, "curriculum_length": LENGTHS}
    if sampler == "grid":
        space["learning_rate"] = {"low": 0.001, "high": 0.009, "step": 0.001}
        space["curriculum_length"] = {"low": 5, "high": 500, "step": 55}
    changed = config.model_copy(
        update={"space": space, "search": config.search.model_copy(update={"sampler": sampler})}
    )
    return Study.create(tmp_path / "study", changed)


def make_sampler(study: Study) -> Sampler:
    sampler = Sampler(study, 5, OptunaJournal(study.path / files.OPTUNA_FILE))
    sampler.catch_up()
    return sampler


def load(study: Study) -> list[optuna.trial.FrozenTrial]:
    """What anyone who opens the journal sees."""
    storage = storage_of(study.path / files.OPTUNA_FILE)
    return optuna.load_study(study_name="T=5", storage=storage).trials


def storage_of(path: Path) -> optuna.storages.JournalStorage:
    """Optuna's own journal in a file."""
    backend = optuna.storages.journal.JournalFileBackend(str(path))
    return optuna.storages.JournalStorage(backend)


def show(monkeypatch, kind: str, trials: int) -> None:
    """Let a sampler see so few finished trials, if it does not need all."""
    usual = SAMPLERS[kind]
    shown = trials if math.isfinite(usual.shown) else math.inf
    monkeypatch.setitem(SAMPLERS, kind, dataclasses.replace(usual, shown=shown))


def start(study: Study, sampler: Sampler, initial=()) -> str:
    name, training = sampler.ask(initial)
    sampler.started(study.start_trial(name, training))
    return name


def tell(study: Study, sampler: Sampler, name: str, accuracy: float, status: str = "") -> None:
    report(study, name, len(study.history.trials[name].curve) + 1, accuracy, status)
    sampler.reported(study.history.trials[name])


def hyperparameters(study: Study) -> list[tuple]:
    names = ("learning_rate", "hidden_size", "curriculum_length")
    return [
        tuple(trial.training[name] for name in names) for trial in study.history.trials.values()
    ]


def test_every_ending_reaches_optuna_as_what_it_is(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    a, b, c, d, e = (start(study, sampler) for _ in range(5))
    for name in (a, b, c, d):
        tell(study, sampler, name, 0.2)
    assert [t.state for t in load(study)] == [TrialState.RUNNING] * 5
    tell(study, sampler, a, 0.9, files.COMPLETED)
    tell(study, sampler, b, 0.4, files.STOPPED_EARLY)
    study.fail_trial(c, "why")
    sampler.reported(study.history.trials[c])
    study.end_length(5, "budget_minutes")  # cuts d and e off
    for name in (d, e):
        sampler.reported(study.history.trials[name])
    trials = load(study)
    assert [t.state.name for t in trials] == ["COMPLETE", "PRUNED", "FAIL", "FAIL", "FAIL"]
    assert (trials[0].value, trials[1].value) == (0.45, 0.2)  # ladder accuracy
    assert trials[1].intermediate_values == {1: 0.1, 2: 0.2}  # the rung's own value as well
    assert [t.user_attrs["trial_id"] for t in trials] == [a, b, c, d, e]


def test_initial_points_come_first_verbatim(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    points = [{"learning_rate": 0.0031, "hidden_size": 16}, {"learning_rate": 0.0007}]
    for _ in range(3):
        start(study, sampler, points)
    rows = hyperparameters(study)
    assert rows[0][:2] == (0.0031, 16)
    assert rows[1][0] == 0.0007
    assert rows[2][0] not in {0.0031, 0.0007}


@pytest.mark.parametrize("kind", SAMPLERS)
@pytest.mark.parametrize("restarts", [{3}, {1, 4, 5}, set(range(12))])
@pytest.mark.parametrize("shown", [500, 5])  # trials that the sampler sees: all of them, or not
def test_a_search_that_is_restarted_suggests_what_it_would_have(
    tmp_path, monkeypatch, kind, restarts, shown
):
    show(monkeypatch, kind, shown)
    monkeypatch.setattr("search.decide.limited_storage.GOOD_TRIALS", 2)

    def run(folder, restarts) -> tuple[list[tuple], list[tuple]]:
        folder.mkdir()
        study = make_study(folder, sampler=kind, startup_trials=2)
        sampler = make_sampler(study)
        for number in range(12):
            if number in restarts:
                study.close()
                study = Study.open(study.path)
                sampler = make_sampler(study)
            name = start(study, sampler)
            rate = study.history.trials[name].training["learning_rate"]
            tell(study, sampler, name, rate * 50)
            status = files.COMPLETED if rate > 0.004 else files.STOPPED_EARLY
            tell(study, sampler, name, rate * 80, status)
        states = [(t.state, t.value, t.params, t.intermediate_values) for t in load(study)]
        study.close()
        return hyperparameters(study), states

    whole, restarted = run(tmp_path / "whole", set()), run(tmp_path / "restarted", restarts)
    assert restarted == whole
    assert len(set(whole[0])) >= 10  # gp comes back to a corner


@pytest.mark.parametrize("kind", SAMPLERS)
def test_with_several_trials_at_a_time_a_restart_changes_no_suggestion_either(tmp_path, kind):
    def run(folder, restarts) -> list[tuple]:
        folder.mkdir()
        study = make_study(folder, sampler=kind, startup_trials=2)
        sampler = make_sampler(study)
        names: list[str] = []
        for number in range(20):
            if number in restarts:
                study.close()
                study = Study.open(study.path)
                sampler = make_sampler(study)
            names.append(start(study, sampler, [{"learning_rate": 0.002}]))
            if number >= 3:
                ending = (number - 3) ^ 1  # trials do not end in their order
                rate = study.history.trials[names[ending]].training["learning_rate"]
                status = files.COMPLETED if rate > 0.004 else files.STOPPED_EARLY
                if ending == 6:
                    study.fail_trial(names[ending], "diverged")
                    sampler.reported(study.history.trials[names[ending]])
                else:
                    tell(study, sampler, names[ending], rate * 50, status)
        study.close()
        return hyperparameters(study)

    whole = run(tmp_path / "whole", set())
    assert run(tmp_path / "restarted", {3, 7, 12, 13, 19}) == whole
    assert run(tmp_path / "often", set(range(20))) == whole


@pytest.mark.parametrize("kind", SAMPLERS)
def test_what_a_running_trial_reports_changes_no_suggestion_not_even_after_a_restart(
    tmp_path, kind
):
    def run(name: str, reports: int, restart: bool = False) -> tuple:
        study = make_study(tmp_path / name, sampler=kind, startup_trials=1)
        sampler = make_sampler(study)
        for accuracy in (0.3, 0.6):
            tell(study, sampler, start(study, sampler), accuracy, files.COMPLETED)
        running = start(study, sampler)
        for _ in range(reports):
            tell(study, sampler, running, 0.9)
        if restart:
            study.close()
            study = Study.open(study.path)
            sampler = make_sampler(study)
        start(study, sampler)
        study.close()
        return hyperparameters(study)[-1]

    silent = run("silent", 0)
    assert run("reports", 2) == run("restarted", 2, restart=True) == silent


def test_what_a_killed_search_did_not_tell_optuna_is_told_when_it_goes_on(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    a, b = start(study, sampler), start(study, sampler)
    tell(study, sampler, a, 0.2)
    # From here on the process is killed between the event and Optuna's journal, every time.
    report(study, a, 2, 0.6, files.STOPPED_EARLY)
    study.fail_trial(b, "why")
    name, training = sampler.ask(())
    study.start_trial(name, training)
    study.close()
    make_sampler(Study.open(study.path))
    first, second, third = load(study)
    assert (first.state, first.value) == (TrialState.PRUNED, 0.3)
    assert first.intermediate_values == {1: 0.1, 2: 0.3}
    assert (second.state, third.state) == (TrialState.FAIL, TrialState.RUNNING)
    assert third.user_attrs["trial_id"] == name


def test_a_whole_number_is_told_to_optuna_as_the_trial_has_it(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    for _ in range(8):
        start(study, sampler)
    lengths = [length for *_, length in hyperparameters(study)]
    assert all(type(length) is int and 5 <= length <= 500 for length in lengths)
    assert [trial.params["curriculum_length"] for trial in load(study)] == lengths


def test_the_journal_of_a_version_that_sampled_whole_numbers_is_written_anew(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    name = start(study, sampler)
    tell(study, sampler, name, 0.2, files.COMPLETED)
    rate, size, length = hyperparameters(study)[0]
    study.close()
    journal = study.path / files.OPTUNA_FILE
    journal.unlink()
    earlier = optuna.create_study(
        storage=storage_of(journal), study_name="T=5", direction="maximize"
    )
    earlier.add_trial(
        create_trial(
            params={"learning_rate": rate, "hidden_size": size, "curriculum_length": length},
            distributions={
                "learning_rate": FloatDistribution(1e-4, 1e-2, log=True),
                "hidden_size": CategoricalDistribution([8, 16]),
                "curriculum_length": IntDistribution(5, 500, log=True),
            },
            value=0.1,
            intermediate_values={1: 0.1},
            user_attrs={"trial_id": name},
        )
    )
    study = Study.open(study.path)
    sampler = make_sampler(study)
    start(study, sampler)
    first, second = load(study)
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.RUNNING)
    assert first.distributions == second.distributions
    assert first.params["curriculum_length"] == length


def test_a_failed_trial_that_runs_again_runs_for_optuna_too(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    names = [start(study, sampler) for _ in range(3)]
    for name in names[:2]:
        study.fail_trial(name, "why")
        sampler.reported(study.history.trials[name])
    tell(study, sampler, names[2], 0.2, files.COMPLETED)
    study.restart_trial(study.history.trials[names[0]])
    study.close()
    study = Study.open(study.path)
    sampler = make_sampler(study)
    assert [t.state.name for t in load(study)] == ["RUNNING", "FAIL", "COMPLETE"]
    tell(study, sampler, names[0], 0.9, files.COMPLETED)
    assert [t.state.name for t in load(study)] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert start(study, sampler) == "T5-0003"


@pytest.mark.parametrize("damage", [b'{"op_code": 1', b"\x00", b"nonsense\n"])
def test_a_damaged_journal_is_mended_from_what_the_search_knows(tmp_path, damage):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    tell(study, sampler, start(study, sampler), 0.2, files.COMPLETED)
    journal = study.path / files.OPTUNA_FILE
    with journal.open("ab") as file:
        file.write(damage)
    journal.with_name(journal.name + ".lock").symlink_to(journal)  # held by a killed process
    study.close()
    study = Study.open(study.path)
    sampler = make_sampler(study)
    start(study, sampler)
    assert [t.state.name for t in load(study)] == ["COMPLETE", "RUNNING"]


def test_tpe_starts_however_many_trials_it_waits_for(tmp_path, monkeypatch):
    show(monkeypatch, "tpe", 3)
    monkeypatch.setattr("search.decide.limited_storage.GOOD_TRIALS", 2)
    suggested = {}
    for kind in ("tpe", "random"):
        (tmp_path / kind).mkdir()
        study = make_study(tmp_path / kind, sampler=kind, startup_trials=6)
        sampler = make_sampler(study)
        for _ in range(8):
            tell(study, sampler, start(study, sampler), 0.2, files.COMPLETED)
        suggested[kind] = hyperparameters(study)
        study.close()
    assert suggested["tpe"][:6] == suggested["random"][:6]
    assert suggested["tpe"][6:] != suggested["random"][6:]


def test_trials_have_seeds_of_their_own(tmp_path):
    study = make_study(tmp_path)
    sampler = make_sampler(study)
    names = [start(study, sampler) for _ in range(3)]
    assert len({study.history.trials[name].training["seed"] for name in names}) == 3
    assert trial_seed(0, 100, 1) != trial_seed(1, 100, 1) != trial_seed(1, 200, 1)


class Ahead(Suggester):
    """Is asked ahead, like a suggester in another process."""

    ahead = 2

    def __init__(self, *args):
        super().__init__(*args)
        self.requests: list[int] = []
        self.batches: list[int] = []

    def request(self, number, points):
        self.batches.append(len(points))
        self.requests.extend(range(number, number + len(points)))
        trainings = [suggested() for suggested in super().request(number, points)]
        return [partial(lambda training: training, training) for training in trainings]


class Lost(Ahead):
    """The process dies after a few suggestions."""

    def request(self, number, points):
        if len(self.requests) < 3:
            return super().request(number, points)

        def wait():
            raise SuggesterLostError("the process is gone")

        return [wait for _ in points]


def make_parallel(study: Study, monkeypatch, kind: type[Ahead] = Ahead) -> tuple[Sampler, list]:
    """A sampler that moves with the third running trial; and what it has moved to."""
    monkeypatch.setattr("search.decide.samplers.MANY_TRIALS", 3)
    made: list[Ahead] = []

    def elsewhere(*args) -> Ahead:
        made.append(kind(*args))
        return made[-1]

    sampler = Sampler(study, 5, OptunaJournal(study.path / files.OPTUNA_FILE), elsewhere)
    sampler.catch_up()
    return sampler, made


def test_with_many_trials_at_a_time_suggestions_are_requested_ahead_elsewhere(
    tmp_path, monkeypatch
):
    study = make_study(tmp_path, startup_trials=2)
    sampler, made = make_parallel(study, monkeypatch)
    names = [start(study, sampler) for _ in range(2)]
    assert not made
    names += [start(study, sampler) for _ in range(4)]
    [remote] = made
    assert remote.requests == [2, 3, 4, 5, 6, 7]
    for name in names:
        tell(study, sampler, name, 0.3, files.COMPLETED)
    assert names == [f"T5-{number:04d}" for number in range(6)]
    assert start(study, sampler) == "T5-0006"
    assert len(set(hyperparameters(study))) == 7
    states = [trial.state for trial in remote._study.get_trials(deepcopy=False)]
    assert states == [TrialState.COMPLETE] * 6 + [TrialState.RUNNING] * 3


def test_suggestions_are_requested_several_at_a_time(tmp_path, monkeypatch):
    study = make_study(tmp_path, startup_trials=2)
    monkeypatch.setattr(Ahead, "ahead", 4)
    monkeypatch.setattr(Ahead, "together", 3)
    sampler, made = make_parallel(study, monkeypatch)
    requests = []
    for _ in range(9):
        start(study, sampler)
        requests.append(made[0].requests[-1] if made else None)
    assert requests == [None, None, 5, 5, 8, 8, 8, 11, 11]
    assert made[0].batches == [1, 3, 3, 3]  # the first trial does not wait for others
    assert len(set(hyperparameters(study))) == 9


def test_until_a_process_is_ready_the_driver_suggests(tmp_path, monkeypatch):
    class Starting(Ahead):
        ready = False

    study = make_study(tmp_path, startup_trials=2)
    sampler, made = make_parallel(study, monkeypatch, Starting)
    names = [start(study, sampler) for _ in range(5)]
    [remote] = made
    assert not remote.requests
    tell(study, sampler, names[0], 0.3, files.COMPLETED)
    remote.ready = True
    assert start(study, sampler) == "T5-0005"
    assert remote.requests == [5, 6, 7]
    states = [trial.state for trial in remote._study.get_trials(deepcopy=False)]
    assert states == [TrialState.COMPLETE] + [TrialState.RUNNING] * 7


def test_what_a_user_enqueues_comes_before_what_was_requested_ahead(tmp_path, monkeypatch):
    study = make_study(tmp_path, startup_trials=2)
    sampler, _ = make_parallel(study, monkeypatch)
    study.begin_length(5, [{"learning_rate": 0.002}])
    initial = study.history.lengths[5]
    for _ in range(5):
        start(study, sampler, initial.initial)
    study.enqueue(5, {"learning_rate": 0.0031, "hidden_size": 16}, "request")
    for _ in range(3):
        start(study, sampler, initial.initial)
    rows = hyperparameters(study)
    assert rows[5][:2] == (0.0031, 16)
    assert len(set(rows)) == 8
    tell(study, sampler, "T5-0005", 0.3, files.COMPLETED)
    optuna_trial = load(study)[5]
    assert optuna_trial.params["learning_rate"] == 0.0031


def test_when_the_process_of_a_suggester_dies_the_driver_goes_on_without_it(
    tmp_path, monkeypatch, caplog
):
    study = make_study(tmp_path, startup_trials=2)
    sampler, made = make_parallel(study, monkeypatch, Lost)
    names = [start(study, sampler) for _ in range(9)]
    for name in names[:4]:
        tell(study, sampler, name, 0.3, files.COMPLETED)
    names.append(start(study, sampler))
    assert names == [f"T5-{number:04d}" for number in range(10)]
    assert len(set(hyperparameters(study))) == 10
    assert len(made) == 1
    assert [record.message for record in caplog.records] == [
        "suggestions at T = 5 are made in the driver again: the process is gone"
    ]


@pytest.mark.parametrize(
    "kind", [kind for kind, of in SAMPLERS.items() if of.keeps_notes or of.on_grid]
)
def test_a_sampler_that_needs_all_trials_stays_in_the_driver(tmp_path, monkeypatch, kind):
    study = make_study(tmp_path, sampler=kind, startup_trials=2)
    sampler, made = make_parallel(study, monkeypatch)
    for _ in range(6):
        start(study, sampler)
    assert not made
