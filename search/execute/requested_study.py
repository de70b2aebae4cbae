"""Finds the studies that a command line asks for: their directories and configurations."""

import argparse
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from copytask import MODELS
from copytask.error_lines import reason_line
from copytask.user_code import absolute_name
from search.config.layers import DEFAULT_CONFIG, layered
from search.config.reading import find_config, load_config, mapping, override, read_yaml
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.execute.preflight import check_memory, check_new
from search.options.parser import ALL_MODELS
from search.storage.store import check_writable, parse_storage
from search.study.creation import check_free, holds_study
from search.study.loggers import check_loggers
from search.study.resuming import check_resumable
from search.study.study_file import read_config
from search.study.warm_start import warm_started
from studies.format import STUDY_FILE, model_label
from studies.paths import StudyPath, is_object_store

CONFIG_FLAGS = {
    "task": "task",
    "T": "T",
    "trials": "search.trials",
    "budget_minutes": "search.budget_minutes",
    "budget_tokens": "search.budget_tokens",
    "reach": "search.reach",
    "final": "search.final",
    "confirm_seeds": "search.confirm_seeds",
    "seed": "search.seed",
    "tensorboard": "search.tensorboard",
    "logger": "search.loggers",
    "sampler": "search.sampler",
    "scheduler": "search.scheduler",
    "cpus_per_trial": "resources.cpus_per_trial",
    "gpus_per_trial": "resources.gpus_per_trial",
    "mixed": "resources.mixed",
    "max_concurrent": "resources.max_concurrent",
    "autoscale": "resources.autoscale",
}
"""Flag -> the key of the configuration that it sets."""


class RequestedStudy(NamedTuple):
    """A study that a command line asks for.

    Attributes:
        path: its directory.
        config: its configuration.
        exists: whether it is to be resumed; otherwise it is new.
    """

    path: StudyPath
    config: StudyConfig
    exists: bool


def requested_studies(args: argparse.Namespace) -> list[RequestedStudy]:
    """Find the directory and the configuration of each study that the arguments ask for.

    Each model has a study of its own. A budget is divided among them, and ``--name`` is the
    beginning of their names. A resumed study keeps its configuration: file and overrides are not
    needed, and must not contradict it. With ``--resume``, one of several may be new.

    Raises:
        UserError: the arguments cannot be used.
    """
    if args.config:
        args.config = find_config(args.config)
    models = named_models(args.model)
    if len(models) < 2:
        return [requested_study(args, models[0] if models else None, models)]
    found = []
    for model in models:
        try:
            found.append(requested_study(args, model, models))
        except UserError as error:
            raise UserError(f"{model}: {error}") from None
    check_together(models, found)
    return found


def named_models(names: Sequence[str] | None) -> list[str]:
    """The models that the user names, each once."""
    named = [model for name in names or () for model in (MODELS if name == ALL_MODELS else [name])]
    return list({absolute_name(model): model for model in named}.values())


def check_together(models: Sequence[str], studies: Sequence[RequestedStudy]) -> None:
    """Check that studies can share the slots of a cluster.

    Raises:
        UserError: two have the same directory, or their trials need different resources.
    """
    first = studies[0]
    for number, (model, study) in enumerate(zip(models, studies, strict=True)):
        if study.path in [other.path for other in studies[:number]]:
            raise UserError(f"{model}: another model of this command has the study {study.path}")
        if study.config.resources != first.config.resources:
            raise UserError(
                f"{model}: its resources differ from those of {models[0]}; studies of one command "
                "share slots, so give all of them the same resources"
            )


