from made_studies import make_config, start

from search.study.limits import is_full
from search.study.study import Study


def test_a_grid_is_full_when_each_of_its_points_was_tried_and_at_the_limit_in_any_case(tmp_path):
    config = make_config(T=[5])
    space = {"learning_rate": 1e-3, "hidden_size": {"choices": [8, 16]}}
    search = config.search.model_copy(update={"sampler": "grid", "trials": 4})
    config = config.model_copy(update={"space": space, "search": search})
    study = Study.create(tmp_path / "study", config)
    for number, full in enumerate([False, False, False, True]):  # somebody enqueued it again
        start(study, f"t{number}", hidden_size=8)
        assert is_full(study.history, 5) == full
    other = Study.create(tmp_path / "other", config)
    for number, full in enumerate([False, True]):
        start(other, f"t{number}", hidden_size=8 * (number + 1))
        assert is_full(other.history, 5) == full
    study.close()
    other.close()
