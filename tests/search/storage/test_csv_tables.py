import pytest

from search.storage import csv_tables
from search.storage.csv_tables import read_rows, write_rows


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_rows_come_back_however_many_are_written_at_a_time(tmp_path, monkeypatch, count):
    monkeypatch.setattr(csv_tables, "ROWS", 2)
    rows = [{"a": n, "b": 0.1 * n, "c": None, "left out": 3} for n in range(count)]
    write_rows(tmp_path / "table.csv", ["a", "b", "c", "d"], lambda: rows)
    assert (tmp_path / "table.csv").read_text().splitlines()[0] == "a,b,c,d"
    assert read_rows(tmp_path / "table.csv") == [
        {"a": n, "b": 0.1 * n if n else 0, "c": None, "d": None} for n in range(count)
    ]


def test_a_table_that_cannot_be_written_is_as_it_was(tmp_path):
    def broken():
        yield {"a": 2}
        raise OSError("no space left")

    write_rows(tmp_path / "table.csv", ["a"], lambda: [{"a": 1}])
    with pytest.raises(OSError, match="no space left"):
        write_rows(tmp_path / "table.csv", ["a"], broken)
    assert read_rows(tmp_path / "table.csv") == [{"a": 1}]
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