def requested_study(
    args: argparse.Namespace, model: str | None, models: Sequence[str]
) -> RequestedStudy:
    """Find the directory and the configuration of the study of one model.

    Args:
        model: as the user names it; None if the configuration does.
        models: all that the command names.

    Raises:
        UserError: the arguments cannot be used.
    """
    several = len(models) > 1
    overrides = overrides_of(args.set, model, models)
    flags = {
        key: getattr(args, name)
        for name, key in CONFIG_FLAGS.items()
        if getattr(args, name) is not None
    }
    if model is not None:
        flags["model"] = model
    if several and args.budget_minutes is not None:
        flags[CONFIG_FLAGS["budget_minutes"]] /= len(models)
    if several and args.budget_tokens is not None:
        tokens = flags[CONFIG_FLAGS["budget_tokens"]]
        flags[CONFIG_FLAGS["budget_tokens"]] = max(tokens // len(models), min(tokens, 1))
    if args.resume and args.name is not None and not several:
        path = study_path(args.storage, args.name)
    else:
        config = load_config(args.config or DEFAULT_CONFIG, overrides, flags)
        model = config.model
        labels = model_label(config.model), model_label(config.task)
        name = "-".join(label.replace(".py:", ":").replace(":", ".") for label in labels)
        if args.name is not None:
            name = f"{args.name}-{name}" if several else args.name
        path = study_path(args.storage, name)
    exists = args.resume and (not several or holds_study(path))
    if exists:
        earlier = read_config(path, model, args.task)
        values = earlier.model_dump(mode="json")
        if args.config:
            of_file = read_yaml(args.config)
            if not args.config.samefile(DEFAULT_CONFIG):  # which lies below what the study has
                values = layered(values, of_file)
        config = override(values, overrides, flags, str(args.config or path / STUDY_FILE))
        refuse_unnamed(config.search.loggers, named_loggers(args, overrides), path)
        config = config.with_precision(earlier.training.get("precision", "auto"))
        check_resumable(earlier, config, path)
        # Suggestions depend on the order in which the space is written.
        config = config.model_copy(update={"space": earlier.space})
        if args.warm_from not in (None, config.search.warm_from):
            raise UserError(
                f"--warm-from: {path} exists, and a study keeps the configurations with which it "
                "was started"
            )
    else:
        check_free(path)
        check_new(config, overrides)
        if source := args.warm_from or config.search.warm_from:
            config = warm_started(config, source, path.parent)
        if args.address is None:  # hosts of a cluster may have more memory
            check_memory(config)
    check_loggers(config.search.loggers, path)
    if config.search.tensorboard and is_object_store(path):
        raise UserError(
            f"search.tensorboard: {path.parent} cannot append to event files; set it to false. To "
            "follow a search there, use --show, or optuna-dashboard on a copy of its journal"
        )
    return RequestedStudy(path, config, exists)


def named_loggers(args: argparse.Namespace, overrides: Sequence[str]) -> list[str]:
    """The loggers that the command or its configuration file names."""
    of_file = mapping(read_yaml(args.config).get("search")) if args.config else {}
    named = [*(args.logger or ()), *(of_file.get("loggers") or ())]
    for text in overrides:
        key, _, value = text.partition("=")
        if key.strip() == "search.loggers":
            named += yaml.safe_load(value) or []  # read before, so it is a list
    return named


def refuse_unnamed(loggers: Sequence[str], named: Sequence[str], path: StudyPath) -> None:
    """Check that the user names each logger of a study that is code of somebody's own.

    Raises:
        UserError: one is not named: a study must not choose which code runs.
    """
    trusted = {absolute_name(name) for name in named}
    for name in loggers:
        if ":" in name and absolute_name(name) not in trusted:
            raise UserError(
                f"{path / STUDY_FILE} names the logger {name!r}. The search runs its code: if you "
                f"trust it, add --logger {shlex.join(loggers)}"
            )


def overrides_of(overrides: Sequence[str], model: str | None, models: Sequence[str]) -> list[str]:
    """The values of ``--set`` that hold for a model: those for all, then those for it alone.

    The latter begin with the name of the model, as in ``mgru.space.hidden_size=64``. The name of a
    user's own model may be that of its factory alone.

    Raises:
        UserError: one is for a model that the command does not name.
    """
    for_all, for_it = [], []
    for text in overrides:
        key = text.partition("=")[0].strip()
        whose = {
            name: m for m in models for name in (m, m.rpartition(":")[2])
            if key.startswith(f"{name}.") and name not in StudyConfig.model_fields
        }  # fmt: skip
        if not whose and (other := key.partition(".")[0]) in MODELS:
            raise UserError(f"--set {text}: {other} is not a model of this command")
        if not whose:
            for_all.append(text)
        for_it += [text.strip()[len(name) + 1 :] for name, m in whose.items() if m == model]
    return for_all + for_it


def study_path(storage: str, name: str) -> StudyPath:
    """The directory of the study.

    Raises:
        UserError: the name or the storage cannot be used.
    """
    if name.startswith(".") or not name or set(name) & set("/\\"):
        raise UserError(f"--name {name}: must be the name of one folder, without '/'")
    folder = parse_storage(storage)
    try:
        if isinstance(folder, Path):
            existing: Path = folder
            while not existing.exists() and existing != existing.parent:
                existing = existing.parent
            if not existing.is_dir() or not os.access(existing, os.W_OK):
                raise UserError(
                    f"--storage {storage}: {existing} is not a folder that can be written"
                )
        else:
            check_writable(folder)
    except OSError as error:
        raise UserError(f"--storage {storage} cannot be written: {reason_line(error)}") from None
    return folder / name
