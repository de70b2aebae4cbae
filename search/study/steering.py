"""Whether a search can do what a user asks of it while it runs, and what that will be."""

from collections.abc import Mapping

import yaml
from pydantic import ValidationError

from search.config.conditions import SearchSpace
from search.config.dimensions import Scalar
from search.config.faults import describe
from search.config.space import typed
from search.config.study_config import StudyConfig
from search.errors import UserError, unknown
from search.study.history import History
from search.study.inbox import Enqueue, NextT, Request, StopTrial
from search.study.reach import next_length
from studies import format as files


def parse_configuration(config: StudyConfig, assignments: list[str]) -> dict[str, Scalar]:
    """The configuration that a command line gives as ``KEY=VALUE``.

    Raises:
        UserError: one is not searched in this study, or its value lies outside the search space.
    """
    values = {}
    for text in assignments:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise UserError(f"--enqueue {text}: expected KEY=VALUE")
        try:
            values[name] = yaml.safe_load(value)
        except (yaml.YAMLError, ValueError):
            raise UserError(f"--enqueue {text}: the value cannot be read") from None
    return in_space(config, values)


def in_space(config: StudyConfig, values: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """These values with the types of their hyperparameters.

    Raises:
        UserError: one is not searched in this study, or its value lies outside the search space.
    """
    dimensions, point = config.dimensions(), dict[str, Scalar]()
    for name, value in values.items():
        if name not in dimensions:
            raise UserError(f"--enqueue {name}: {unknown('hyperparameter', name, dimensions)}")
        try:
            given = typed(name, value, config.types)
            inside = dimensions[name].contains(given)
        except ValidationError as error:
            raise UserError(f"--enqueue {name}: {describe(error, StudyConfig)}") from None
        except (TypeError, ValueError):
            inside = False
        if not inside:
            space = dimensions[name].described()
            raise UserError(f"--enqueue {name}={value}: lies outside the search space: {space}")
        point[name] = dimensions[name].value_of(given)
    return with_conditions(config.search_space(), point)


def with_conditions(space: SearchSpace, point: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The configuration with values of the hyperparameters on which those in it depend.

    Raises:
        UserError: a condition does not hold, so that a value would have no effect.
    """
    whole = dict(point)
    for name in point:
        needed = space.fulfilled(name)
        whole = {other: needed[other] for other in needed if other in space.dimensions} | whole
    for name in point:
        if not space.is_searched(name, whole):
            conditions = [
                f"{other} is {' or '.join(map(str, allowed))}"
                for other, allowed in space.dimensions[name].when.items()
            ]
            raise UserError(f"--enqueue {name}: is searched only when {' and '.join(conditions)}")
    return whole


def searched_length(history: History) -> int:
    """The T that is searched now, or that will be when the search is resumed.

    Raises:
        UserError: the search is over at each T.
    """
    T = next_length(history)
    if T is None:
        raise UserError("the search is over at each T; raise a limit to continue it")
    return T


def check(history: History, request: Request) -> None:
    """Check that a search can do this now.

    Raises:
        UserError: it cannot; the message says why.
    """
    match request:
        case Enqueue(T=T, configuration=configuration):
            if T not in history.lengths:
                lengths = ", ".join(map(str, history.lengths))
                raise UserError(f"--enqueue: T={T} is not searched in this study; T={lengths} are")
            if history.is_over(T):
                raise UserError(f"--enqueue: the search at T={T} is over; raise a limit there")
            in_space(history.config, configuration)
        case StopTrial(trial_id=name):
            trial = history.trials.get(name)
            if trial is None:
                live = [trial.id for trial in history.trials.values() if not trial.ended]
                now = f"these have not ended: {', '.join(live)}" if live else "each has ended"
                raise UserError(f"--stop-trial {name}: no such trial; {now}")
            if trial.ended:
                raise UserError(f"--stop-trial {name}: it has ended: {trial.status}")
            if trial.stage == files.CONFIRM:
                raise UserError(
                    f"--stop-trial {name}: a confirmation runs to its end, or the solve rate would "
                    "be wrong"
                )
        case NextT(T=T):
            if next_length(history) != T or T not in history.lengths:
                raise UserError(f"--next-T: T={T} is not searched any more")
            if history.lengths[T].began is None:
                raise UserError(f"--next-T: the search at T={T} has not begun")


def described(request: Request) -> str:
    """What a search does when it takes this request."""
    match request:
        case Enqueue(T=T, configuration=configuration):
            values = ", ".join(f"{name} {value}" for name, value in configuration.items())
            return f"T={T}: {values} is tried next"
        case StopTrial(trial_id=name):
            return f"{name} is stopped at its next result"
        case NextT(T=T):
            return f"T={T}: its search ends, and what follows begins"
