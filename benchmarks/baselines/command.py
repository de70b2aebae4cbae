"""The command line that the scripts of other libraries share."""

import argparse
import json
import os
import sys

from benchmarks.options import add_configuration
from search.config.reading import load_config
from search.config.sections import METRIC_NAMES
from search.errors import UserError
from studies.command_line import at_least_one


def make_parser(description: str) -> argparse.ArgumentParser:
    """The options that all of them have."""
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--model", required=True, help="architecture")
    parser.add_argument(
        "--T", type=at_least_one, default=1000, help="length (default: %(default)s)"
    )
    add_configuration(parser)
    parser.add_argument(
        "--metric",
        choices=list(METRIC_NAMES),
        default="accuracy",
        help="what the library sees: the accuracy at T or on the ladder (default: %(default)s)",
    )
    parser.add_argument(
        "--initial",
        type=json.loads,
        default=[],
        metavar="JSON",
        help="configurations to try first, a list of objects",
    )
    parser.add_argument(
        "--workers", type=at_least_one, default=2, help="trials at once (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the search (default: %(default)s)"
    )
    return parser


def parse_arguments(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments, with what they configure as ``study``, and the name of the metric."""
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the processes that train
    try:
        args.study = load_config(args.config, args.set, {"model": args.model, "T": [args.T]})
    except UserError as error:
        sys.exit(f"error: {error}")
    args.metric = METRIC_NAMES[args.metric]
    return args
