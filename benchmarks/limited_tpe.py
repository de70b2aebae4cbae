"""Does TPE search worse if it sees only 500, 250 or 100 finished trials?

    python -m benchmarks.limited_tpe      (twenty minutes on one core)

Maximizes three noisy functions of three variables, over many trials and several
seeds. As under ASHA, only the better third of the trials is completed. For each
function and each number of visible trials, prints the regret (the distance to
the maximum, without noise) of the best trial and the mean regret of the last
300 trials. Writes benchmarks/limited_tpe.csv.
"""

import argparse
import csv
import math
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from benchmarks.options import add_output
from search.config.algorithms import SAMPLERS
from search.decide.limited_storage import LimitedStorage
from studies.command_line import at_least_one

SPACE = {name: FloatDistribution(0, 1) for name in "xyz"}
SHOWN = (500, 250, 100)
"""Finished trials that TPE sees, beside all of them."""

LAST = 300

HARTMANN_A = np.array([[3, 10, 30], [0.1, 10, 35], [3, 10, 30], [0.1, 10, 35]])
HARTMANN_C = np.array([1, 1.2, 3, 3.2])
HARTMANN_P = 1e-4 * np.array(
    [[3689, 1170, 2673], [4699, 4387, 7470], [1091, 8732, 5547], [381, 5743, 8828]]
)


def hartmann(p: np.ndarray) -> float:
    """Hartmann's function of three variables: four bumps."""
    bumps = HARTMANN_C * np.exp(-(HARTMANN_A * (p - HARTMANN_P) ** 2).sum(1))
    return 3.86278 - float(bumps.sum())


def valley(p: np.ndarray) -> float:
    """The logarithm of Rosenbrock's function: a narrow, curved valley."""
    x, y, z = 4 * p - 2
    value = 100 * (y - x * x) ** 2 + (1 - x) ** 2 + 100 * (z - y * y) ** 2 + (1 - y) ** 2
    return 6 + math.log10(1e-6 + value)


def rastrigin(p: np.ndarray) -> float:
    """Rastrigin's function with flatter waves: many local optima."""
    x = 6 * p - 2.2
    return float((x**2 + 3 * (1 - np.cos(2 * np.pi * x))).sum())


FUNCTIONS = {
    "hartmann3": (hartmann, 0.02),
    "valley": (valley, 0.05),
    "rastrigin": (rastrigin, 0.05),
}
"""Regret of a point of the unit cube, and the standard deviation of the noise."""


def search(
    regret: Callable[[np.ndarray], float], noise: float, shown: int, trials: int, seed: int
) -> list[float]:
    """The regret of each trial."""
    study = optuna.create_study(storage=LimitedStorage(shown), direction="maximize")
    chance = np.random.default_rng(seed)
    regrets: list[float] = []
    for number in range(trials):
        study.sampler = SAMPLERS["tpe"](seed=seed * 100_003 + number, startup_trials=6, space=SPACE)
        trial = study.ask(SPACE)
        regrets.append(regret(np.array([trial.params[name] for name in SPACE])))
        observed = noise * chance.standard_normal() - regrets[-1]
        good = regrets[-1] <= np.quantile(regrets[-100:], 1 / 3)
        trial.report(observed, 30 if good else 4)
        if good:
            study.tell(trial, observed)
        else:
            study.tell(trial, state=TrialState.PRUNED)
    return regrets


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.limited_tpe",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--trials",
        type=at_least_one,
        default=2000,
        help="trials of each run (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds",
        type=at_least_one,
        default=3,
        help="runs with different seeds (default: %(default)s)",
    )
    add_output(parser, Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    rows: list[dict[str, Any]] = []
    for name, (regret, noise) in FUNCTIONS.items():
        for shown in (args.trials, *SHOWN):
            for seed in range(args.seeds):
                regrets = search(regret, noise, shown, args.trials, seed)
                rows.append({
                    "function": name, "shown": shown, "seed": seed,
                    "best": round(min(regrets), 5),
                    f"last_{LAST}": round(statistics.fmean(regrets[-LAST:]), 5),
                })  # fmt: skip
            best, last = (
                [row[key] for row in rows[-args.seeds :]] for key in ("best", f"last_{LAST}")
            )
            print(
                f"{name:10} {shown:6} trials shown: best {statistics.median(best):.4f} "
                f"({min(best):.4f}..{max(best):.4f}), last {LAST} {statistics.median(last):.3f} "
                f"({min(last):.3f}..{max(last):.3f})",
                flush=True,
            )
    with args.output.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
