"""What the commands say of a study whose study.yaml tells odd things about its making."""

import json
from datetime import datetime

import pytest
import yaml
from made_studies import make_config, search

from search.config.study_config import StudyConfig
from search.run import main
from search.study.study import Study
from studies import format as files

ODD = [
    None,
    3,
    ["torch"],
    {"created": "yesterday", "packages": 3, "host": ["a"], "cpus": {}, "kernels": 1},
    {"created": datetime(1, 1, 1), "packages": {1: [2]}},
]


@pytest.fixture(params=ODD, ids=str)
def study(request, tmp_path):
    made = Study.create(tmp_path / "s", make_config(trials=3))
    search(made, 5, accuracy=0.9969)
    file = tmp_path / "s" / files.STUDY_FILE
    document = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(document | {"provenance": request.param}))
    yield made
    made.close()


@pytest.mark.parametrize("what", [["--list"], ["--show", "s"], ["--show", "s", "s"]])
def test_a_study_is_shown_whatever_its_provenance(study, capsys, what):
    arguments = [*what, "--storage", str(study.path.parent)]
    assert main(arguments) == 0
    assert "gru" in capsys.readouterr().out
    assert main([*arguments, "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_a_search_goes_on_with_other_limits_whatever_its_provenance(study):
    further = study.config.search.model_copy(update={"trials": 4})
    study.change_config(study.config.model_copy(update={"search": further}))
    written = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    assert StudyConfig(**written["config"]).search.trials == 4
