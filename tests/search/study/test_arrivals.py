from search.study.arrivals import Arrivals


def test_what_a_trial_has_reported_can_be_forgotten():
    arrivals, expected = Arrivals(), Arrivals()
    for trial, iteration, value in [(0, 1, 0.5), (1, 1, 0.25), (0, 2, 0.75)]:
        arrivals.add(trial, iteration, value)
    arrivals.forget(0)
    expected.add(1, 1, 0.25)
    assert (arrivals, list(arrivals), len(arrivals)) == (expected, [(1, 1, 0.25)], 1)
