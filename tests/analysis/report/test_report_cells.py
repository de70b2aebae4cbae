from analysis.report.cells import MISSING, interval, value, words


def test_a_value_is_scaled_and_formatted() -> None:
    assert value("tokens", ".3g", 1e6)({"tokens": 600_000}) == "0.6"
    assert value("T")({"T": 100}) == "100"


def test_a_word_stays_as_it_is_and_nothing_is_a_dash() -> None:
    assert value("optimizer", ".3g")({"optimizer": "sgd"}) == "sgd"
    assert value("optimizer", ".3g")({"optimizer": None}) == MISSING
    assert words("status")({"status": "stopped_early"}) == "stopped early"
    assert words("status")({"status": None}) == MISSING


def test_an_interval_needs_both_ends() -> None:
    row = {"accuracy_low": 0.989, "accuracy_high": 0.993}
    assert interval("accuracy")(row) == "0.989-0.993"
    assert interval("accuracy", ".4f", " to ")(row) == "0.9890 to 0.9930"
    assert interval("accuracy")(row | {"accuracy_high": None}) == MISSING
