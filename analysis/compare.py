"""Compare studies: one table and figures of all models, tasks and lengths.

    python -m analysis.compare
    python -m analysis.compare runs/mgru-delay runs/gru-delay --output reports/

Reads what python -m search.run writes; can be used while a search runs.
"""

import argparse
import json
import os
import sys
import webbrowser
from functools import partial
from pathlib import Path

import pandas as pd
from rich.console import Console

from analysis.confirmation import confirmed_table
from analysis.figures import RenderedFigure, render_figures
from analysis.live import serve
from analysis.study_data import InputError, load_studies
from analysis.tables import compare_studies, console_table, markdown, problems, records
from command_line import Parser

NAME = "comparison"


def make_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m analysis.compare``."""
    parser = Parser("copytask-compare", prog="python -m analysis.compare", description=__doc__)
    parser.add_argument(
        "runs",
        nargs="*",
        type=Path,
        default=[Path("runs")],
        metavar="RUNS",
        help="study, or folder of studies (default: runs)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("reports"),
        metavar="DIR",
        help="folder for tables and figures (default: reports)",
    )
    parser.add_argument("--open", action="store_true", help="show comparison.md when done")
    parser.add_argument(
        "--live",
        action="store_true",
        help="serve it on this machine, and make it anew while a search runs, until Ctrl-C",
    )
    parser.add_argument(
        "--port", type=int, default=8000, metavar="N", help="for --live (default: 8000)"
    )
    return parser


def make_output_folder(path: Path) -> None:
    """Make the folder if need be.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"--output {path}: is, or is below, a file; name a folder") from None
    except OSError as error:
        raise InputError(f"--output {path} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise InputError(f"--output {path} cannot be written: permission denied")


def contents(comparison: pd.DataFrame, figures: list[RenderedFigure]) -> dict[str, bytes]:
    """The files of the output: name -> content."""
    images = [(figure.task, f"{figure.stem}.png", figure.shows) for figure in figures]
    texts = {
        f"{NAME}.csv": comparison.to_csv(index=False),
        f"{NAME}.json": json.dumps(records(comparison), indent=2) + "\n",
        f"{NAME}.md": markdown(comparison, images),
    }
    return (
        {name: text.encode() for name, text in texts.items()}
        | {f"{figure.stem}.png": figure.png for figure in figures}
        | {f"{figure.stem}.svg": figure.svg for figure in figures}
    )


def write_atomically(folder: Path, name: str, content: bytes) -> None:
    """Replace a file in one step, so that a reader never meets half of it.

    Raises:
        InputError: it cannot be written.
    """
    partial = folder / f".{name}.partial"
    try:
        partial.write_bytes(content)
        os.replace(partial, folder / name)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{folder / name} cannot be written: {error.strerror}") from None


def compare(runs: list[Path], output: Path, quiet: bool = False) -> None:
    """Compare the studies in ``runs``: write ``output`` and print the table, unless quiet.

    Raises:
        InputError: there is no study, or the output cannot be written.
    """
    studies = load_studies(runs)
    make_output_folder(output)
    comparison = compare_studies(studies)
    figures = render_figures(comparison, studies.progress)
    for name, content in contents(comparison, figures).items():
        write_atomically(output, name, content)
    # Names of a user's cells may look like markup.
    console = Console(markup=False, emoji=False, highlight=False, quiet=quiet)
    console.print(console_table(comparison))
    if confirmed := confirmed_table(comparison):
        console.print(confirmed)
    for problem in problems(comparison):
        console.print(f"broken: {problem}", soft_wrap=True)
    console.print(
        f"{NAME}.csv, .json, .md and {len(figures)} figures are in {output}", soft_wrap=True
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = make_parser().parse_args(arguments)
    try:
        if args.live:
            make_output_folder(args.output)
            again = partial(compare, args.runs, args.output, quiet=True)
            serve(again, args.runs, args.output, args.port, browse=args.open)
            return 0
        compare(args.runs, args.output)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.open:
        webbrowser.open((args.output / f"{NAME}.md").resolve().as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
