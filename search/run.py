"""Search hyperparameters of a recurrent network on the copy task.

    python -m search.run --model mgru
    python -m search.run --model gru --config quick.yaml
    python -m search.run --model path/cells.py:factory --T 100 --set space.hidden_size=64
    python -m search.run --list
    python -m search.run --show mgru-delay

Results go to runs/MODEL-TASK/; compare studies with: python -m analysis.compare
"""

import argparse
import os
import re
import sys
import warnings
from pathlib import Path

import yaml

from copytask import MODELS, TASKS
from copytask.engine import MISSING_KERNELS
from search.cluster.ray_compat import set_switches
from search.config.algorithms import SAMPLERS, SCHEDULERS
from search.config.layers import CONFIGS, DEFAULT_CONFIG, layered
from search.config.reading import find_config, installed_configs, load_config, override, read_yaml
from search.config.study_config import StudyConfig
from search.errors import SearchFailedError, UserError
from search.execute.preflight import check_can_learn
from search.storage.store import check_writable, error_message, parse_storage
from search.study.creation import check_free
from search.study.resuming import check_resumable
from search.study.study_file import read_config
from studies.command_line import Parser, suggest, suggest_output
from studies.format import STUDY_FILE, model_label
from studies.paths import StudyPath, is_object_store

CONFIG_FLAGS = {
    "model": "model",
    "task": "task",
    "T": "T",
    "trials": "search.trials",
    "budget_minutes": "search.budget_minutes",
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


def make_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m search.run``."""
    parser = Parser(
        "copytask-search", prog="python -m search.run", description=__doc__,
        epilog=f"Configurations to start from: {CONFIGS}",
    )  # fmt: skip
    study = parser.add_argument_group("what is searched")
    model = study.add_argument(
        "--model", help=f"{', '.join(MODELS)}, or your own cell as path/file.py:factory"
    )
    task = study.add_argument("--task", help=f"protocol: {' or '.join(TASKS)} (default: delay)")
    study.add_argument(
        "--T", nargs="*", type=int, metavar="T", help="lengths (default: 100 200 500 1000)"
    )
    config = study.add_argument(
        "--config", type=Path, metavar="FILE",
        help="configuration: your file, or the name of an installed one: "
        f"{', '.join(installed_configs())} (default: {DEFAULT_CONFIG.name})",
    )  # fmt: skip
    study.add_argument(
        "--set", action="append", default=[], metavar="KEY.PATH=VALUE",
        help="set any key of the configuration; can be repeated",
    )  # fmt: skip
    search = parser.add_argument_group("how it is searched")
    search.add_argument("--trials", type=int, metavar="N", help="trials at each T")
    search.add_argument(
        "--budget-minutes", type=float, metavar="M", help="wall time of the search at all T"
    )
    search.add_argument(
        "--final", action="store_true", default=None,
        help="then train the best at each T again, for longer (the section final)",
    )  # fmt: skip
    search.add_argument(
        "--confirm-seeds", type=int, metavar="N",
        help="then train the winner at each T again with N fresh seeds",
    )  # fmt: skip
    search.add_argument("--seed", type=int, metavar="N", help="of sampler and trials")
    sampler = search.add_argument("--sampler", help=" or ".join(SAMPLERS))
    scheduler = search.add_argument("--scheduler", help=" or ".join(SCHEDULERS))
    place = parser.add_argument_group("where")
    name = place.add_argument("--name", help="of the study (default: MODEL-TASK)")
    place.add_argument(
        "--storage", default="runs", metavar="DIR",
        help="folder of the studies, or s3://bucket/prefix (default: runs)",
    )  # fmt: skip
    place.add_argument("--resume", action="store_true", help="go on with the study of that name")
    place.add_argument(
        "--retry-failed", action="store_true",
        help="with --resume: also run the failed trials of the study again, from their beginning",
    )  # fmt: skip
    place.add_argument(
        "--replay", nargs=2, metavar=("STUDY", "TRIAL"),
        help="train a trial of a study again, alone, and compare it with what was recorded",
    )  # fmt: skip
    place.add_argument(
        "--tensorboard", action="store_true", default=None,
        help="also write event files for TensorBoard into the study",
    )  # fmt: skip
    place.add_argument("--quiet", action="store_true", help="print the result only")
    place.add_argument("--dry-run", action="store_true", help="print the configuration and stop")
    place.add_argument(
        "--address", metavar="HOST:PORT", help="a running Ray cluster, or auto (default: own)"
    )
    place.add_argument("--cpus-per-trial", type=float, metavar="X")
    place.add_argument("--gpus-per-trial", type=float, metavar="X", help="fractions share a GPU")
    place.add_argument(
        "--mixed", action="store_true", default=None,
        help="with GPUs: trials also on the CPUs that are left",
    )  # fmt: skip
    place.add_argument("--max-concurrent", type=int, metavar="N", help="trials at once")
    place.add_argument(
        "--autoscale", action="store_true", default=None,
        help="ask a cluster that can grow for --max-concurrent places",
    )  # fmt: skip
    later = parser.add_argument_group("a week later")
    later.add_argument("--list", action="store_true", help="list the studies under --storage")
    show = later.add_argument(
        "--show", nargs="+", metavar="NAME",
        help="show a study under --storage, or what differs between two of them",
    )  # fmt: skip
    suggest(model, MODELS)
    suggest(task, TASKS)
    suggest(sampler, SAMPLERS)
    suggest(scheduler, SCHEDULERS)
    for action in (name, show):
        suggest_output(action, "ls runs 2>/dev/null")
    names = " ".join(installed_configs())
    suggest_output(config, f"printf '%s\\n' {names}; ls *.yaml 2>/dev/null")
    return parser


def study_path(storage: str, name: str) -> StudyPath:
    """The study's directory.

    Raises:
        UserError: name or storage cannot be used.
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


def resolve(args: argparse.Namespace) -> tuple[StudyPath, StudyConfig]:
    """The study's directory and configuration that the arguments ask for.

    A study that is resumed keeps its configuration: file and overrides are not needed, and may
    not contradict it.

    Raises:
        UserError: they cannot be used.
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
        raise UserError("--retry-failed runs trials of an earlier search again: add --resume")
    if args.resume and args.name is not None:
        path = study_path(args.storage, args.name)
    else:
        config = load_config(args.config or DEFAULT_CONFIG, args.set, flags)
        model = config.model
        label = model_label(config.model).replace(".py:", ":").replace(":", ".")
        default = f"{label}-{config.task}"
        path = study_path(args.storage, default if args.name is None else args.name)
    if args.resume:
        earlier = read_config(path, model)
        values = earlier.model_dump(mode="json")
        if args.config:
            values = layered(values, read_yaml(args.config))
        config = override(values, args.set, flags, str(args.config or path / STUDY_FILE))
        config = config.with_precision(earlier.training.get("precision", "auto"))
        check_resumable(earlier, config, path)
    else:
        check_free(path)
        check_can_learn(config, args.set)
    if config.search.tensorboard and is_object_store(path):
        raise UserError(
            f"search.tensorboard: {path.parent} cannot append to event files; leave it out. How a "
            "search there goes is told by --show, and by optuna-dashboard on a copy of its journal"
        )
    return path, config


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = make_parser().parse_args(arguments)
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())  # for a cell there; python -m does the same
    warnings.filterwarnings("ignore", re.escape(MISSING_KERNELS))  # said in a line of its own
    try:
        if args.list or args.show:
            from search.console.look_back import look_back

            return look_back(parse_storage(args.storage), args.show)
        if args.replay:
            from search.execute.replay import replay

            return replay(parse_storage(args.replay[0]), args.replay[1], args.model)
        path, config = resolve(args)
        if args.dry_run:
            print(f"# study directory: {path}")
            print(yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False), end="")
            return 0
        set_switches(starts_cluster=args.address is None)
        if not args.quiet:
            print(f"joining Ray at {args.address}" if args.address else "starting Ray", flush=True)
        # Ray and Optuna take seconds to import: too long for --help or a mistyped key.
        from search.execute.launch import launch

        return launch(
            path,
            config,
            args.address,
            resume=args.resume,
            retry_failed=args.retry_failed,
            quiet=args.quiet,
        )
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except SearchFailedError as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except SystemExit as error:  # else the process would end without a word
        print(f"failed: code of the model has called sys.exit({error.code!r})", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
