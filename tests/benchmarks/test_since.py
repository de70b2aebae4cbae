import sys

import pandas as pd
import pytest

from benchmarks import since


def test_the_table_has_the_ratio_of_the_pairs():
    rows = pd.DataFrame(
        {"model": "lstm", "round": number, "side": side, "project": project, "seconds": seconds}
        for number, busy in enumerate((1.0, 2.0, 4.0, 8.0))
        for side, project, seconds in (
            (since.EARLIER, "abc", 3.0 * busy),
            (since.NOW, "def", 1.5 * busy),
        )
    )
    assert since.ratios_table(rows).splitlines()[0].startswith("| model | ms a step at abc | now |")
    assert since.ratios_table(rows).splitlines()[-1] == (
        "| LSTM | 9000 | 4500 | 0.50 [0.50, 0.50] | 4 |"
    )


def test_a_commit_that_is_not_there_is_refused_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["since", "no-such-commit", "--output", f"{tmp_path}/a.csv"])
    with pytest.raises(SystemExit, match="error: git rev-parse failed") as end:
        since.main()
    assert len(str(end.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_model_that_a_version_lacks_is_one_line():
    with pytest.raises(since.UserError, match="no-such-model"):
        since.train(since.ROOT, "no-such-model")
