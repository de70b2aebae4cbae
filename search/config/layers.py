"""How configurations lie over one another.

Every configuration file is a layer over ``configs/default.yaml``. The sections ``training``,
``search``, ``final`` and ``resources`` merge key by key. ``space`` is replaced as a whole by a file
that has one, and so is a list, such as ``T`` or ``search.initial``.

A study.yaml is no such layer: it has all values that its study began with, and keeps them.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copytask import TrainingConfig
from search.config.space import STUDY_FIELDS

CONFIGS = Path(__file__).parents[2] / "configs"
"""The configurations that are installed with the search."""

DEFAULT_CONFIG = CONFIGS / "default.yaml"

MERGED = ("training", "search", "final", "resources")
"""Sections that merge key by key."""

TRAINING_DEFAULTS: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TrainingConfig)
    if field.name not in (*STUDY_FIELDS, "seed")
}
"""What ``training`` is completed with. Each trial has a seed of its own."""


def layered(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """The values of ``above``, and those of ``below`` that it does not replace.

    The initial configurations below belong to the space there: both are replaced together. A
    hyperparameter that is searched below and fixed in ``training`` above is fixed.
    """
    merged = {**below, **above}
    for section in MERGED:
        under, over = below.get(section), above.get(section)
        if isinstance(under, Mapping) and isinstance(over, Mapping):
            merged[section] = {**under, **over}
    if "space" in above:
        search = merged.get("search")
        if isinstance(search, Mapping) and "initial" not in above.get("search", {}):
            merged["search"] = {k: v for k, v in search.items() if k != "initial"}
        return merged
    searched, fixed = below.get("space"), above.get("training")
    if isinstance(searched, Mapping) and isinstance(fixed, Mapping):
        merged["space"] = {**searched, **{k: v for k, v in fixed.items() if k in searched}}
    return merged


def completed(values: Mapping[str, Any]) -> dict[str, Any]:
    """These values with all of ``training`` that a trial has, but for what is in ``space``."""
    training, space = values.get("training", {}), values.get("space", {})
    if not isinstance(training, Mapping) or not isinstance(space, Mapping):
        return dict(values)  # a fault that the schema reports
    fixed = {k: v for k, v in {**TRAINING_DEFAULTS, **training}.items() if k not in space}
    return {**values, "training": fixed}
