"""The example of ``analysis`` as a library runs as a user would run it."""

import subprocess
import sys
from pathlib import Path

from study_files import NOT_SOLVED, trial, write_study

ROOT = Path(__file__).parents[2]


def test_compare_in_python(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write_study(runs, "gru", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    write_study(runs, "lstm", model="lstm", T=[100])
    result = subprocess.run(
        [sys.executable, "examples/compare_in_python.py", str(runs)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert "tokens_to_first_solve" in result.stdout
    assert "accuracy_vs_T: " in result.stdout
    assert "median" in result.stdout
