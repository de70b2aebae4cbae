from search.study.arrivals import Arrivals


def test_what_a_trial_has_reported_can_be_forgotten():
    arrivals = Arrivals()
    for entry in [(0, 1, 0.5), (1, 1, 0.25), (0, 2, 0.75), (2, 1, 0.0)]:
        arrivals.add(*entry)
    arrivals.forget(0)
    arrivals.forget(2)
    arrivals.add(0, 1, 1.0)
    assert (list(arrivals), len(arrivals)) == ([(1, 1, 0.25), (0, 1, 1.0)], 2)
    arrivals.forget(0)
    assert [list(column) for column in arrivals.columns()] == [[1], [1], [0.25]]


def test_it_tells_what_was_known_before_a_result_came():
    arrivals = Arrivals()
    for entry in [(0, 1, 0.5), (1, 1, 0.25), (2, 1, 0.75)]:
        arrivals.add(*entry)
    assert arrivals.count_to(2) == 2
    arrivals.forget(0)
    arrivals.add(0, 1, 1.0)
    assert [arrivals.count_to(trial) for trial in (2, 0)] == [2, 3]
    assert [column.tolist() for column in arrivals.columns(2)] == [[0, 1], [1, 1], [0.5, 0.25]]
    assert [column.tolist() for column in arrivals.columns(3)] == [[1, 2], [1, 1], [0.25, 0.75]]
