import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pandas as pd
from study_files import NOT_SOLVED, trial, write_study

from analysis import load_studies
from analysis.figures.styles import KNOWN_MODELS
from analysis.report.page.explorer import POINTS, explorer_data, packed
from studies import format as files

STYLES = {name: KNOWN_MODELS[name] for name in ("gru", "lstm")}


def explored(runs: Path, **labels: str) -> dict[str, Any]:
    """What the explorer gets of the one task in ``runs``."""
    [task] = explorer_data(load_studies([runs]), {"delay": (labels, STYLES, 0.1)})
    document = json.loads(gzip.decompress(base64.b64decode(packed(task))))
    return document | {"columns": {column["key"]: column for column in document["columns"]}}


def test_columns_have_a_value_of_every_trial(runs: Path) -> None:
    made = [trial(100, learning_rate=0.00123456), trial(100, 1, files.STOPPED_EARLY, **NOT_SOLVED)]
    write_study(runs, "b", model="gru", T=[100], trials=made)
    write_study(runs, "a", model="lstm", T=[100], trials=[trial(100, 0, files.FAILED)])
    task = explored(runs, b="gru", a="lstm")
    columns = task["columns"]
    assert columns["trial"]["values"] == ["T=100-00", "T=100-01", "T=100-00"]
    assert columns["model"]["words"] == ["gru", "lstm"]  # as they were named
    assert columns["model"]["values"] == [0, 0, 1]
    assert columns["learning_rate"]["values"] == [0.001235, 0.00123, 0.00123]
    assert columns["learning_rate"]["log"]
    status = columns["status"]
    words = [status["words"][value] for value in status["values"]]
    assert words == ["completed", "stopped early", "failed"]
    assert columns["solved"]["values"] == [0.6, None, None]
    assert columns["validation"]["values"] == [0.9953, 0.42, 0.9953]
    assert columns["error"]["words"] == ["the loss is not finite"]
    assert "stage" not in columns  # all are of the search
    assert task["models"][0] == {
        "label": "gru", "color": "var(--c-d55e00)",
        "command": [f"python -m search.run --replay {runs}/b ", ""],
    }  # fmt: skip


def test_curves_are_steps_of_tokens_and_accuracies(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[trial(100), trial(100, 1)])
    progress = pd.read_csv(runs / "gru" / "progress.csv")
    progress[progress["trial_id"] == "T=100-00"].to_csv(runs / "gru" / "progress.csv", index=False)
    task = explored(runs, gru="gru")
    assert task["counts"] == [4, 0]
    assert task["tokens"] == [250] * 4
    assert task["accuracies"] == [244, 488, 732, 976]


def test_long_curves_are_thinned_and_keep_their_end(runs: Path) -> None:
    folder = write_study(runs, "gru", model="gru", T=[100])
    last = 5 * POINTS + 1
    row = pd.read_csv(folder / "progress.csv").iloc[0].to_dict()
    rows = [row | {"tokens": 1000 * k, "validation_accuracy": k / 1000} for k in range(1, last + 1)]
    pd.DataFrame(rows).to_csv(folder / "progress.csv", index=False)
    task = explored(runs, gru="gru")
    assert task["counts"] == [34]
    assert sum(task["tokens"]) == last
    assert task["accuracies"][-1] == last


def test_a_task_without_trials_is_left_out(runs: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100], trials=[])
    assert explorer_data(load_studies([runs]), {"delay": ({"gru": "gru"}, STYLES, 0.1)}) == []


def test_a_model_of_the_users_own_is_named_in_the_command(runs: Path) -> None:
    write_study(runs, "mine", model="cells.py:rnn", T=[100])
    task = explorer_data(load_studies([runs]), {"delay": ({"mine": "gru"}, STYLES, 0.1)})[0]
    assert task["models"][0]["command"][1] == " --model cells.py:rnn"
