from typing import Any

import pandas as pd
import pytest

from analysis.report.verdict.results import Effort
from analysis.report.verdict.verdict import Verdict, verdicts
from analysis.tables.edges import EDGES
from analysis.tables.pairs import SOLVE_RATE, TOKENS_TO_SOLVE
from analysis.tables.reach import REACHED
from studies.seed_statistics import clopper_pearson

TABLES = {
    "reach": pd.DataFrame(columns=REACHED.names),
    "edges": pd.DataFrame(columns=EDGES.names),
}
"""Without rows."""

SETTINGS: dict[str, Any] = {
    "model": "gru",
    "training": {"batch_size": 64},
    "architecture": {"gates": "plain"},
    "space": {"learning_rate": {"low": 1e-4, "high": 1e-2}},
}
"""The configuration of a study."""

MACHINE = "host here (2 CPUs)"
EMPTY = dict.fromkeys(
    (
        "accuracy", "accuracy_low", "accuracy_high", "tokens_to_solve", "seconds_to_solve",
        "tokens", "seconds", "seeds", "seeds_solved", "solve_rate", "solve_rate_low",
        "solve_rate_high", "median_accuracy", "lowest_accuracy", "median_tokens_to_solve",
        "race_seeds", "race_solved",
    )
)  # fmt: skip


def solved(model: str, T: int, accuracy: float = 0.995, **values: Any) -> dict[str, Any]:
    """A row of the comparison: T solved after 10 T kilotokens in T / 10 seconds."""
    row = {
        "study": f"{model}-study", "label": model, "task": "delay", "model": model, "T": T,
        "state": "done", "accuracy": accuracy, "accuracy_low": accuracy - 0.002,
        "accuracy_high": min(1.0, accuracy + 0.002), "tokens": 20_000 * T, "seconds": T / 5,
        "tokens_to_solve": 10_000 * T, "seconds_to_solve": T / 10, "trials": 4,
        "chance_accuracy": 0.1,
    }  # fmt: skip
    return EMPTY | row | values


def unsolved(model: str, T: int, accuracy: float = 0.42, **values: Any) -> dict[str, Any]:
    return solved(model, T, accuracy, tokens_to_solve=None, seconds_to_solve=None) | values


def untested(model: str, T: int, state: str = "not started", **values: Any) -> dict[str, Any]:
    row = solved(model, T)
    return (
        EMPTY | {name: row[name] for name in row if name not in EMPTY} | {"state": state} | values
    )


def seeds(n: int = 5, solved: int = 5, median: float = 0.994, **values: Any) -> dict[str, Any]:
    low, high = clopper_pearson(solved, n)
    return {
        "seeds": n, "seeds_solved": solved, "solve_rate": solved / n, "solve_rate_low": low,
        "solve_rate_high": high, "median_accuracy": median, "lowest_accuracy": median - 0.5,
        "median_tokens_to_solve": 4e6 if 2 * solved >= n else None,
    } | values  # fmt: skip


def effort(machine: str = MACHINE, wall: float | None = 90.0, *finals: int) -> Effort:
    return Effort([machine], wall, 61_000_000, 22, frozenset(finals))


def judge(
    *rows: dict[str, Any],
    efforts: dict[str, Effort] | None = None,
    configs: dict[str, dict[str, Any]] | None = None,
    differ: dict[tuple[str, str], float] | None = None,
    outcome: str = SOLVE_RATE,
    least: float = 0.01,
    longer: str | None = None,
) -> list[Verdict]:
    """``differ``: (better, worse) -> p-value, at the largest T."""
    known = {row["study"]: effort() for row in rows}
    known_configs = {row["study"]: SETTINGS for row in rows} | (configs or {})
    pairs = [
        {"task": "delay", "T": max(row["T"] for row in rows), "outcome": outcome, "better": a,
         "worse": b, "p_holm": p, "p_least": least, "better_seeds": 5, "worse_seeds": 5,
         "longer": longer}
        for (a, b), p in (differ or {}).items()
    ]  # fmt: skip
    columns = [
        *("task", "T", "outcome", "better", "worse", "p_holm", "p_least"),
        *("better_seeds", "worse_seeds", "longer"),
    ]
    frame = pd.DataFrame(rows, dtype=object)
    pairs_frame = pd.DataFrame(pairs, columns=columns)
    tables = {**TABLES, "pairs": pairs_frame}
    return verdicts(frame, known | (efforts or {}), tables, known_configs)


