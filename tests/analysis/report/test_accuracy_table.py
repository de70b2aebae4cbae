import shutil
import subprocess
from pathlib import Path

import pytest
from study_files import write_study

from analysis import load_studies
from analysis.report.accuracy_table import accuracy_table, latex
from analysis.tables.comparison import compare_studies


def test_models_are_rows_and_lengths_columns(runs: Path) -> None:
    write_study(runs, "a", model="gru", best=[100])
    write_study(runs, "b", model="lstm", T=[100, 500])
    comparison = compare_studies(load_studies([runs]))
    done = "0.9910 (0.9890-0.9930)"
    header, rows = accuracy_table(comparison)
    assert header == ["model", "T = 100", "T = 200", "T = 500"]
    assert rows == [["gru", done, "-", "-"], ["lstm", done, "-", done]]


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
