"""Configurations that are given to the trials of a search, and not sampled."""

from collections.abc import Mapping, Sequence
from typing import Any

Configuration = Mapping[str, Any]


def enqueued(
    given: Sequence[Configuration], number: int, configuration: Configuration
) -> list[Configuration]:
    """The given configurations, once a user has enqueued another one.

    Args:
        given: each for the trial of its number; empty where that was sampled.
        number: of the trial that tries the new one. Those that were to come from there on move on.
    """
    before = [*given[:number], *[{}] * (number - len(given))]
    return [*before, configuration, *given[number:]]
