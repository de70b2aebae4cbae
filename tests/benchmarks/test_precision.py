import pandas as pd
import pytest

from benchmarks.precision import VALUES, measure, medians_table, ratios_table
from benchmarks.rows import Rows
from search.errors import UserError


def rows_of_gru(*tokens: tuple[int, int], unsolved: int = 0) -> pd.DataFrame:
    """Tokens in fp32 and bf16 of each seed; the last ones did not solve T in bf16."""
    rows = []
    for seed, pair in enumerate(tokens):
        for precision, spent in zip(("fp32", "bf16"), pair, strict=True):
            solved = precision == "fp32" or seed < len(tokens) - unsolved
            row = {"model": "gru", "precision": precision, "seed": seed, "solved": solved}
            rows.append(row | {"tokens": spent, "seconds": spent / 1e5, "test_accuracy": 0.99})
    return pd.DataFrame(rows)


def test_the_ratio_is_that_of_pairs_that_both_solve_T():
    pairs = [(10**6, 2 * 10**6), (2 * 10**6, 10**6), (10**6, 10**6), (10**6, 10**6)]
    table = ratios_table(rows_of_gru(*pairs, (10**6, 12 * 10**6), unsolved=1))
    _, _, tokens, seconds = table.splitlines()
    assert tokens.startswith("| tokens | 1.00 [")
    assert seconds.startswith("| seconds | 1.00 [")
    assert tokens.endswith("] | 4 |")


def test_the_medians_and_ranges_are_those_of_all_seeds():
    rows = rows_of_gru((10**6, 4 * 10**6), (2 * 10**6, 5 * 10**6), (6 * 10**6, 12 * 10**6))
    lines = medians_table(rows).splitlines()
    accuracy = "0.9900 (0.9900 to 0.9900)"
    assert lines[2] == f"| GRU | fp32 | 3 of 3 | 2.0 (1.0 to 6.0) | 20.0 | {accuracy} |"
    assert lines[3].startswith("| GRU | bf16 | 3 of 3 | 5.0 (4.0 to 12.0) | 50.0 |")


def test_rows_of_another_T_are_refused_before_anything_is_trained(tmp_path):
    file = tmp_path / "precision.csv"
    row = dict.fromkeys(VALUES, 1) | {"model": "gru", "precision": "fp32", "seed": 0}
    Rows(file, ("model", "precision", "seed"), {"T": 1000}, VALUES).append(row)
    before = file.read_text()
    with pytest.raises(UserError, match="was measured with T 1000, not 200"):
        measure(200, 10, 1, file)
    assert file.read_text() == before
