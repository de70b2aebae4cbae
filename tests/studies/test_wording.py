from studies.wording import all_counted, counted


def test_one_has_no_plural():
    assert [counted(n, "slot") for n in (0, 1, 2)] == ["0 slots", "1 slot", "2 slots"]
    assert [all_counted(n, "trial") for n in (1, 2)] == ["1 trial", "all 2 trials"]
