import sys

import pandas as pd
import pytest
from synthetic import make_table

from benchmarks import scale

CONFIG = """
T: [1000]
space:
  learning_rate: {low: 1.0e-4, high: 1.0e-1, log: true}
  hidden_size: {choices: [32, 64]}
  curriculum_length: {low: 250, high: 8000, log: true}
"""


@pytest.mark.filterwarnings("ignore")
def test_scale_writes_a_table_and_a_picture(tmp_path, monkeypatch, capsys):
    make_table(60).to_csv(tmp_path / "curves.csv.gz", index=False)
    (tmp_path / "config.yaml").write_text(CONFIG)
    arguments = {
        "--model": "gru", "--workers": "4", "--seeds": "1", "--solved": "1", "--horizon": "20",
        "--table": str(tmp_path / "curves.csv.gz"), "--config": str(tmp_path / "config.yaml"),
        "--output": str(tmp_path / "scale"),
    }  # fmt: skip
    monkeypatch.setattr(
        sys, "argv", ["scale", *(part for pair in arguments.items() for part in pair)]
    )
    scale.main()
    rows = pd.read_csv(tmp_path / "scale.csv")
    assert rows["driver"].tolist() == ["free", "measured"]
    assert (rows["report_ms"] > 0).all()
    assert (tmp_path / "scale.png").stat().st_size > 1000
    assert "driver" in capsys.readouterr().out
