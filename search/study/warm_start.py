"""Starts a study with the winners of another one: ``--warm-from STUDY``.

They are found once, when the study is made, and are kept in its configuration. So a search that
resumes does not need the other study.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from search.config.dimensions import Scalar
from search.config.sections import WarmLength
from search.config.space import typed
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.study.history import History
from search.study.overview import look, study_at
from search.study.records import TrialRecord
from studies.paths import StudyPath


def warm_started(config: StudyConfig, source: str, storage: StudyPath) -> StudyConfig:
    """The configuration of a new study that tries the winners of another one first.

    At each T they are the best trials of the other study at the same T, or else at the nearest
    smaller T where it has some. As many are taken as ``search.carried_trials`` says, and at least
    one. A trial with a value outside the search space is left out.

    Args:
        source: the other study: its name in the storage, or its path or address.
        storage: where the new study will be.

    Raises:
        UserError: it cannot be read, or none of its trials fits.
    """
    try:
        history = look(study_at(source, storage)).history
    except UserError as error:
        raise UserError(f"--warm-from {source}: {error}") from None
    found = [_at(T, history, config) for T in config.T]
    warm = [length for length in found if length]
    if not warm:
        raise UserError(
            f"--warm-from {source}: it has no trial at these T, or at smaller ones, whose values "
            "lie in this search space"
        )
    search = config.search.model_copy(update={"warm_from": source, "warm": warm})
    return config.model_copy(update={"search": search})


def told(config: StudyConfig) -> str:
    """What a study takes over from another one, in a line."""
    lengths = [
        f"{len(at.points)} at T={at.T}" + (f" (its T={at.source})" if at.source != at.T else "")
        for at in config.search.warm
    ]
    return f"starts with configurations of {config.search.warm_from}: {', '.join(lengths)}"


def warm_points(config: StudyConfig, T: int) -> list[dict[str, Scalar]]:
    """The configurations of the other study that are tried first at T."""
    return [point for at in config.search.warm if at.T == T for point in at.points]


def _at(T: int, history: History, config: StudyConfig) -> WarmLength | None:
    """What is tried first at T; None if nothing fits."""
    most = max(1, config.search.carried_trials)
    for from_T in sorted((t for t in history.lengths if t <= T), reverse=True):
        trials: list[str] = []
        points: list[dict[str, Scalar]] = []
        for trial in _best_first(history, from_T):
            if len(points) == most:
                break
            point = _point(history.space.without_unsearched(trial.hyperparameters), config)
            if point and point not in points:
                trials.append(trial.id)
                points.append(point)
        if points:
            return WarmLength(T=T, source=from_T, trials=trials, points=points)
    return None


def _best_first(history: History, T: int) -> Sequence[TrialRecord]:
    winner, ranked = history.winner(T), history.ranked(T)
    return [*([winner] if winner else []), *ranked]


def _point(values: Mapping[str, Any], config: StudyConfig) -> dict[str, Scalar] | None:
    """The values that this study searches; None if one lies outside its space, or none is there."""
    point = {}
    for name, dimension in config.dimensions().items():
        if values.get(name) is None:
            continue  # a hyperparameter that the other study does not have: it is sampled
        try:
            value = typed(name, values[name], config.types)
        except ValidationError:
            return None
        if not dimension.contains(value):
            return None
        point[name] = dimension.value_of(value)
    return point or None
