from benchmarks.options import SEARCHES
from search.config.layers import CONFIGS
from search.config.reading import load_config


def test_the_compared_searches_have_the_space_of_wide_yaml():
    searches, wide = (
        load_config(path, [], {"model": "lstm"}) for path in (SEARCHES, CONFIGS / "wide.yaml")
    )
    assert searches.space == wide.space


def test_nothing_but_T_or_the_clock_ends_them():
    search = load_config(SEARCHES, [], {"model": "lstm"}).search
    assert search.budget_minutes is search.budget_tokens is search.patience is None
    assert not search.race_seeds
    assert not search.initial
