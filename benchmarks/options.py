"""The options with which benchmarks choose a search space.

The clocks of baselines/ run while this is imported, so it imports no more than it needs.
"""

import argparse
from pathlib import Path

WIDE = Path(__file__).parents[1] / "configs" / "wide.yaml"
"""The configuration with the search space of the races and replays."""


def add_configuration(parser: argparse.ArgumentParser) -> None:
    """Add ``--config`` and ``--set``."""
    parser.add_argument(
        "--config",
        type=Path,
        default=WIDE,
        help="configuration with the search space (default: configs/wide.yaml)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY.PATH=VALUE",
        help="override a key of the configuration; can be repeated",
    )
