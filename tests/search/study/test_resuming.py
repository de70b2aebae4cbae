from pathlib import Path

import pytest
from made_studies import make_config, start

from search.config.resuming import LIMITS
from search.errors import UserError
from search.study.resuming import check_resumable
from search.study.study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    return Study.create(tmp_path / "study", make_config())


def changed(study: Study, section: str = "", **values):
    """The study's configuration with other values, in a section of it if one is named."""
    if section:
        values = {section: getattr(study.config, section).model_copy(update=values)}
    return study.config.model_copy(update=values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trials", 99), ("solved_trials", 9), ("patience", 9), ("budget_minutes", 99.0),
        ("budget_tokens", 99),
        ("max_failures", 9), ("stall_minutes", 9.0), ("final", True), ("confirm_seeds", 9),
    ],
)  # fmt: skip
def test_a_resumed_study_may_get_other_limits(study, name, value):
    assert name in LIMITS
    check_resumable(study.config, changed(study, "search", **{name: value}), study.path)


def test_a_resumed_study_may_get_other_machines_and_nothing_else(study):
    check_resumable(study.config, changed(study, "resources", max_concurrent=1), study.path)
    other = changed(study, training={**study.config.training, "batch_size": 7}, T=[5])
    with pytest.raises(UserError, match=r"another T, training.batch_size; a resumed study keeps"):
        check_resumable(study.config, other, study.path)
    with pytest.raises(UserError, match=r"another search.seed;"):
        check_resumable(study.config, changed(study, "search", seed=3), study.path)


def test_the_same_values_may_be_written_in_another_way(study):
    def searched(low: object, **others: object):
        return changed(study, space={"learning_rate": {"low": low, "high": 1, **others}})

    check_resumable(searched("1e-3"), searched(0.001, log=False), study.path)
    with pytest.raises(UserError, match=r"another space.learning_rate;"):
        check_resumable(searched("1e-3"), searched(0.001, log=True), study.path)


def test_what_a_final_training_is_may_change_until_one_has_begun(study):
    other = changed(study, final={"max_tokens": 5000})
    check_resumable(study.config, other, study.path)
    training = start(study, "T5-0000")
    check_resumable(study.config, other, study.path)
    study.start_trial("T5-final", training.to_dict(), "final")
    with pytest.raises(UserError, match=r"another final.*max_tokens"):
        check_resumable(study.config, other, study.path)
    check_resumable(study.config, changed(study, "search", final=True), study.path)


def test_without_events_no_final_training_has_begun(study):
    check_resumable(study.config, changed(study, final={}), Path("nowhere"))