def text(verdict: Verdict, question: str) -> str:
    return " ".join(verdict.answers.get(question, []))


SEARCHING = "searching, or interrupted: 3 trials so far"


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        pytest.param(
            [solved(model, T) for model in ("lstm", "mlstm", "gru", "mgru") for T in (100, 1000)],
            "lstm, mlstm, gru and mgru all copy over 1000 steps (not confirmed), the longest "
            "searched.",
            id="all solved",
        ),
        pytest.param(
            [solved("gru", 100), solved("mgru", 100)],
            "gru and mgru both copy over 100 steps (not confirmed), the only length searched.",
            id="one T",
        ),
        pytest.param(
            [solved("gru", 100), solved("gru", 200)],
            "gru copies over 200 steps (not confirmed), the longest searched.",
            id="one model",
        ),
        pytest.param(
            [
                *(solved("gru", 100), solved("gru", 500, **seeds())),
                solved("lstm", 100, **seeds(solved=3)),
                *(unsolved("lstm", 500), unsolved("mgru", 100), untested("rnn", 100)),
            ],
            "gru copies over 500 steps with 5 of 5 fresh seeds, the longest searched; lstm over "
            "100 steps with 3 of 5 fresh seeds, but not at T = 500; mgru has solved no T; rnn has "
            "no result yet.",
            id="some",
        ),
        pytest.param(
            [solved("gru", 100), unsolved("gru", 200), solved("lstm", 100), unsolved("lstm", 200)],
            "gru and lstm both copy over 100 steps (not confirmed), but not "
            "at T = 200.",
            id="not the largest",
        ),
        pytest.param(
            [
                solved("gru", 100, **seeds()), solved("lstm", 100, **seeds()),
                solved("mgru", 100, **seeds(solved=2)),
            ],
            "gru and lstm copy over 100 steps with 5 of 5 fresh seeds each, the only length "
            "searched; mgru over 100 steps with 2 of 5 fresh seeds.",
            id="how often",
        ),
        pytest.param(
            [
                solved("gru", 100, **seeds()), solved("gru", 200, **seeds(solved=0)),
                solved("lstm", 100, **seeds(solved=0)),
            ],
            "gru copies over 100 steps with 5 of 5 fresh seeds, but not at T = 200; lstm has "
            "solved no T.",
            id="no fresh seed",
        ),
        pytest.param(
            [solved("gru", 100), untested("gru", 200, SEARCHING), solved("x", 200)],
            "x copies over 200 steps (not confirmed), the longest searched; gru "
            "over 100 steps (not confirmed) so far.",
            id="one runs",
        ),
        pytest.param(
            [unsolved("gru", 100), unsolved("gru", 200), unsolved("mgru", 100)],
            "None of 2 solves any T: not even 100, the smallest tested.",
            id="none solved",
        ),
        pytest.param(
            [unsolved("gru", 100), untested("gru", 200, SEARCHING)],
            "gru solves no T so far: not even 100, the smallest tested.",
            id="none solved yet",
        ),
        pytest.param(
            [untested("gru", 100, SEARCHING), untested("gru", 200)],
            "Nothing has been tested yet.",
            id="nothing tested",
        ),
        pytest.param(
            [untested("gru", 100, "broken: trials.csv is missing")],
            "No study of this task can be read.",
            id="broken",
        ),
        pytest.param(
            [
                solved("gru", 100, label="gru (a)", study="a"),
                unsolved("gru", 100, label="gru (b)", study="b"),
            ],
            "gru (a) copies over 100 steps (not confirmed), the only length "
            "searched; gru (b) has solved no T.",
            id="two studies of a model",
        ),
        pytest.param(
            [
                solved("gru", 64, task="sequence", **seeds()),
                solved("lstm", 32, task="sequence", **seeds(solved=4)),
            ],
            "gru copies 64 symbols with 5 of 5 fresh seeds, the longest searched; lstm 32 symbols "
            "with 4 of 5 fresh seeds (searched no further).",
            id="sequence task",
        ),
        pytest.param(
            [solved(f"m{k}", 100, **seeds()) for k in range(9)] + [solved("z", 200, **seeds())],
            "z copies over 200 steps with 5 of 5 fresh seeds, the longest searched; 9 of 10 over "
            "100 steps with 5 of 5 fresh seeds each (searched no further).",
            id="many models",
        ),
    ],
)  # fmt: skip
def test_the_headline_says_who_gets_how_far(rows: list[dict[str, Any]], headline: str) -> None:
    [verdict] = judge(*rows)
    assert verdict.headline == headline


