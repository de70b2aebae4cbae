"""Learning curves from a formula, in the form of benchmarks/pool.csv.gz."""

from itertools import product

import numpy as np
import pandas as pd

from search.config.study_config import StudyConfig

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "hidden_size": {"choices": [32, 64]},
    "curriculum_length": {"low": 250, "high": 8000, "log": True},
}
ITERATIONS = 30


def make_config(T=(100, 1000), **search) -> StudyConfig:
    return StudyConfig(model="gru", T=list(T), space=SPACE, search=search)


def curve(T: int, rate: float, hidden: int, ramp: int, noise: np.random.Generator) -> list[tuple]:
    """Iteration, tokens, seconds, accuracies and tokens to solve T.

    The accuracy on the ladder rises early, the one at T late.
    """
    quality = np.exp(-((np.log10(rate / 4e-3) / 0.35) ** 2) - (np.log(ramp / 2000) / 1.5) ** 2)
    quality *= hidden / 64
    rows = []
    for iteration in range(1, ITERATIONS + 1):
        seconds = iteration * hidden / 60
        if rate > 5e-2 and iteration == 4:
            return [*rows, (iteration, iteration * 400_000, seconds, np.nan, np.nan, np.nan)]
        ladder = 0.1 + 0.9 * quality * (1 - np.exp(-iteration / 6))
        solves_at = 8 + 10 * (1 - quality) + (5 if T > 100 else 0)
        at_T = 0.1 + (0.895 if quality > 0.6 else 0.3) / (1 + np.exp(2 * (solves_at - iteration)))
        at_T += noise.normal(0, 0.003 if at_T < 0.98 else 0.0)
        before = rows[-1][3] if rows else 0.0
        solved = min(before, at_T) >= 0.99
        rows.append(
            (iteration, iteration * 400_000, seconds, at_T, min(1.0, ladder),
             rows[-1][1] if solved else np.nan)
        )  # fmt: skip
        if solved:
            break
    return rows


def make_table(
    configurations: int = 150, T=(100, 1000), model: str = "gru", seeds: int = 2
) -> pd.DataFrame:
    noise = np.random.default_rng(0)
    rows = []
    for number in range(configurations):
        rate, ramp = 10 ** noise.uniform(-4, -1), int(250 * 32 ** noise.uniform())
        hidden = int(noise.choice([32, 64]))
        for length, seed in product(T, range(seeds)):
            identity = (model, length, number, seed, rate, hidden, ramp)
            rows += [identity + point for point in curve(length, rate, hidden, ramp, noise)]
    columns = (
        "model", "T", "configuration", "seed", "learning_rate", "hidden_size", "curriculum_length",
        "iteration", "tokens", "seconds", "validation_accuracy", "ladder_accuracy",
        "tokens_to_solve",
    )  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns))
