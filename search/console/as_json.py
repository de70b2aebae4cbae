"""Studies as JSON, for programs: ``--list --json`` and ``--show NAME --json``.

docs/searching.md explains the keys. They stay: a later version may add some.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from search.console.list_studies import Broken
from search.console.show_study import commands
from search.console.tables import confirmed
from search.study.overview import BROKEN, Overview
from search.study.records import TrialRecord
from studies import format as files

Json = dict[str, Any]

DIGITS = 10
"""Significant digits of a number. Those beyond are noise: a mean that is recorded as
0.19490000000000005 is 0.1949."""


def text(value: Json | Sequence[Json]) -> str:
    """JSON in lines. A number that JSON does not know, such as infinity, is null."""
    return json.dumps(_plain(value), indent=2, allow_nan=False, ensure_ascii=False)


def listed(study: Overview | Broken) -> Json:
    """The keys of a study in the list."""
    if isinstance(study, Broken):
        nothing: Json = dict.fromkeys(("model", "task", "created", "seconds"))
        head = {"study": study.path.name, "path": str(study.path), "state": BROKEN}
        return {**head, "error": study.reason, **nothing, "lengths": []}
    config = study.history.config
    return {
        "study": study.path.name,
        "path": str(study.path),
        "state": study.state,
        "error": None,
        "model": config.model,
        "task": config.task,
        "created": study.provenance.get("created"),
        "seconds": study.seconds,
        "lengths": [_length(study, T) for T in study.history.lengths],
    }


def shown(study: Overview) -> Json:
    """The keys of a study that is shown: those of the list, and more."""
    return {
        **listed(study),
        "config": study.history.config.model_dump(mode="json"),
        "provenance": dict(study.provenance),
        "failures": dict(Counter(t.error for t in study.history.failed_trials()).most_common()),
        "commands": commands(study),
    }


def _length(study: Overview, T: int) -> Json:
    """How far the search at T is, and what came of it."""
    history, length = study.history, study.history.lengths[T]
    done, states = study.is_done(T), Counter(trial.status for trial in length.trials)
    summary = confirmed(history).get(T)
    return {
        "T": T,
        "done": done,
        "limit": length.limit if done and length.limit else None,
        "trials": len(length.trials),
        "solved": length.solved,
        "statuses": {status: states[status] for status in files.STATUSES},
        "best": _best(study, T),
        "confirmed": summary and {
            "seeds": summary.seeds,
            "solved": summary.solved,
            "solve_rate": summary.solved / summary.seeds,
            "solve_rate_low": summary.solve_rate_low,
            "solve_rate_high": summary.solve_rate_high,
            "median_accuracy": summary.median,
        },
    }  # fmt: skip


def _best(study: Overview, T: int) -> Json | None:
    """The best trial at T: the one that was tested, or before that the first of the ranking."""
    history, tested = study.history, study.history.best.get(T)
    ranked = history.ranked(T)
    if tested:
        trial = history.trials[tested.trial_id]
    elif ranked:
        trial = ranked[0]
    else:
        return None
    record = history.race(T).record_of(trial)
    return {
        "trial_id": trial.id,
        "validation_accuracy": trial.validation_accuracy,
        "tokens": trial.tokens,
        "tokens_to_solve": trial.tokens_to_solve,
        "parameters": trial.parameters,
        "hyperparameters": _searched(study, trial),
        "test_accuracy": tested and tested.accuracy,
        "test_accuracy_low": tested and tested.accuracy_low,
        "test_accuracy_high": tested and tested.accuracy_high,
        "exact_match": tested and tested.exact_match,
        "recalled_bits": tested and tested.recalled_bits,
        "checkpoint": str(study.path / tested.checkpoint) if tested else None,
        "race_seeds": record and record.seeds,
        "race_solved": record and record.solved,
    }


def _searched(study: Overview, trial: TrialRecord) -> Json:
    space = study.history.space
    values = space.without_unsearched(trial.hyperparameters)
    return {name: values.get(name) for name in space.dimensions}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value if value is None or isinstance(value, int | str) else str(value)
