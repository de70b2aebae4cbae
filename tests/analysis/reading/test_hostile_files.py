"""Nothing of a study is run: not its YAML, not its checkpoints."""

import io
import pickle
import zipfile
from pathlib import Path

from study_files import write_study

from analysis.compare import main as compare
from search.generalize import main as generalize
from studies import format as files


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path):
        self._mark = mark

    def __reduce__(self):
        return Path.touch, (self._mark,)


def test_yaml_with_python_in_it_is_not_run(tmp_path, capsys):
    mark = tmp_path / "run"
    study = write_study(tmp_path, "s")
    (study / files.STUDY_FILE).write_text(
        f"schema_version: 1\nconfig: !!python/object/apply:os.mkdir ['{mark}']\n"
    )
    assert compare([str(study), "--output", str(tmp_path / "out")]) == 0
    assert "study.yaml is not YAML" in capsys.readouterr().out
    assert not mark.exists()


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path, capsys):
    mark = tmp_path / "run"
    study = write_study(tmp_path, "s")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Bomb(mark)))
        file.writestr("archive/version", "3")
    for checkpoint in (archive.getvalue(), pickle.dumps(Bomb(mark))):
        folder = study / files.CHECKPOINTS_FOLDER / "T=100"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint.pt").write_bytes(checkpoint)
        assert generalize([str(study), "--T", "5"]) == 2
        assert "is not a readable checkpoint" in capsys.readouterr().err
    assert not mark.exists()
