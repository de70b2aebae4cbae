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
