"""The options of benchmarks that replay recorded curves."""

import argparse
from pathlib import Path

from benchmarks.replay.curves import TABLE


def add_replay_files(parser: argparse.ArgumentParser, output: Path) -> None:
    """Add ``--table``, the recorded curves, and ``--output``."""
    parser.add_argument(
        "--table",
        type=Path,
        default=TABLE,
        help="recorded curves (default: those of learning_curves.py)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=output,
        help="path of the CSV and PNG files, without suffix",
    )
