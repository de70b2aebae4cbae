"""The options of benchmarks that record trainings, or replay them."""

import argparse
from pathlib import Path

from benchmarks.cells import CELLS
from benchmarks.replay.curves import TABLE

RECORDED_MODELS = ("lstm", "mlstm")
"""The models of the pool. Of the gated cells, they solve T = 1000 with the largest share of the
configurations: earlier with 11 and 10 of 100, where the GRUs did with 3 and 5."""


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add ``--model``."""
    parser.add_argument(
        "--model",
        nargs="+",
        choices=CELLS,
        default=list(RECORDED_MODELS),
        help=f"gated cells (default: {' '.join(RECORDED_MODELS)})",
    )


def add_replay_files(parser: argparse.ArgumentParser, output: Path) -> None:
    """Add ``--table``, the recorded trainings, and ``--output``."""
    parser.add_argument(
        "--table",
        type=Path,
        default=TABLE,
        help="recorded trainings (default: those of learning_curves.py)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=output,
        help="path of the files that are written, without suffix",
    )
