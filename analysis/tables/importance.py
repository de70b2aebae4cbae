"""Which hyperparameters decided whether a trial was among the best.

Source: Watanabe, Bansal & Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance
in Arbitrary Subspaces", 2023, by Optuna's evaluator. It needs no regression model, and sets the
best trials beside those that were run, wherever the sampler has put them.
"""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator

from analysis.reading.studies import WHOLE_COLUMNS, Studies
from analysis.tables.records import records
from studies import format as files

LEAST_TRIALS = 20
BEST_SHARE = 0.25
"""Of the trials, those that count as the best: of 20 trials five, which Optuna names as the least
for a stable result."""

MOST_TRIALS = 100
"""Of more trials, as many are drawn: enough for a handful of hyperparameters, and quick."""

SHUFFLES = 10
"""How often the accuracies are dealt to the trials at random, to see what no effect looks like."""

IMPORTANCE_COLUMNS = (
    "study", "label", "task", "hyperparameter", "importance", "noise", "trials",
)  # fmt: skip


def hyperparameter_importance(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a (study, hyperparameter) of each study with enough trials.

    The trials of all T count together, each by its rank among those of its T, because one T
    rarely has enough of them.

    Columns: ``IMPORTANCE_COLUMNS``, explained in :mod:`analysis.tables.columns`.
    """
    trials = studies.trials
    ended = trials[(trials["stage"] == files.SEARCH) & (trials["status"] != files.INTERRUPTED)]
    of_study = dict(iter(ended.groupby("study")))
    rows = []
    labelled = comparison[["study", "label", "task"]].dropna().drop_duplicates()
    for study, label, task in labelled.itertuples(index=False):
        config = studies.configs[study]
        distributions = search_space(config["space"], of_study.get(study, ended.iloc[:0]))
        found = of_study.get(study, ended.iloc[:0]).dropna(subset=list(distributions))
        if len(found) < LEAST_TRIALS or not distributions:
            continue
        metric = config["search"].get("metric", "ladder_accuracy")
        found = found.sample(min(len(found), MOST_TRIALS), random_state=0)
        ranks = _ranks(found, "validation_accuracy" if metric == "accuracy" else metric)
        importances, noise = _evaluate(found, distributions, ranks)
        rows += [
            (study, label, task, name, importances[name], noise[name], len(found))
            for name in distributions
        ]
    return pd.DataFrame(rows, columns=list(IMPORTANCE_COLUMNS))


def search_space(space: Mapping[str, Any], trials: pd.DataFrame) -> dict[str, BaseDistribution]:
    """The searched hyperparameters of a study as Optuna's distributions.

    Args:
        space: of study.yaml. A plain value in it is fixed, and is left out.
        trials: widen a range to what was tried: given configurations may lie beyond it.
    """
    distributions: dict[str, BaseDistribution] = {}
    for name, dimension in space.items():
        if not isinstance(dimension, Mapping) or name not in trials:
            continue
        tried = trials[name].dropna()
        if "choices" in dimension:
            choices = dict.fromkeys([*dimension["choices"], *tried.tolist()])
            distributions[name] = CategoricalDistribution(list(choices))
            continue
        if not {"low", "high"} <= set(dimension):
            continue
        low, high = (float(dimension[end]) for end in ("low", "high"))
        if len(tried):
            low, high = min(low, float(tried.min())), max(high, float(tried.max()))
        log = bool(dimension.get("log", False))
        if dimension.get("type") == "int" or name in WHOLE_COLUMNS:
            distributions[name] = IntDistribution(int(low), int(high), log=log)
        else:
            distributions[name] = FloatDistribution(low, high, log=log)
    return distributions


def _ranks(trials: pd.DataFrame, metric: str) -> np.ndarray:
    """Rank of each trial among those of its T, in (0, 1]; the best one has 1."""
    values = trials[metric].fillna(files.CHANCE_ACCURACY)
    ranks: np.ndarray = values.groupby(trials["T"]).rank(pct=True).to_numpy()
    return ranks


def _evaluate(
    trials: pd.DataFrame, distributions: dict[str, BaseDistribution], values: np.ndarray
) -> tuple[dict[str, float], dict[str, float]]:
    """Importances, and the largest ones that dealt out values reach."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(params=params, distributions=distributions, value=value)
            for params, value in zip(records(trials[list(distributions)]), values, strict=True)
        ]
    )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)

    def importances(dealt: np.ndarray) -> dict[str, float]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a target is minimized: hence the minus
            return evaluator.evaluate(study, target=lambda trial: -float(dealt[trial.number]))

    rng = np.random.default_rng(0)
    dealt_out = pd.DataFrame([importances(rng.permutation(values)) for _ in range(SHUFFLES)])
    return importances(values), {str(k): float(v) for k, v in dealt_out.max().items()}