def test_nothing_readable_has_a_verdict_too() -> None:
    row = untested("gru", 100, "broken: study.yaml is missing")
    assert judge(row | {"task": None, "model": None}) == [Verdict("", "No study can be read.", {})]


def test_several_tasks_are_judged_apart() -> None:
    found = judge(solved("gru", 100), unsolved("gru", 16, task="sequence"))
    assert [verdict.task for verdict in found] == ["delay", "sequence"]
    assert "copies" in found[0].headline
    assert "solves no T" in found[1].headline


def test_fresh_seeds_come_first_and_the_best_trials_last() -> None:
    [verdict] = judge(
        solved("gru", 100, 0.999, **seeds(solved=4, median=0.993)),
        solved("lstm", 100, 0.991, **seeds(median=0.995)),
    )
    first, second, *_, last, caveat = verdict.answers["How sure"]
    assert first == (
        "Fresh seeds that solve T = 100: gru 4 of 5 [0.28, 0.99] and lstm 5 of 5 [0.48, 1.00] "
        "(exact 95 % interval of the solve rate)."
    )
    assert second == (
        "Median test accuracy of these seeds: gru 0.9930 (lowest 0.4930) and lstm 0.9950 (lowest "
        "0.4950)."
    )
    assert last.startswith("Test accuracy of the best trials: gru 0.9990 [0.9970, 1.0000] and lstm")
    assert "this is no ranking" in caveat


def confirmed(*models: str) -> list[dict[str, Any]]:
    return [solved(model, 100, **seeds()) for model in models]


def test_what_seeds_tell_apart_has_its_corrected_p_value() -> None:
    differ = {("lstm", "gru"): 0.012, ("lstm", "mgru"): 0.2}
    [verdict] = judge(*confirmed("gru", "lstm", "mgru"), differ=differ)
    sure = text(verdict, "How sure")
    assert "Beyond chance, higher solve rate: lstm than gru (p = 0.012)." in sure
    assert "5 seeds of each model cannot tell models apart in 1 other comparison" in sure
    [verdict] = judge(*confirmed("gru", "lstm"), differ=differ, outcome=TOKENS_TO_SOLVE)
    assert "Beyond chance, fewer tokens to solve: lstm than gru" in text(verdict, "How sure")


@pytest.mark.parametrize(("p_value", "apart"), [(0.0, True), (0.05, False)])
def test_a_pair_is_told_apart_by_its_corrected_p_value(p_value: float, apart: bool) -> None:
    [verdict] = judge(*confirmed("gru", "lstm"), differ={("gru", "lstm"): p_value})
    assert ("Beyond chance" in text(verdict, "How sure")) == apart
    assert ("cannot tell" in text(verdict, "How sure")) == (not apart)
    assert "no difference" not in text(verdict, "How sure")


def test_it_says_what_so_many_seeds_can_tell_at_best() -> None:
    differ = {("gru", "lstm"): 1.0}
    [enough] = judge(*confirmed("gru", "lstm"), differ=differ, least=0.016)
    assert "corrected (Holm) for 1 comparison of this report" in text(enough, "How sure")
    assert "the smallest p-value that 5 seeds of each model can reach is 0.016." in text(
        enough, "How sure"
    )
    [few] = judge(*confirmed("gru", "lstm"), differ=differ, least=0.1)
    assert "can reach is 0.1, which is too large; 4 seeds are enough for both tests." in text(
        few, "How sure"
    )


def test_a_comparison_at_another_length_says_so() -> None:
    rows = [*confirmed("gru", "lstm"), solved("x", 200)]
    pairs = pd.DataFrame(
        {"task": ["delay"], "T": [100], "outcome": [SOLVE_RATE], "better": ["gru"],
         "worse": ["lstm"], "p_holm": [1.0], "p_least": [0.01], "better_seeds": [5],
         "worse_seeds": [5], "longer": [None]}
    )  # fmt: skip
    efforts = {row["study"]: effort() for row in rows}
    frame = pd.DataFrame(rows, dtype=object)
    [verdict] = verdicts(frame, efforts, {**TABLES, "pairs": pairs}, {})
    assert "At T = 100: 5 seeds of each model cannot tell" in text(verdict, "How sure")


