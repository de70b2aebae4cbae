"""The flags of ``python -m search.run``."""

import argparse

from copytask import MODELS, TASKS
from search.config.algorithms import SAMPLERS, SCHEDULERS
from search.config.layers import CONFIGS, DEFAULT_CONFIG
from search.config.loggers import LOGGERS
from search.config.reading import installed_configs
from search.config.sections import REACH
from search.options.modes import MODES, NEEDS
from studies.command_line import Parser, home_path, suggest, suggest_output

Group = argparse._ArgumentGroup

ALL_MODELS = "all"
"""In ``--model``: every built-in model."""

LIST_STUDIES = "ls runs 2>/dev/null"
"""Shell command: the names that complete ``--name``, ``--show`` and ``--delete``."""


def make_parser(description: str | None) -> Parser:
    """The command line of ``python -m search.run``."""
    parser = Parser(
        "copytask-search", MODES, NEEDS, prog="python -m search.run", description=description,
        epilog="Options that are not given come from --config; --dry-run shows them all.\n"
        f"Configurations to start from: {CONFIGS}",
    )  # fmt: skip
    add_what(parser.add_argument_group("what to search"))
    add_how(parser.add_argument_group("how to search, and for how long"))
    add_where(parser.add_argument_group("where to save the study"))
    add_machines(parser.add_argument_group("machines, CPUs and GPUs"))
    add_output(parser.add_argument_group("what to print and write"))
    add_steering(parser.add_argument_group("steer a search that runs, from another terminal"))
    add_later(parser.add_argument_group("look back at a study"))
    return parser


def add_what(group: Group) -> None:
    """Model, task, lengths and configuration."""
    model = group.add_argument(
        "--model", nargs="+",
        help=f"architecture: {', '.join(MODELS)}, or your own as path/file.py:factory; several "
        "share the slots, and all means every built-in one",
    )  # fmt: skip
    task = group.add_argument(
        "--task",
        help=f"task: {', '.join(TASKS)}, or your own as path/file.py:MyTask (default: delay)",
    )
    group.add_argument(
        "--T", nargs="*", type=int, metavar="T",
        help="lengths to search at, in ascending order (default: 100 200 500 1000)",
    )  # fmt: skip
    config = group.add_argument(
        "--config", type=home_path, metavar="FILE",
        help="configuration: your own file, or an installed one: "
        f"{', '.join(installed_configs())} (default: {DEFAULT_CONFIG.name})",
    )  # fmt: skip
    group.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE",
        help="override a key of the configuration, such as space.hidden_size=64, or of that of one "
        "model, such as mgru.space.hidden_size=64; can be repeated",
    )  # fmt: skip
    suggest(model, [*MODELS, ALL_MODELS])
    suggest(task, TASKS)
    names = " ".join(installed_configs())
    suggest_output(config, f"printf '%s\\n' {names}; ls *.yaml 2>/dev/null")


def add_how(group: Group) -> None:
    """Limits, algorithms, and what follows the search."""
    group.add_argument("--trials", type=int, metavar="N", help="most trials at each T")
    group.add_argument(
        "--budget-minutes", type=float, metavar="M",
        help="wall time of the search at all T together, in minutes; several models get equal "
        "parts of it",
    )  # fmt: skip
    group.add_argument(
        "--budget-tokens", type=number_of_tokens, metavar="N",
        help="training tokens of the search at all T together, such as 500e6; several models get "
        "equal parts of them",
    )  # fmt: skip
    group.add_argument(
        "--reach", type=int, nargs="?", const=REACH, metavar="T",
        help="go on beyond the last T: double it as long as it is solved, up to this T (default: "
        f"{REACH}) or until --budget-minutes are over",
    )  # fmt: skip
    sampler = group.add_argument(
        "--sampler", help=f"what chooses the next hyperparameters: {', '.join(SAMPLERS)}"
    )
    scheduler = group.add_argument(
        "--scheduler", help=f"what stops poor trials early: {', '.join(SCHEDULERS)}"
    )
    group.add_argument(
        "--seed", type=int, metavar="N", help="seed of the sampler and of every trial"
    )
    group.add_argument(
        "--final", action="store_true", default=None,
        help="afterwards, train the best trial at each T again with a larger budget (the section "
        "'final' of the configuration)",
    )  # fmt: skip
    group.add_argument(
        "--confirm-seeds", type=int, metavar="N",
        help="afterwards, train the best configuration at each T again with N fresh seeds",
    )  # fmt: skip
    suggest(sampler, SAMPLERS)
    suggest(scheduler, SCHEDULERS)


