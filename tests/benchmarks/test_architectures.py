import pytest

from benchmarks.architectures import LENGTHS, LOOKING_UP, ONE_LAG_VARIANTS, VARIANTS, settings_of
from search.config.layers import DEFAULT_CONFIG
from search.config.reading import load_config


@pytest.mark.parametrize("task", LENGTHS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_each_search_is_a_valid_one_and_only_tasks_with_a_lag_are_learned_at_one_length(
    variant, task
):
    of = {"model": VARIANTS[variant][0], "task": task, "T": [LENGTHS[task]]}
    config = load_config(DEFAULT_CONFIG, settings_of(variant, task), of)
    at_one_length = variant in ONE_LAG_VARIANTS and task not in LOOKING_UP
    assert config.search.metric == ("accuracy" if at_one_length else "ladder_accuracy")
    ramps = [config.space.get("curriculum_length"), config.training.get("curriculum_length")]
    assert (0 in ramps) == at_one_length
