from made_studies import make_config, search, start

from search.console.tables import confirmed
from search.study.study import Study
from studies import format as files


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
