import pytest

from benchmarks.rows import Rows
from search.errors import UserError

KEY, VALUES = ("side", "seed"), ("seconds", "note")


def open_rows(path, **settings) -> Rows:
    return Rows(path, KEY, {"workers": 2, **settings}, VALUES)


def test_a_second_start_knows_the_rows_of_the_first(tmp_path):
    path = tmp_path / "rows.csv"
    rows = open_rows(path)
    rows.append({"side": "ours, warm", "seed": 0, "seconds": 1.5, "note": '[{"a": 1}]'})
    again = open_rows(path)
    assert again.find(side="ours, warm", seed=0)["note"] == '[{"a": 1}]'
    assert again.find(side="ours, warm", seed=1) is None
    again.append({"side": "ours, warm", "seed": 1, "seconds": 2, "note": None})
    assert path.read_text().splitlines()[2] == '"ours, warm",1,2,,2'
    assert len(path.read_text().splitlines()) == 3


def test_half_a_row_of_a_killed_process_is_measured_again(tmp_path):
    path = tmp_path / "rows.csv"
    rows = open_rows(path)
    for seed in range(2):
        rows.append({"side": "ours", "seed": seed, "seconds": 1, "note": ""})
    path.write_text(path.read_text()[:-4])
    again = open_rows(path)
    assert again.find(side="ours", seed=0)
    assert not again.find(side="ours", seed=1)
    again.append({"side": "ours", "seed": 1, "seconds": 1, "note": ""})
    assert open_rows(path).find(side="ours", seed=1)


def test_rows_of_other_settings_are_refused_in_one_line(tmp_path):
    path = tmp_path / "rows.csv"
    open_rows(path).append({"side": "ours", "seed": 0, "seconds": 1, "note": ""})
    with pytest.raises(UserError, match=r"rows.csv was measured with workers 2, not 3: .*--output"):
        open_rows(path, workers=3)
    with pytest.raises(UserError, match="has other columns"):
        open_rows(path, ray="2.60")