def add_where(group: Group) -> None:
    """The study's name and place, and whether to resume it."""
    name = group.add_argument(
        "--name",
        help="name of the study (default: MODEL-TASK); of several models, what precedes MODEL-TASK",
    )  # fmt: skip
    group.add_argument(
        "--storage", default="runs", metavar="DIR",
        help="folder of all studies, or s3://bucket/prefix (default: runs)",
    )  # fmt: skip
    group.add_argument(
        "--resume", action="store_true",
        help="continue an existing study; raise --trials or a budget to search more; of several "
        "models, also start those that have no study yet",
    )  # fmt: skip
    group.add_argument(
        "--retry-failed", action="store_true",
        help="with --resume: run the failed trials of the study again, from the start",
    )  # fmt: skip
    warm_from = group.add_argument(
        "--warm-from", metavar="STUDY",
        help="start with the winners of another study: its name in --storage, its path or address",
    )  # fmt: skip
    suggest_output(name, LIST_STUDIES)
    suggest_output(warm_from, LIST_STUDIES)


def add_machines(group: Group) -> None:
    """The cluster, and the share of it that a trial takes."""
    group.add_argument(
        "--address", metavar="HOST:PORT",
        help="Ray cluster to join, or auto (default: start Ray on this machine)",
    )  # fmt: skip
    group.add_argument(
        "--cpus-per-trial", type=float, metavar="X", help="CPUs of each trial (default: 1)"
    )
    group.add_argument(
        "--gpus-per-trial", type=float, metavar="X",
        help="GPUs of each trial; with a fraction, trials share a GPU (default: 0)",
    )  # fmt: skip
    group.add_argument(
        "--mixed", action="store_true", default=None,
        help="with GPUs: also run trials on the CPUs that are left",
    )  # fmt: skip
    group.add_argument(
        "--max-concurrent", type=int, metavar="N",
        help="most trials that run at once (default: as many as fit)",
    )  # fmt: skip
    group.add_argument(
        "--autoscale", action="store_true", default=None,
        help="let an autoscaling cluster grow until --max-concurrent trials fit",
    )  # fmt: skip


def add_output(group: Group) -> None:
    """What a search prints and writes."""
    group.add_argument("--quiet", action="store_true", help="print only the result")
    group.add_argument(
        "--dry-run", action="store_true", help="print the complete configuration and exit"
    )
    group.add_argument(
        "--tensorboard", action="store_true", default=None,
        help="also write event files for TensorBoard into the study",
    )  # fmt: skip
    logger = group.add_argument(
        "--logger", nargs="+", metavar="NAME",
        help=f"also show the trials in other software: {', '.join(LOGGERS)}, or a listener of your "
        "own, as path/file.py:Class or package.module:Class",
    )  # fmt: skip
    suggest(logger, LOGGERS)


def add_steering(group: Group) -> None:
    """What can be asked of a search while it runs."""
    group.add_argument(
        "--enqueue", nargs="+", metavar="KEY=VALUE",
        help="with --name: try this configuration next, at the T that is searched or at --T; what "
        "it leaves out is sampled",
    )  # fmt: skip
    group.add_argument("--stop-trial", metavar="TRIAL", help="with --name: stop one trial")
    group.add_argument(
        "--next-T", action="store_true", help="with --name: end the search at the present T"
    )


def add_later(group: Group) -> None:
    """What can be done with an existing study."""
    group.add_argument("--list", action="store_true", help="list the studies in --storage and exit")
    show = group.add_argument(
        "--show", nargs="+", metavar="NAME",
        help="show a study in --storage, or compare two of them, and exit",
    )  # fmt: skip
    group.add_argument(
        "--replay", nargs=2, metavar=("STUDY", "TRIAL"),
        help="train one trial of a study again and compare it with its record; STUDY is a name in "
        "--storage, or a path",
    )  # fmt: skip
    delete = group.add_argument(
        "--delete", metavar="NAME", help="ask, then delete a study in --storage with all its files"
    )
    group.add_argument(
        "--json", action="store_true", help="with --list or --show: print JSON, for programs"
    )
    group.add_argument("--yes", action="store_true", help="with --delete: do not ask")
    suggest_output(show, LIST_STUDIES)
    suggest_output(delete, LIST_STUDIES)


def number_of_tokens(text: str) -> int:
    """A whole number, also as 500e6.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        if (number := float(text)).is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
