"""The options with which benchmarks choose a search space."""

import argparse
from pathlib import Path

SEARCHES = Path(__file__).with_name("searches.yaml")
"""The configuration of the searches that are raced, recorded and replayed."""


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add ``--config`` and ``--set``."""
    parser.add_argument(
        "--config",
        type=Path,
        default=SEARCHES,
        help="configuration of the searches (default: benchmarks/searches.yaml)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY.PATH=VALUE",
        help="override a key of the configuration; can be repeated",
    )
