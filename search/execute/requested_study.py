"""Finds the study that a command line asks for: its directory and its configuration."""

import argparse
import os
from pathlib import Path

from search.config.layers import DEFAULT_CONFIG, layered
from search.config.reading import find_config, load_config, override, read_yaml
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.execute.preflight import check_can_learn, check_fits
from search.storage.store import check_writable, error_message, parse_storage
from search.study.creation import check_free
from search.study.resuming import check_resumable
from search.study.study_file import read_config
from studies.format import STUDY_FILE, model_label
from studies.paths import StudyPath, is_object_store

CONFIG_FLAGS = {
    "model": "model",
    "task": "task",
    "T": "T",
    "trials": "search.trials",
    "budget_minutes": "search.budget_minutes",
    "reach": "search.reach",
    "final": "search.final",
    "confirm_seeds": "search.confirm_seeds",
    "seed": "search.seed",
    "tensorboard": "search.tensorboard",
    "sampler": "search.sampler",
    "scheduler": "search.scheduler",
    "cpus_per_trial": "resources.cpus_per_trial",
    "gpus_per_trial": "resources.gpus_per_trial",
    "mixed": "resources.mixed",
    "max_concurrent": "resources.max_concurrent",
    "autoscale": "resources.autoscale",
}
"""Flag -> the key of the configuration that it sets."""


def requested_study(args: argparse.Namespace) -> tuple[StudyPath, StudyConfig]:
    """Find the directory and the configuration of the study that the arguments ask for.

    A resumed study keeps its configuration: file and overrides are not needed, and must not
    contradict it.

    Raises:
        UserError: the arguments cannot be used.
    """
    if args.config:
        args.config = find_config(args.config)
    flags = {
        key: getattr(args, name)
        for name, key in CONFIG_FLAGS.items()
        if getattr(args, name) is not None
    }
    model = args.model
    if args.retry_failed and not args.resume:
        raise UserError("--retry-failed runs failed trials of an existing study: add --resume")
    if args.resume and args.name is not None:
        path = study_path(args.storage, args.name)
    else:
        config = load_config(args.config or DEFAULT_CONFIG, args.set, flags)
        model = config.model
        labels = model_label(config.model), model_label(config.task)
        default = "-".join(label.replace(".py:", ":").replace(":", ".") for label in labels)
        path = study_path(args.storage, default if args.name is None else args.name)
    if args.resume:
        earlier = read_config(path, model, args.task)
        values = earlier.model_dump(mode="json")
        if args.config:
            values = layered(values, read_yaml(args.config))
        config = override(values, args.set, flags, str(args.config or path / STUDY_FILE))
        config = config.with_precision(earlier.training.get("precision", "auto"))
        check_resumable(earlier, config, path)
    else:
        check_free(path)
        check_can_learn(config, args.set)
        if args.address is None:  # hosts of a cluster may have more memory
            check_fits(config)
    if config.search.tensorboard and is_object_store(path):
        raise UserError(
            f"search.tensorboard: {path.parent} cannot append to event files; set it to false. To "
            "follow a search there, use --show, or optuna-dashboard on a copy of its journal"
        )
    return path, config


def study_path(storage: str, name: str) -> StudyPath:
    """The directory of the study.

    Raises:
        UserError: the name or the storage cannot be used.
    """
    if name.startswith(".") or not name or set(name) & set("/\\"):
        raise UserError(f"--name {name}: must be the name of one folder, without '/'")
    folder = parse_storage(storage)
    if isinstance(folder, Path):
        existing: Path = folder
        while not existing.exists() and existing != existing.parent:
            existing = existing.parent
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise UserError(f"--storage {storage}: {existing} is not a folder that can be written")
    else:
        try:
            check_writable(folder)
        except OSError as error:
            raise UserError(
                f"--storage {storage} cannot be written: {error_message(error)}"
            ) from None
    return folder / name
