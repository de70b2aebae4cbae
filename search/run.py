"""Search hyperparameters of sequence models on tasks of memory.

    python -m search.run --model mgru
    python -m search.run --model lstm gru mlstm mgru
    python -m search.run --model gru --config quick.yaml
    python -m search.run --model cells.py:LeakyRNN --set space.hidden_size=64
    python -m search.run --list
    python -m search.run --show mgru-delay

Results are written to runs/MODEL-TASK/. Ctrl-C stops a search; --resume
continues it. Several models are compared at the end, in reports/; compare
any studies with: python -m analysis.compare
"""

import argparse
import os
import re
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.console import Console

from copytask import MODELS, TASKS
from copytask.engine import MISSING_KERNELS
from search.cluster.ray_compat import set_switches
from search.config.algorithms import SAMPLERS, SCHEDULERS
from search.config.layers import CONFIGS, DEFAULT_CONFIG
from search.config.reading import installed_configs
from search.config.sections import REACH
from search.errors import SearchFailedError, UserError
from search.execute.requested_study import ALL_MODELS, RequestedStudy, requested_studies
from search.storage.store import parse_storage
from search.study.overview import look, study_named
from studies.command_line import Parser, suggest, suggest_output
from studies.paths import StudyPath

Group = argparse._ArgumentGroup

LIST_STUDIES = "ls runs 2>/dev/null"
"""Shell command: the names that complete ``--name`` and ``--show``."""


def make_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m search.run``."""
    parser = Parser(
        "copytask-search", prog="python -m search.run", description=__doc__,
        epilog="Options that are not given come from --config; --dry-run shows them all.\n"
        f"Configurations to start from: {CONFIGS}",
    )  # fmt: skip
    add_what(parser.add_argument_group("what to search"))
    add_how(parser.add_argument_group("how to search, and for how long"))
    add_where(parser.add_argument_group("where to save the study"))
    add_machines(parser.add_argument_group("machines, CPUs and GPUs"))
    add_output(parser.add_argument_group("what to print and write"))
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
        "--config", type=Path, metavar="FILE",
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
        "--reach", type=int, nargs="?", const=REACH, metavar="T",
        help="go on beyond the last T: double it as long as it is solved, up to this T (default: "
        f"{REACH}) or until --budget-minutes are over",
    )  # fmt: skip
    sampler = group.add_argument(
        "--sampler", help=f"what chooses the next hyperparameters: {' or '.join(SAMPLERS)}"
    )
    scheduler = group.add_argument(
        "--scheduler", help=f"what stops poor trials early: {' or '.join(SCHEDULERS)}"
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
        help="continue an existing study; raise --trials or --budget-minutes to search more; of "
        "several models, also start those that have no study yet",
    )  # fmt: skip
    group.add_argument(
        "--retry-failed", action="store_true",
        help="with --resume: run the failed trials of the study again, from the start",
    )  # fmt: skip
    suggest_output(name, LIST_STUDIES)


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


def add_later(group: Group) -> None:
    """What can be done with an existing study."""
    group.add_argument("--list", action="store_true", help="list the studies in --storage and exit")
    show = group.add_argument(
        "--show", nargs="+", metavar="NAME",
        help="show a study in --storage, or compare two of them, and exit",
    )  # fmt: skip
    group.add_argument(
        "--replay", nargs=2, metavar=("STUDY", "TRIAL"),
        help="train one trial of a study again and compare it with its record",
    )  # fmt: skip
    suggest_output(show, LIST_STUDIES)


def print_studies(storage: StudyPath, names: Sequence[str] | None) -> None:
    """Print all studies of the storage, the one of this name, or two of them side by side.

    Raises:
        UserError: there is no such study, it cannot be read, or there are more than two names.
    """
    # Only here: their intervals need scipy, which takes long to import.
    from search.console.compare_two import show_two
    from search.console.list_studies import print_list
    from search.console.show_study import show_study

    # Names of a user's cells may look like markup.
    console = Console(markup=False, emoji=False, highlight=False)
    if not names:
        return print_list(storage, console)
    studies = [look(study_named(storage, name)) for name in names]
    match studies:
        case [study]:
            show_study(study, console)
        case [before, after]:
            show_two(before, after, console)
        case _:
            raise UserError(f"--show takes one name, or two to compare, but got {len(names)}")


def print_configurations(studies: Sequence[RequestedStudy]) -> None:
    """Print directory and configuration of each study: a YAML document each."""
    for number, study in enumerate(studies):
        print("---\n" * (number > 0) + f"# study directory: {study.path}")
        print(yaml.safe_dump(study.config.model_dump(mode="json"), sort_keys=False), end="")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    args = make_parser().parse_args(arguments)
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())  # to import a user's cell; python -m does the same
    warnings.filterwarnings("ignore", re.escape(MISSING_KERNELS))  # the search says so itself
    try:
        if args.list or args.show:
            print_studies(parse_storage(args.storage), args.show)
            return 0
        if args.replay:
            from search.execute.replay import replay

            if len(args.model or ()) > 1:
                raise UserError("--replay trains one trial: give one --model")
            model = args.model[0] if args.model else None
            return replay(parse_storage(args.replay[0]), args.replay[1], model, args.task)
        studies = requested_studies(args)
        if args.dry_run:
            print_configurations(studies)
            return 0
        set_switches(starts_cluster=args.address is None)
        if not args.quiet:
            print(f"joining Ray at {args.address}" if args.address else "starting Ray", flush=True)
        # Ray takes seconds to import: too long for --help or a mistyped key.
        from search.execute.whole_search import search

        arguments = sys.argv[1:] if arguments is None else arguments
        return search(studies, args, arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SearchFailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except SystemExit as error:  # else the process would end without a message
        print(f"failed: the model's code called sys.exit({error.code!r})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