def test_without_fresh_seeds_nothing_is_claimed() -> None:
    [verdict] = judge(solved("gru", 100, 0.995), solved("lstm", 100, 0.994))
    first, *others = verdict.answers["How sure"]
    assert first == (
        "Not confirmed with fresh seeds: how often another training solves T = 100 is not known "
        "(--confirm-seeds 5)."
    )
    assert others[0] == (
        "Test accuracy of the best trials: gru 0.9950 [0.9930, 0.9970] and lstm 0.9940 [0.9920, "
        "0.9960] (95 % interval over test payloads of one network each)."
    )


def test_without_other_seeds_those_of_the_race_are_told_with_what_they_lack() -> None:
    [verdict] = judge(solved("gru", 100, race_seeds=3, race_solved=2), solved("lstm", 100))
    assert verdict.answers["How sure"][0] == (
        "Fresh seeds of the race that solve T = 100: gru 2 of 3 [0.09, 0.99]. The race chose the "
        "configurations by them, so expect somewhat less."
    )
    assert "Not confirmed with fresh seeds" in verdict.answers["How sure"][1]


def test_one_confirmed_winner_of_two_leaves_the_other_open() -> None:
    [verdict] = judge(solved("gru", 100, **seeds(solved=4)), solved("lstm", 100))
    sure = text(verdict, "How sure")
    assert "Fresh seeds that solve T = 100: gru 4 of 5 [0.28, 0.99]" in sure
    assert "Not confirmed with fresh seeds of lstm: how often" in sure
    assert "no ranking" in sure


def test_only_the_largest_solved_length_is_spoken_of() -> None:
    rows = [solved("gru", 100, 0.999), solved("gru", 200, 0.995), solved("lstm", 100, 0.99)]
    [verdict] = judge(*rows)
    assert "Test accuracy of the best trial: gru 0.9950" in text(verdict, "How sure")
    assert "lstm" not in text(verdict, "How sure")


@pytest.mark.parametrize(
    ("accuracy", "words"),
    [(0.42, "more than guessing"), (0.101, "not shown to be more than guessing")],
)
def test_an_accuracy_that_solves_nothing_is_held_against_guessing(
    accuracy: float, words: str
) -> None:
    [verdict] = judge(unsolved("gru", 100, accuracy))
    assert words in text(verdict, "How sure")
    assert "Spent at T = 100 without solving it: gru 2.0 M tokens in 20 s." in text(
        verdict, "How long"
    )


def test_who_is_better_than_guessing_is_named() -> None:
    [verdict] = judge(unsolved("gru", 100, 0.101), unsolved("lstm", 100, 0.42))
    assert ", more than guessing (0.1) for lstm alone (95 %" in text(verdict, "How sure")


def test_guessing_is_that_of_the_task() -> None:
    [verdict] = judge(unsolved("gru", 100, 0.42, chance_accuracy=0.5))
    assert "not shown to be more than guessing (0.5)" in text(verdict, "How sure")


def test_the_best_of_many_is_biased_and_the_only_trial_is_not() -> None:
    [many] = judge(solved("gru", 100, trials=3), solved("lstm", 100, trials=16))
    [one] = judge(solved("gru", 100, trials=1))
    assert "The best of 3 to 16 trials promises more than another training will reach" in text(
        many, "How sure"
    )
    assert "best of" not in text(one, "How sure")


def test_a_search_of_one_trial_has_no_trials() -> None:
    [verdict] = judge(solved("gru", 100), efforts={"gru-study": Effort([MACHINE], None, 10**6, 1)})
    assert "gru 1.0 M tokens in 1 trial." in text(verdict, "How long")


def test_how_long_begins_with_the_whole_search() -> None:
    rows = [
        solved("gru", 1000, **seeds()), solved("lstm", 1000, tokens_to_solve=8e6),
        unsolved("x", 1000, **seeds(solved=0)),
    ]  # fmt: skip
    [verdict] = judge(*rows, efforts={"x-study": effort(MACHINE, None)})
    assert verdict.answers["How long"] == [
        "Whole search, with all trials at every T: gru 90 s, 61.0 M tokens in 22 trials; lstm "
        "90 s, 61.0 M tokens in 22 trials; x 61.0 M tokens in 22 trials.",
        "Half of the fresh seeds solve T = 1000 within: gru 4.0 M tokens.",
        "Best trials until T = 1000 was solved: gru 10.0 M tokens in 1.7 min; lstm 8.0 M tokens "
        "in 1.7 min.",
        "Spent at T = 1000 without solving it: x 20.0 M tokens in 3.3 min.",
        f"Times on {MACHINE}.",
    ]


