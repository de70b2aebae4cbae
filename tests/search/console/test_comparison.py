import shutil
from pathlib import Path

from searches import ROOT

from search.console.comparison import compare

OLD = ROOT / "tests" / "old_studies" / "gru-sequence"


def test_studies_are_compared_in_reports(tmp_path, monkeypatch, capfd):
    shutil.copytree(OLD, tmp_path / "runs" / "gru-sequence")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert compare([Path("runs/gru-sequence")]) == ""
    assert (tmp_path / "reports" / "index.html").exists()
    assert "gru" in capfd.readouterr().out


def test_what_keeps_them_from_being_compared_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    fault = compare([Path("runs/a"), Path("b c")])
    assert fault.startswith(
        "the studies are complete, but not compared: runs/a does not exist; name a folder of "
    )
    assert fault.endswith("; run python -m analysis.compare runs/a 'b c'")
