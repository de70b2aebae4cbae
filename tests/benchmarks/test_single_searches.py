import pandas as pd

from benchmarks.markdown import NAMES
from benchmarks.single_searches import time_table


def searches(seed: int, minutes: float) -> pd.DataFrame:
    return pd.DataFrame(
        {"search_seed": seed, "model": model, "T": T, "minutes": minutes}
        for model in NAMES
        for T in (100, 200)
    )


def test_searches_with_the_same_seed_are_compared():
    together = pd.concat([searches(0, 1.0), searches(1, 4.5)])
    *_, four, one, ratio = time_table(searches(1, 5.0), together).splitlines()
    assert four == "| four commands | 5:00 | 5:00 | 5:00 | 5:00 | 20:00 |"
    assert one == "| one command | 4:30 | 4:30 | 4:30 | 4:30 | 18:00 |"
    assert ratio.endswith("| 0.90 |")
