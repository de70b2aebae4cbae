"""Small searches whose trials meet every kind of bad luck, and what a finished one holds."""

from pathlib import Path

from fake_tune import Faults, HangError, lost_host, lost_worker, raised
from moments import files_below
from ray.tune.schedulers import TrialScheduler
from searches import optuna_trials

from copytask import DivergedError
from search.config.hyperband import Hyperband
from search.config.study_config import StudyConfig
from search.decide.schedulers import restored_scheduler
from search.study.study import Study
from studies import format as files
from studies.paths import StudyPath

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "hidden_size": {"choices": [8, 16]},
    "curriculum_length": {"low": 1, "high": 100},
}


def make_config(space=SPACE, **search) -> StudyConfig:
    return StudyConfig(
        model="gru",
        T=[3, 5],
        training={"max_tokens": 500, "tokens_per_iteration": 100, "precision": "fp32"},
        space=space,
        search={
            "trials": 4, "solved_trials": 9, "patience": None, "budget_minutes": None,
            "grace_iterations": 1, "startup_trials": 2, "test_payloads": 10, "max_failures": 1,
            "stall_minutes": 0.1, "race_seeds": 2, "final": True, "confirm_seeds": 1, "seed": 1,
            **search,
        },
        final={"max_tokens": 700},
    )  # fmt: skip


def make_faults() -> Faults:
    """Each kind of bad luck, a trial that diverges, and one with a mistake."""
    mistake, nan = ValueError("a mistake\nmore"), DivergedError("training diverged: loss nan")
    return {
        ("T3-0000", 2): [lost_worker()],
        ("T3-0001", 1): [lost_host(), lost_host(), raised(MemoryError("no room"))],
        ("T3-0002", 1): [nan] * 99,
        ("T3-0003", 1): [lost_host()] * 99,
        ("T5-0000", 3): [HangError()],
        ("T5-0001", 1): [raised(mistake)] * 99,
        ("T5-0002", 1): [lost_worker()] * 99,
        ("T3-race-00", 1): [lost_host()],
        ("T3-race-01", 3): [lost_worker()],
        ("T3-final", 1): [lost_worker()],
        ("T5-confirm-00", 2): [lost_host()],
    }


def schedulers(scheduler: TrialScheduler) -> list[TrialScheduler]:
    """The ASHA of each bracket of Hyperband; or the one that there is."""
    return scheduler.brackets if isinstance(scheduler, Hyperband) else [scheduler]


def whole(study: StudyPath, folder: Path) -> dict:
    """What a finished study holds: its tables and models, Optuna's trials, ASHA's rungs."""
    content = files_below(study)
    opened = Study.open(study)
    assert opened.history.complete
    rungs = [
        (milestone, list(values))
        for T in opened.history.lengths
        for asha in schedulers(restored_scheduler(opened, T))
        for milestone, values in asha.rungs
    ]
    opened.close()
    journal = folder / files.OPTUNA_FILE
    journal.write_bytes(content[files.OPTUNA_FILE])
    trials = [
        (t.user_attrs, t.state, t.value, t.params, t.intermediate_values)
        for T in opened.history.lengths
        for t in optuna_trials(folder, T)
    ]
    tables = {n: data for n, data in content.items() if n.endswith(".csv") or "checkpoint" in n}
    tables.pop(files.REACH_FILE, None)  # it has the wall time
    assert not any(files.RAY_FOLDER in name for name in content)
    return {"rungs": rungs, "optuna": trials, **tables}
