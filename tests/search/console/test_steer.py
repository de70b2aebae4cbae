"""``--enqueue``, ``--stop-trial``, ``--next-T``: what they print, leave behind and refuse."""

import pytest
from made_studies import make_config, report, search, start

from search.config.study_config import StudyConfig
from search.errors import UserError
from search.run import main
from search.study.inbox import Enqueue, NextT, StopTrial, waiting
from search.study.steering import parse_configuration
from search.study.study import Study


@pytest.fixture
def study(tmp_path):
    """T = 5 is done, and two trials run at T = 9."""
    study = Study.create(tmp_path / "s", make_config(T=[5, 9, 12], trials=3))
    search(study, 5)
    study.begin_length(9, [])
    for name in ("T9-0000", "T9-0001"):
        start(study, name, 9)
        report(study, name, 1, 0.4)
    study.fail_trial("T9-0001", "a mistake")
    return study


def ask(study: Study, *words: str) -> int:
    return main(["--name", "s", "--storage", str(study.path.parent), *words])


@pytest.mark.parametrize(
    ("words", "request_", "line"),
    [
        (["--enqueue", "learning_rate=3e-3", "hidden_size=16"],
         Enqueue(9, {"learning_rate": 3e-3, "hidden_size": 16}),
         "s: T=9: learning_rate 0.003, hidden_size 16 is tried next"),
        (["--T", "12", "--enqueue", "hidden_size=8"], Enqueue(12, {"hidden_size": 8}),
         "s: T=12: hidden_size 8 is tried next"),
        (["--stop-trial", "T9-0000"], StopTrial("T9-0000"),
         "s: T9-0000 is stopped at its next result"),
        (["--next-T"], NextT(9), "s: T=9: its search ends, and what follows begins"),
    ],
)  # fmt: skip
def test_one_line_says_what_will_happen(words, request_, line, study, capsys):
    assert ask(study, *words) == 0
    assert capsys.readouterr().out == f"{line}\n"
    study.close()
    assert ask(study, *words) == 0  # when nobody searches, it waits
    out = capsys.readouterr().out
    assert out.startswith(f"{line}, when the search is resumed: python -m search.run --name s")
    assert [request for _, request in waiting(study.path)] == [request_] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--enqueue", "learning_rate"], "--enqueue learning_rate: expected KEY=VALUE"),
        (["--enqueue", "learning_rate=[1"], "--enqueue learning_rate=[1: the value cannot be read"),
        (["--enqueue", "learning_rate=2024-13-01"], "the value cannot be read"),
        (["--enqueue", "learning_rat=1"], "did you mean 'learning_rate'?"),
        (["--enqueue", "curriculum_length=10"], "unknown hyperparameter 'curriculum_length'"),
        (["--enqueue", "learning_rate=5"], "lies outside the search space: 0.0001 to 0.01"),
        (["--enqueue", "learning_rate=fast"], "--enqueue learning_rate: "),
        (["--enqueue", "hidden_size=12"], "=12: lies outside the search space: 8, 16"),
        (["--enqueue", "hidden_size=8", "--T", "7"], "T=7 is not searched in this study; T=5, 9, "),
        (["--enqueue", "hidden_size=8", "--T", "5"], "the search at T=5 is over; raise a limit"),
        (["--enqueue", "hidden_size=8", "--T", "9", "12"], "give one --T, or none"),
        (["--enqueue", "hidden_size=8", "--trials", "9"], "--trials has no effect with --enqueue"),
        (["--stop-trial", "T9-0009"], "no such trial; these have not ended: T9-0000"),
        (["--stop-trial", "T9-0001"], "--stop-trial T9-0001: it has ended: failed"),
        (["--stop-trial", "T5-0000"], "--stop-trial T5-0000: it has ended: completed"),
        (["--next-T", "--name", "no"], "unknown study 'no'"),
    ],
)  # fmt: skip
def test_what_is_not_possible_is_one_line(words, message, study, capsys):
    try:
        code = ask(study, *words)
    except SystemExit as ended:
        code = ended.code
    out, err = capsys.readouterr()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err
    assert list(waiting(study.path)) == []


def test_the_next_T_of_a_search_that_is_over_or_has_not_begun_is_refused(study, capsys):
    study.end_length(9, "trials")
    assert ask(study, "--next-T") == 2
    assert "--next-T: the search at T=12 has not begun" in capsys.readouterr().err
    study.begin_length(12, [])
    study.end_length(12, "trials")
    assert ask(study, "--next-T") == 2
    assert "the search is over at each T; raise a limit" in capsys.readouterr().err
    assert main(["--next-T"]) == 2
    assert "of which study? Add --name NAME" in capsys.readouterr().err


CONDITIONAL = {
    "gates": {"choices": ["plain", "refined"]},
    "forget_bias": {"choices": ["chrono", "uniform"], "when": {"gates": "refined"}},
    "hidden_size": 8,
}


def test_a_value_with_a_condition_brings_what_it_needs_or_is_refused():
    config = StudyConfig.model_validate({**make_config().model_dump(), "space": CONDITIONAL})
    assert parse_configuration(config, ["forget_bias=chrono"]) == {
        "gates": "refined", "forget_bias": "chrono",
    }  # fmt: skip
    with pytest.raises(UserError, match="--enqueue forget_bias: is searched only when gates is re"):
        parse_configuration(config, ["gates=plain", "forget_bias=chrono"])
