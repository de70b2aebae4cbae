"""The options that several benchmarks share."""

import argparse
from pathlib import Path

SEARCHES = Path(__file__).with_name("searches.yaml")
"""The configuration of the searches that are raced, recorded and replayed."""


def add_output(parser: argparse.ArgumentParser, table: Path) -> None:
    """Add ``--output``, for measurements that are not to replace the published ones."""
    parser.add_argument(
        "--output", type=Path, default=table, metavar="FILE",
        help=f"CSV file to write (default: benchmarks/{table.name})",
    )  # fmt: skip


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
