import shutil
import subprocess
from pathlib import Path

import pytest
from study_files import NOT_SOLVED, confirm, seed, write_study

from analysis import load_studies
from analysis.report.wide_tables import ACCURACIES, SOLVE_RATES, latex, wide_tables
from analysis.tables.comparison import compare_studies


def test_models_are_rows_and_lengths_columns(runs: Path) -> None:
    write_study(runs, "a", model="gru", best=[100])
    write_study(runs, "b", model="lstm", T=[100, 500])
    comparison = compare_studies(load_studies([runs]))
    done = "0.9910 (0.9890-0.9930)"
    [(header, rows)] = wide_tables(comparison).values()
    assert header == ["model", "T = 100", "T = 200", "T = 500"]
    assert rows == [["gru", done, "-", "-"], ["lstm", done, "-", done]]


def test_solve_rates_come_first_where_there_are_any(runs: Path) -> None:
    confirm(write_study(runs, "a", model="gru"), seed(0), seed(1, **NOT_SOLVED))
    comparison = compare_studies(load_studies([runs]))
    tables = wide_tables(comparison)
    assert list(tables) == [SOLVE_RATES, ACCURACIES]
    assert tables[SOLVE_RATES][1] == [["gru", "1 of 2 (0.01-0.99)", "-"]]
    text = latex(comparison)
    assert text.index("1 of 2 (0.01--0.99)") < text.index("0.9910 (0.9890--0.9930)")


NASTY = r"my_cells:a&b%c$d#e{f}g~h^i\j<k>|l"


def test_latex_escapes_what_a_name_may_hold(runs: Path) -> None:
    write_study(runs, "a", model=NASTY, T=[100])
    write_study(runs, "b", model="gru", task="sequence", T=[100, 200])
    text = latex(compare_studies(load_studies([runs])))
    assert (
        r"my\_cells:a\&b\%c\$d\#e\{f\}g\textasciitilde{}h\textasciicircum{}i\textbackslash{}j"
        r"\textless{}k\textgreater{}\textbar{}l & 0.9910 (0.9890--0.9930) \\"
    ) in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert r"\begin{tabular}{lcc}" in text
    assert r"\usepackage" not in text


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("pdflatex"), reason="needs pdflatex: apt-get install texlive-latex-base"
)
def test_latex_compiles(runs: Path, tmp_path: Path) -> None:
    write_study(runs, "a", model=NASTY, T=[100])
    table = latex(compare_studies(load_studies([runs])))
    document = "\\documentclass{article}\\begin{document}\n" + table + "\\end{document}\n"
    (tmp_path / "table.tex").write_text(document)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
