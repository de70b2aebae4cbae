"""Layers: one configuration over another.

Every configuration file is a layer over ``configs/default.yaml``, over that of the task,
``configs/tasks/NAME.yaml``, and over that of the architecture, ``configs/models/NAME.yaml``, where
there are such files. The sections ``training``, ``architecture``, ``search``, ``final`` and
``resources`` merge key by key. A ``space`` replaces the one below as a whole, and so does a list,
such as ``T`` or ``search.initial``.

A study.yaml is not a layer: it holds every value that its study was started with.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from copytask import TrainingConfig
from copytask.training.checkpoint import EARLIER_ARCHITECTURE
from search.config.space import ARCHITECTURE, STUDY_FIELDS

CONFIGS = Path(__file__).parents[2] / "configs"
"""The folder of the configurations that are installed with the package."""

DEFAULT_CONFIG = CONFIGS / "default.yaml"

FOLDERS = {"task": CONFIGS / "tasks", "model": CONFIGS / "models"}
"""What a configuration names -> the folder of the layers of each, NAME.yaml, in their order."""

MERGED = ("training", "architecture", "search", "final", "resources")
"""Sections that merge key by key."""

TRAINING_DEFAULTS: dict[str, Any] = {
    field.name: field.default
    for field in dataclasses.fields(TrainingConfig)
    if field.name not in (*STUDY_FIELDS, ARCHITECTURE, "seed")
}
"""Default of each key of ``training``. There is no ``seed``: each trial has its own."""


def layered(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values of ``above`` over those of ``below``.

    A ``space`` above also removes the initial configurations below, which belong to the space
    there. A hyperparameter that is searched below and set in ``training`` or ``architecture`` above
    becomes fixed.
    """
    merged = {**below, **above}
    for section in MERGED:
        under, over = below.get(section), above.get(section)
        if isinstance(under, Mapping) and isinstance(over, Mapping):
            merged[section] = {**under, **over}
    # Earlier versions had keywords of the architecture in `training`.
    under, over = merged.get(ARCHITECTURE), above.get("training")
    if isinstance(under, Mapping) and isinstance(over, Mapping):
        earlier = set(EARLIER_ARCHITECTURE) & set(over) - set(above.get(ARCHITECTURE) or ())
        merged[ARCHITECTURE] = {k: v for k, v in under.items() if k not in earlier}
    if "space" in above:
        search = merged.get("search")
        if isinstance(search, Mapping) and "initial" not in above.get("search", {}):
            merged["search"] = {k: v for k, v in search.items() if k != "initial"}
        return merged
    searched = below.get("space")
    for section in ("training", ARCHITECTURE):
        fixed = above.get(section)
        if isinstance(searched, Mapping) and isinstance(fixed, Mapping):
            searched = {**searched, **{k: v for k, v in fixed.items() if k in searched}}
            merged["space"] = searched
    return merged


def completed(values: Mapping[str, Any], keywords: Mapping[str, Any] | None) -> dict[str, Any]:
    """Complete ``training`` and ``architecture`` with the defaults of all keys not in ``space``.

    Earlier versions, and files for several architectures, have keywords of the architecture in
    ``training``. They are moved to where they belong, or dropped if this architecture lacks them.

    Args:
        keywords: those of the architecture, with their defaults; None if they are not known.
    """
    training, space = values.get("training", {}), values.get("space", {})
    architecture = values.get(ARCHITECTURE, {})
    if not all(isinstance(section, Mapping) for section in (training, space, architecture)):
        return dict(values)  # the schema reports this fault
    elsewhere = {*(keywords or {}), *EARLIER_ARCHITECTURE} - set(TRAINING_DEFAULTS)
    moved = {
        name: value for name, value in training.items()
        if name in elsewhere and (keywords is None or name in keywords)
    }  # fmt: skip
    training = {name: value for name, value in training.items() if name not in elsewhere}
    sections = {
        "training": {**TRAINING_DEFAULTS, **training},
        ARCHITECTURE: {**(keywords or {}), **moved, **architecture},
    }
    return dict(values) | {
        section: {name: value for name, value in fixed.items() if name not in space}
        for section, fixed in sections.items()
    }