def test_seconds_of_two_machines_are_not_compared() -> None:
    other = {"lstm-study": effort("host there")}
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=other)
    assert "machines differ: compare tokens, not seconds" in text(verdict, "How long")


def test_a_search_on_several_hosts_names_them() -> None:
    cluster = Effort([f"host node{k}" for k in range(6)], 90.0, 61_000_000, 22)
    [verdict] = judge(solved("gru", 100), efforts={"gru-study": cluster})
    assert verdict.answers["How long"][-2:] == [
        "Times on host node0, host node1, host node2 and 3 more.",
        "The machines differ: compare tokens, not seconds.",
    ]


def test_a_final_training_is_called_so() -> None:
    final = {"gru-study": effort(MACHINE, 60.0, 100)}
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=final)
    assert "The best trial of gru is a final training" in text(verdict, "How long")
    assert verdict.answers["How sure"][-1] == (
        "Only gru was trained for longer (--final): do not compare accuracies, solve rates or "
        "tokens with the others."
    )
    final["lstm-study"] = final["gru-study"]
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=final)
    assert "The best trial is a final training" in text(verdict, "How long")
    assert "Only" not in text(verdict, "How sure")


def test_p_values_of_a_longer_and_a_shorter_training_come_with_a_warning() -> None:
    differ = {("lstm", "gru"): 0.012, ("lstm", "mgru"): 0.2}
    warning = "Only gru was trained for longer (--final), which no p-value allows for."
    rows = confirmed("gru", "lstm", "mgru")
    [verdict] = judge(*rows, differ=differ, longer="gru")
    assert warning in text(verdict, "How sure")
    [verdict] = judge(*rows, differ=differ)
    assert "for longer" not in text(verdict, "How sure")


def test_what_is_open_or_missing_is_said() -> None:
    [verdict] = judge(
        *(solved("gru", 100), untested("gru", 200, SEARCHING), untested("gru", 500)),
        *(unsolved("lstm", 100), solved("lstm", 200), untested("x", 100, "all trials failed")),
    )
    missing = text(verdict, "Not shown")
    assert f"gru at T = 200 is {SEARCHING}" in missing
    assert "gru at T = 500 is not started" in missing
    assert "x at T = 100 has only failed trials" in missing
    assert "Not solved, although a larger T is: lstm at T = 100." in missing
    assert "Not searched: lstm at T = 500; x at T = 200 and 500." in missing


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"space": {"learning_rate": {"low": 1e-3, "high": 1e-2}, "hidden_size": 64}}, True),
        ({"training": {}, "space": {**SETTINGS["space"], "batch_size": {"choices": [8]}}}, True),
        ({"architecture": {"gates": "refined"}}, False),
        ({"architecture": {}, "space": {"gates": {"choices": ["plain", "refined"]}}}, False),
        ({"space": {**SETTINGS["space"], "forget_bias": {"low": 0, "high": 2}}}, False),
        ({"model": "/elsewhere/gru"}, False),
    ],
)
def test_two_studies_of_a_model_differ_in_luck_alone_only_if_the_model_is_the_same(
    other: dict[str, Any], same: bool
) -> None:
    [verdict] = judge(
        solved("gru", 100, label="gru (a)", study="a"),
        solved("gru", 100, label="gru (b)", study="b"),
        configs={"a": SETTINGS, "b": SETTINGS | other},
    )
    missing = text(verdict, "Not shown")
    assert "only T = 100 was searched" in missing
    assert "only gru was searched" in missing
    assert "Searched in several studies: gru in 2 (a and b)." in missing
    assert ("differ in the search or in luck, not in the model" in missing) == same
    assert ("The models may differ too" in missing) == (not same)


def test_early_studies_do_not_record_the_whole_model() -> None:
    early = {name: SETTINGS[name] for name in ("model", "training", "space")}
    [verdict] = judge(
        solved("gru", 100, label="gru (a)", study="a"),
        solved("gru", 100, label="gru (b)", study="b"),
        configs={"a": early, "b": early},
    )
    assert "The models may differ too" in text(verdict, "Not shown")


def test_a_complete_comparison_has_nothing_to_add() -> None:
    rows = [solved(model, T) for model in ("gru", "lstm") for T in (100, 200)]
    [verdict] = judge(*rows)
    assert list(verdict.answers) == ["How sure", "How long"]
