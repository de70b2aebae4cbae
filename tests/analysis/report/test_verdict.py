from typing import Any

import pandas as pd
import pytest

from analysis.report.verdict.results import Effort
from analysis.report.verdict.verdict import Verdict, verdicts

MACHINE = "host here (2 CPUs)"
EMPTY = dict.fromkeys(
    (
        "accuracy", "accuracy_low", "accuracy_high", "tokens_to_solve", "seconds_to_solve",
        "tokens", "seconds", "seeds", "seeds_solved", "solved_low", "solved_high",
        "mean_accuracy", "mean_accuracy_low", "mean_accuracy_high",
    )
)  # fmt: skip


def solved(model: str, T: int, accuracy: float = 0.995, **values: Any) -> dict[str, Any]:
    """A row of the comparison: T solved after 10 T kilotokens in T / 10 seconds."""
    row = {
        "study": f"{model}-study", "label": model, "task": "delay", "model": model, "T": T,
        "state": "done", "accuracy": accuracy, "accuracy_low": accuracy - 0.002,
        "accuracy_high": min(1.0, accuracy + 0.002), "tokens": 20_000 * T, "seconds": T / 5,
        "tokens_to_solve": 10_000 * T, "seconds_to_solve": T / 10, "trials": 4,
    }  # fmt: skip
    return EMPTY | row | values


def unsolved(model: str, T: int, accuracy: float = 0.42, **values: Any) -> dict[str, Any]:
    return solved(model, T, accuracy, tokens_to_solve=None, seconds_to_solve=None) | values


def untested(model: str, T: int, state: str = "not started", **values: Any) -> dict[str, Any]:
    row = solved(model, T)
    return (
        EMPTY | {name: row[name] for name in row if name not in EMPTY} | {"state": state} | values
    )


def seeds(mean: float, half: float = 0.001, n: int = 5, solved: int = 5) -> dict[str, Any]:
    return {
        "seeds": n, "seeds_solved": solved, "solved_low": 0.48, "solved_high": 1.0,
        "mean_accuracy": mean, "mean_accuracy_low": mean - half, "mean_accuracy_high": mean + half,
    }  # fmt: skip


def judge(
    *rows: dict[str, Any],
    efforts: dict[str, Effort] | None = None,
    differ: dict[tuple[str, str], float] | None = None,
    basis: str = "payloads",
) -> list[Verdict]:
    """``differ``: (better, worse) -> p-value, at every T."""
    known = {row["study"]: Effort(MACHINE, 60.0) for row in rows}
    pairs = [
        {"task": "delay", "T": T, "basis": basis, "better": a, "worse": b, "p_holm": p}
        for T in {row["T"] for row in rows}
        for (a, b), p in (differ or {}).items()
    ]
    columns = ["task", "T", "basis", "better", "worse", "p_holm"]
    frame = pd.DataFrame(rows, dtype=object)
    return verdicts(frame, known | (efforts or {}), pd.DataFrame(pairs, columns=columns))


def text(verdict: Verdict, question: str) -> str:
    return " ".join(verdict.answers.get(question, []))


SEARCHING = "searching, or interrupted: 3 trials so far"


