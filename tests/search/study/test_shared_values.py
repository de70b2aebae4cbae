from search.study.shared_values import SharedValues, shared

COMMON = {"seed": 1, "rate": 0.1, "flag": False, "architecture": {"layers": 1}}


def test_values_read_as_they_were_and_only_what_differs_is_kept():
    values = {"seed": 2, "rate": 0.1, "flag": False, "architecture": {"layers": 1}}
    trial = shared(values, COMMON)
    assert dict(trial) == values == trial
    assert list(trial) == list(values)
    assert {**trial, "seed": 3}["seed"] == 3
    assert isinstance(trial, SharedValues)
    assert trial._own == {"seed": 2}


def test_equal_values_of_another_type_differ():
    values = {"seed": 1.0, "rate": 0.1, "flag": 0, "architecture": {"layers": True}}
    assert repr(dict(shared(values, COMMON))) == repr(values)


def test_values_with_other_names_are_kept_whole():
    values = {"seed": 2}
    assert shared(values, COMMON) is values
