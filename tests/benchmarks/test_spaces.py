from benchmarks.baselines.spaces import optuna_space, ray_space, values_of
from benchmarks.options import SEARCHES
from search.config.reading import load_config

CONFIG = load_config(SEARCHES, [], {"model": "lstm", "T": [1000]})


def test_what_a_command_line_says_can_be_trained():
    given = {
        "hidden_size": "64",
        "other": "x",
        "curriculum_length": "2000",
        "learning_rate": "0.005",
    }
    values = values_of(CONFIG, [part for name in given for part in (f"--{name}", given[name])])
    assert values == {"learning_rate": 0.005, "hidden_size": 64, "curriculum_length": 2000}
    assert CONFIG.training_config(1000, values, 0).curriculum_length == 2000


def test_other_libraries_search_the_same_space():
    optuna, ray = optuna_space(CONFIG), ray_space(CONFIG)
    assert set(optuna) == set(ray) == set(CONFIG.dimensions())
    assert (optuna["curriculum_length"].low, optuna["curriculum_length"].high) == (250, 8000)
    assert (ray["curriculum_length"].lower, ray["curriculum_length"].upper) == (250, 8001)
