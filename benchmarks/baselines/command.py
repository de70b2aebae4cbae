"""The command line and the output that the scripts of other libraries share."""

import argparse
import json
import os
import sys
import time

from benchmarks.options import add_configuration
from search.config.reading import load_config
from search.errors import UserError


def make_parser(description: str) -> argparse.ArgumentParser:
    """The options that all of them have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--model", required=True, help="architecture")
    parser.add_argument("--T", type=int, default=1000, help="length (default: %(default)s)")
    add_configuration(parser)
    parser.add_argument(
        "--workers", type=int, default=2, help="trials at once (default: %(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=8, help="time limit in minutes (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the search (default: %(default)s)"
    )
    return parser


def parse_arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, with what they configure as ``study``."""
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that train
    try:
        args.study = load_config(args.config, args.set, {"model": args.model, "T": [args.T]})
    except UserError as error:
        sys.exit(f"error: {error}")
    return args


def print_result(side: str, start: float, tokens: int, trials: int, solved: bool) -> None:
    """One line of JSON.

    Args:
        start: when the process began, on the clock of ``time.perf_counter``.
        tokens: of all trials.
    """
    seconds = round(time.perf_counter() - start, 1)
    result = {
        "side": side, "seconds": seconds, "tokens": tokens, "trials": trials, "solved": solved,
    }  # fmt: skip
    print(json.dumps(result), flush=True)
