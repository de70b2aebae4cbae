"""importance.csv: which hyperparameters go with being among the best trials: exploratory.

Only trials that were sampled count: given and carried configurations are where they are because
they were good. A sampler that learns still tries some regions more than others, so an importance is
a hint for the next search, and no effect.

PED-ANOVA (:mod:`analysis.tables.ped_anova`) needs no regression model, and sets the best trials
beside those that were run, wherever the sampler has put them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL, searched_dimensions
from analysis.tables.ped_anova import best_trials, importances
from analysis.tables.sampled import sampled_trials
from studies import format as files
from studies.columns import TASK, TRIALS, WHOLE, Table, real, text, whole

LEAST_TRIALS = 20
BEST_SHARE = 0.25
"""Share of the trials that count as the best: 5 of 20, the least for which Optuna calls the result
stable."""

MOST_TRIALS = 100
"""Of more trials, this many are drawn: enough for a handful of hyperparameters, and quick."""

WHOLE_HYPERPARAMETERS = {column.name for column in TRIALS.columns if column.type == WHOLE}
"""Hyperparameters that are whole numbers, whatever their range in the search space says."""

SHUFFLES = 200
"""How often targets are assigned to the trials of each T at random, to see what no effect looks
like."""

IMPORTANCE = Table(
    "importance.csv",
    f"One row a (study, hyperparameter) of studies with at least {LEAST_TRIALS} ended trials that "
    "were sampled. Exploratory: a hint for the next search.",
    (
        STUDY, LABEL, TASK,
        text("hyperparameter", "a searched hyperparameter"),
        text("target", "what the best trials are best in: ladder_accuracy or validation_accuracy"),
        real("importance", "", "for being in the best quarter of the trials at a T (PED-ANOVA)"),
        real(
            "noise", "",
            f"what the largest importance of any hyperparameter stays below in 95 % of {SHUFFLES} "
            "shuffles of the target",
        ),
        real(
            "p_value", "",
            "share of shuffles in which any hyperparameter is as important: corrected for all of "
            "the study",
        ),
        whole("trials", "", "sampled trials of all T that were counted"),
    ),
)  # fmt: skip


def hyperparameter_importance(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a (study, hyperparameter) of each study with enough sampled trials.

    The trials of all T count together, each by its rank among those of its T, because one T
    rarely has enough of them.

    Columns: those of :data:`IMPORTANCE`.
    """
    trials = sampled_trials(studies)
    ended = trials[trials["status"] != files.INTERRUPTED]
    of_study = dict(iter(ended.groupby("study")))
    rows = []
    labelled = comparison[["study", "label", "task"]].dropna().drop_duplicates()
    for study, label, task in labelled.itertuples(index=False):
        config = studies.configs[study]
        of_it = of_study.get(study, ended.iloc[:0])
        distributions = search_space(searched_dimensions(config), of_it)
        found = of_it.dropna(subset=list(distributions))
        if len(found) < LEAST_TRIALS or not distributions:
            continue
        metric = config["search"].get("metric", "ladder_accuracy")
        target = "validation_accuracy" if metric == "accuracy" else metric
        found = found.sample(min(len(found), MOST_TRIALS), random_state=0)
        chance = studies.chances[study]
        importances, largest = _evaluate(found, distributions, _ranks(found, target, chance))
        noise = float(np.quantile(largest, 0.95))
        for name in distributions:
            as_large = 1 + int((largest >= importances[name]).sum())
            p_value = as_large / (1 + SHUFFLES)
            scores = importances[name], noise, p_value
            rows.append((study, label, task, name, target, *scores, len(found)))
    return pd.DataFrame(rows, columns=list(IMPORTANCE.names))


def search_space(
    space: Mapping[str, Mapping[str, Any]], trials: pd.DataFrame
) -> dict[str, BaseDistribution]:
    """The searched hyperparameters of a study as Optuna's distributions.

    Args:
        space: of :func:`analysis.tables.comparison.searched_dimensions`. A hyperparameter that is
            searched under a condition is left out: few trials have it.
        trials: widen a range to what was tried: given configurations may lie beyond it.
    """
    distributions: dict[str, BaseDistribution] = {}
    for name, dimension in space.items():
        if "when" in dimension or name not in trials:
            continue
        tried = trials[name].dropna()
        if "choices" in dimension:
            distributions[name] = CategoricalDistribution(_choices([*dimension["choices"], *tried]))
            continue
        if not {"low", "high"} <= set(dimension):
            continue
        low, high = (float(dimension[end]) for end in ("low", "high"))
        if len(tried):
            low, high = min(low, float(tried.min())), max(high, float(tried.max()))
        log = bool(dimension.get("log", False))
        if dimension.get("type") == "int" or name in WHOLE_HYPERPARAMETERS:
            distributions[name] = IntDistribution(int(low), int(high), log=log)
        else:
            distributions[name] = FloatDistribution(low, high, log=log)
    return distributions


def _cell(value: Any) -> float | str:
    """A choice as a number, or as text: study.yaml and trials.csv may write the same differently.

    A file of trials has texts in a column where one is no number, so there "1.0" is the choice 1.
    """
    try:
        return str(value) if isinstance(value, bool | np.bool_) else float(value)
    except (TypeError, ValueError):
        return str(value)


def _choices(values: Iterable[Any]) -> list[float] | list[str]:
    """Each value once: numbers if all are, else texts, since a distribution cannot have both."""
    cells = [_cell(value) for value in values]
    numbers = [cell for cell in cells if isinstance(cell, float)]
    if len(numbers) == len(cells):
        return list(dict.fromkeys(numbers))
    return list(dict.fromkeys(map(str, cells)))


def _cells(column: pd.Series, distribution: BaseDistribution) -> list[Any]:
    """The values of a hyperparameter, choices as they are in its distribution."""
    if not isinstance(distribution, CategoricalDistribution):
        return column.tolist()
    words = isinstance(distribution.choices[0], str)
    return [str(_cell(value)) if words else _cell(value) for value in column]


def _ranks(trials: pd.DataFrame, metric: str, chance: float) -> np.ndarray:
    """Rank of each trial among those of its T, in (0, 1]; the best one has 1."""
    values = trials[metric].fillna(chance)
    ranks: np.ndarray = values.groupby(trials["T"]).rank(pct=True).to_numpy()
    return ranks


def _evaluate(
    trials: pd.DataFrame, distributions: dict[str, BaseDistribution], values: np.ndarray
) -> tuple[dict[str, float], np.ndarray]:
    """Importances, and the largest one of each shuffle of the values within their T."""
    rng = np.random.default_rng(0)
    groups = [np.flatnonzero(trials["T"] == T) for T in trials["T"].unique()]
    rankings = np.tile(values, (1 + SHUFFLES, 1))
    for shuffled in rankings[1:]:
        for group in groups:
            shuffled[group] = rng.permutation(values[group])
    best = best_trials(rankings, BEST_SHARE)
    found = {
        name: importances(_cells(trials[name], distribution), distribution, best)
        for name, distribution in distributions.items()
    }
    largest = np.max([of[1:] for of in found.values()], axis=0)
    return {name: float(of[0]) for name, of in found.items()}, largest