@pytest.mark.parametrize(
    ("rows", "headline"),
    [
        pytest.param(
            [solved(model, T) for model in ("lstm", "mlstm", "gru", "mgru") for T in (100, 1000)],
            "lstm, mlstm, gru and mgru all copy over 1000 steps, the longest searched.",
            id="all solved",
        ),
        pytest.param(
            [solved("gru", 100), solved("mgru", 100)],
            "gru and mgru both copy over 100 steps, the only length searched.",
            id="one T",
        ),
        pytest.param(
            [solved("gru", 100), solved("gru", 200)],
            "gru copies over 200 steps, the longest searched.",
            id="one model",
        ),
        pytest.param(
            [
                *(solved("gru", 100), solved("gru", 500), solved("lstm", 100)),
                *(unsolved("lstm", 500), unsolved("mgru", 100), untested("rnn", 100)),
            ],
            "gru copies over 500 steps, the longest searched; lstm over 100 steps, but not at "
            "T = 500; mgru has solved no T; rnn has no result yet.",
            id="some",
        ),
        pytest.param(
            [solved("gru", 100), unsolved("gru", 200), solved("lstm", 100), unsolved("lstm", 200)],
            "gru and lstm both copy over 100 steps, but not at T = 200.",
            id="not the largest",
        ),
        pytest.param(
            [solved("gru", 100), untested("gru", 200, SEARCHING), solved("x", 200)],
            "x copies over 200 steps, the longest searched; gru over 100 steps so far.",
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
            "gru (a) copies over 100 steps, the only length searched; gru (b) has solved no T.",
            id="two studies of a model",
        ),
        pytest.param(
            [solved("gru", 64, task="sequence"), solved("lstm", 32, task="sequence")],
            "gru copies 64 symbols, the longest searched; lstm 32 symbols (searched no further).",
            id="sequence task",
        ),
        pytest.param(
            [solved(f"m{k}", 100) for k in range(9)] + [solved("z", 200)],
            "z copies over 200 steps, the longest searched; 9 of 10 over 100 steps (searched no "
            "further).",
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


def test_what_the_pairs_do_not_tell_apart_is_no_difference() -> None:
    rows = solved("gru", 100, 0.995), solved("lstm", 100, 0.994)
    [verdict] = judge(*rows, differ={("gru", "lstm"): 0.2})
    sure = text(verdict, "How sure")
    assert "gru has a test accuracy of 0.9950 [0.9930, 0.9970], the highest" in sure
    assert "Not significantly different: lstm 0.9940 [0.9920, 0.9960]." in sure
    assert "Significantly lower" not in sure
    assert "This is no ranking: one search with one seed each" in sure


def test_a_difference_over_payloads_is_one_of_these_networks_only() -> None:
    rows = solved("gru", 100, 0.999), solved("lstm", 100, 0.991), solved("x", 100, 0.99)
    [verdict] = judge(*rows, differ={("gru", "lstm"): 1e-3, ("gru", "x"): 1e-4})
    sure = text(verdict, "How sure")
    assert (
        "Significantly lower over test payloads: lstm 0.9910 [0.9890, 0.9930] and x 0.9900 "
        "[0.9880, 0.9920] (corrected for all comparisons)." in sure
    )
    assert "Another seed may change a network by more" in sure
    assert "Not significantly" not in sure


@pytest.mark.parametrize(("p_value", "apart"), [(0.0, True), (0.05, False), (float("nan"), False)])
def test_a_pair_is_told_apart_by_its_corrected_p_value(p_value: float, apart: bool) -> None:
    rows = solved("gru", 100, 0.999), solved("lstm", 100, 0.991)
    [verdict] = judge(*rows, differ={("gru", "lstm"): p_value})
    assert ("Significantly lower" in text(verdict, "How sure")) == apart
    assert ("Not significantly different" in text(verdict, "How sure")) == (not apart)


def test_only_the_largest_solved_length_is_compared() -> None:
    rows = [solved("gru", 100, 0.999), solved("gru", 200, 0.995), solved("lstm", 100, 0.99)]
    [verdict] = judge(*rows)
    assert text(verdict, "How sure").startswith("At T = 200, gru has a test accuracy of 0.9950")
    assert "lstm" not in text(verdict, "How sure")


@pytest.mark.parametrize(
    ("accuracy", "words"), [(0.42, "more than guessing"), (0.101, "no better than guessing")]
)
def test_an_accuracy_that_solves_nothing_is_held_against_guessing(
    accuracy: float, words: str
) -> None:
    [verdict] = judge(unsolved("gru", 100, accuracy))
    assert words in text(verdict, "How sure")
    assert text(verdict, "How long").startswith(
        "Spent at T = 100 without solving it: gru 2.0 M tokens in 20 s."
    )


def test_the_best_of_many_is_biased_and_the_only_trial_is_not() -> None:
    [many] = judge(solved("gru", 100, trials=3), solved("lstm", 100, trials=16))
    [one] = judge(solved("gru", 100, trials=1))
    assert "the best of 3 to 16 trials promises more than another training will reach" in text(
        many, "How sure"
    )
    assert "best of" not in text(one, "How sure")


def test_confirmed_winners_are_compared_by_their_seeds() -> None:
    [verdict] = judge(
        solved("gru", 100, 0.999, **seeds(0.990, 0.005)),
        solved("lstm", 100, 0.993, **seeds(0.991, 0.005, solved=4)),
        solved("mgru", 100, 0.993, **seeds(0.7, 0.1, solved=0)),
        differ={("lstm", "gru"): 0.6, ("lstm", "mgru"): 0.02},
        basis="seeds",
    )
    sure = text(verdict, "How sure")
    assert "lstm has a mean test accuracy over fresh seeds of 0.9910 [0.9860, 0.9960]" in sure
    assert "Not significantly different: gru 0.9900 [0.9850, 0.9950]." in sure
    assert "Significantly lower over seeds: mgru 0.7000 [0.6000, 0.8000] (corrected for all" in sure
    assert "lstm 4 of 5" in sure
    assert "no ranking" not in sure


def test_one_confirmed_winner_of_two_ranks_nothing() -> None:
    [verdict] = judge(solved("gru", 100, **seeds(0.99, solved=4)), solved("lstm", 100))
    sure = text(verdict, "How sure")
    assert "gru, trained again with 5 fresh seeds, solves it with 4 of them" in sure
    assert "not every winner was trained again with fresh seeds" in sure
    assert "no ranking" in sure


def test_how_long_names_tokens_seconds_and_the_machine() -> None:
    rows = [solved("gru", 1000), solved("lstm", 1000, tokens_to_solve=8e6), unsolved("x", 1000)]
    [verdict] = judge(*rows)
    long = text(verdict, "How long")
    assert (
        "until T = 1000 was solved: lstm 8.0 M tokens in 1.7 min; gru 10.0 M tokens in 1.7 min"
        in long
    )
    assert "no interval" in long
    assert "without solving it: x 20.0 M tokens in 3.3 min" in long
    assert f"{MACHINE}; all trials of the 3 searches together trained for 3.0 min" in long
    assert "machines differ" not in long


def test_seconds_of_two_machines_are_not_compared() -> None:
    other = {"lstm-study": Effort("host there", 60.0)}
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=other)
    assert "machines differ: compare tokens, not seconds" in text(verdict, "How long")


def test_a_final_training_is_called_so() -> None:
    final = {"gru-study": Effort(MACHINE, 60.0, frozenset({100}))}
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=final)
    assert "The training of gru is a final training" in text(verdict, "How long")
    assert "Only gru was trained for longer" in text(verdict, "How sure")
    final["lstm-study"] = final["gru-study"]
    [verdict] = judge(solved("gru", 100), solved("lstm", 100), efforts=final)
    assert "The training is a final training" in text(verdict, "How long")
    assert "Only" not in text(verdict, "How sure")


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


def test_one_model_one_length_and_two_studies_limit_what_is_shown() -> None:
    [verdict] = judge(
        solved("gru", 100, label="gru (a)", study="a"),
        solved("gru", 100, label="gru (b)", study="b"),
    )
    missing = text(verdict, "Not shown")
    assert "only T = 100 was searched" in missing
    assert "only gru was searched" in missing
    assert "Searched in several studies: gru in 2 (a and b)." in missing


def test_a_complete_comparison_has_nothing_to_add() -> None:
    rows = [solved(model, T) for model in ("gru", "lstm") for T in (100, 200)]
    [verdict] = judge(*rows)
    assert list(verdict.answers) == ["How sure", "How long"]
