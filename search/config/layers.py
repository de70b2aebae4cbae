"""Layers: one configuration over another.

Every configuration file is a layer over ``configs/default.yaml``. The sections ``training``,
``search``, ``final`` and ``resources`` merge key by key. A ``space`` replaces the one below as a
whole, and so does a list, such as ``T`` or ``search.initial``.

A study.yaml is not a layer: it holds every value that its study was started with.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copytask import TrainingConfig
from search.config.space import STUDY_FIELDS

CONFIGS = Path(__file__).parents[2] / "configs"
"""The folder of the configurations that are installed with the package."""

DEFAULT_CONFIG = CONFIGS / "default.yaml"

MERGED = ("training", "search", "final", "resources")
"""Sections that merge key by key."""

TRAINING_DEFAULTS: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TrainingConfig)
    if field.name not in (*STUDY_FIELDS, "seed")
}
"""Default of each key of ``training``. There is no ``seed``: each trial has its own."""


def layered(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values of ``above`` over those of ``below``.

    A ``space`` above also removes the initial configurations below, which belong to the space
    there. A hyperparameter that is searched below and set in ``training`` above becomes fixed.
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
    """Complete ``training`` with the defaults of all keys that are not in ``space``."""
    training, space = values.get("training", {}), values.get("space", {})
    if not isinstance(training, Mapping) or not isinstance(space, Mapping):
        return dict(values)  # the schema reports this fault
    fixed = {k: v for k, v in {**TRAINING_DEFAULTS, **training}.items() if k not in space}
    return {**values, "training": fixed}
