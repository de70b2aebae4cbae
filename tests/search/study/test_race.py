"""Standings of a race, from trials and trainings alone."""

import pytest
from points import point

from search.config.sections import SearchConfig
from search.study.race import Race, has_lost
from search.study.records import TrialRecord
from studies import format as files


def candidate(name: str, tokens_to_solve: int | None = 100) -> TrialRecord:
    trial = TrialRecord(name, 5, {}, status=files.COMPLETED, ended=True)
    trial.add(point(1, 1.0, tokens_to_solve=tokens_to_solve))
    return trial


def training(confirms: str, told: str) -> TrialRecord:
    """A training that has solved T (s), has not (f), was cut off (c), or runs (r)."""
    record = TrialRecord("x", 5, {}, files.RACE, confirms, ended=told != "r")
    record.add(point(1, 0.5, tokens_to_solve=100 if told == "s" else None))
    record.status = files.COMPLETED if told in "sf" else files.INTERRUPTED
    return record


def race(told: dict[str, str], **search) -> Race:
    """Candidates a, b, c in this order; ``told`` has their trainings."""
    solvers = [candidate("a", 100), candidate("b", 200), candidate("c", 300)]
    trials = [*solvers, candidate("no", None)]
    trainings = [training(name, one) for name, all_told in told.items() for one in all_told]
    return Race(trials, solvers, trainings, SearchConfig(**{"race_seeds": 3, **search}))


@pytest.mark.parametrize(
    ("told", "leader", "winner"),
    [
        ({}, "a", "a"),
        ({"a": "ss"}, "a", "a"),
        ({"a": "sss"}, None, "a"),
        ({"a": "ssr"}, "a", "a"),
        ({"a": "f"}, "b", "b"),  # who has not failed is better than who has, 1/2 against 1/3
        ({"a": "sf"}, "b", "a"),  # but not than who has solved as often as not: the first one
        ({"a": "sf", "b": "s"}, "b", "b"),
        ({"a": "ssf", "b": "c"}, "b", "a"),
        ({"a": "ssf", "b": "f"}, "c", "a"),
        ({"a": "ssf", "b": "f", "c": "sss"}, None, "c"),
        ({"a": "f", "b": "sf", "c": "f"}, None, "b"),
        ({"a": "f", "b": "f", "c": "f"}, None, "a"),
        ({"a": "fc"}, "b", "b"),
    ],
)  # fmt: skip
def test_who_leads_and_who_is_ahead(told, leader, winner):
    found = race(told)
    assert (found.leader and found.leader.trial.id) == leader
    assert found.winner.id == winner


def test_only_the_first_ones_race_and_whoever_has_raced():
    assert [one.trial.id for one in race({}, race_candidates=2).candidates] == ["a", "b"]
    assert [one.trial.id for one in race({"c": "s"}, race_candidates=1).candidates] == ["a", "c"]


def test_without_a_race_the_first_of_the_ranking_wins():
    found = race({}, race_seeds=0)
    assert (found.candidates, found.leader, found.ahead) == ([], None, None)
    assert found.winner.id == "a"
    accurate = candidate("unsolved", None)
    assert Race([accurate], [], [], SearchConfig()).winner is accurate
    assert Race([], [], [], SearchConfig()).winner is None


def test_a_record_counts_the_seeds_that_have_told():
    found = race({"a": "scfr", "b": "r"})
    first, second, _ = found.candidates
    assert (first.seeds, first.solved, len(first.running)) == (2, 1, 1)
    assert first.solve_rate == pytest.approx(2 / 4)
    assert found.record_of(first.trial) is first
    assert found.record_of(second.trial) is None
    final = TrialRecord("final", 5, {}, files.FINAL)
    assert found.record_of(final).trial.id == "a"  # which it repeats


@pytest.mark.parametrize(
    ("tokens", "accuracy", "lost"),
    [(199, 0.5, False), (200, 0.5, True), (200, 0.99, False), (999, 0.98, True)],
)
def test_a_training_has_lost_after_twice_the_tokens_of_its_candidate(tokens, accuracy, lost):
    assert has_lost(candidate("a", 100), tokens, accuracy) == lost
