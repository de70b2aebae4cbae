import io

import pytest
from made_studies import make_config, report, search, start
from rich.console import Console

from copytask import MODELS
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config
from search.console.tables import best_table, confirmed
from search.study.study import Study
from studies import format as files
from studies.events import BestTrial


@pytest.mark.parametrize("model", MODELS)
def test_the_best_of_every_models_default_search_fit_into_80_columns(tmp_path, model):
    config = load_config(DEFAULT_CONFIG, [], {"model": model, "T": [1000]})
    study = Study.create(tmp_path / "study", config)
    study.begin_length(1000, [])
    training = config.training_config(1000, config.initial_points()[0], seed=0).to_dict()
    study.start_trial("T1000-0007", training)
    report(study, "T1000-0007", 1, 0.995, files.COMPLETED)
    best = BestTrial(
        trial_id="T1000-0007", trials=1, checkpoint="", accuracy=0.9882, accuracy_low=0.9866,
        accuracy_high=0.9897,
    )  # fmt: skip
    study.set_best(1000, best)
    study.start_trial("T1000-race-00", training, files.RACE, "T1000-0007")
    report(study, "T1000-race-00", 1, 0.995, files.COMPLETED)
    console = Console(file=io.StringIO(), width=80)
    console.print(best_table(study.history, "Best trial of each T"))
    text = console.file.getvalue()
    assert "…" not in text
    assert all(part in text for part in (" lr ", "T1000-0007", "race", "0.988", "0.987-0.990"))
    study.close()


def test_a_seed_without_a_model_counts_as_a_guess(tmp_path):
    study = Study.create(tmp_path / "study", make_config())
    search(study, 5)
    training = start(study, "other").to_dict()
    study.start_trial("T5-confirm-00", training, files.CONFIRM, "T5-0000").tested = True
    for chance in (0.1, 0.5):
        study.history.chance_accuracy = chance
        summary = confirmed(study.history)[5]
        assert (summary.seeds, summary.solved, summary.lowest) == (1, 0, chance)
    study.close()
