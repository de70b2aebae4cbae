"""Compare studies: write a report on all models, tasks and lengths.

    python -m analysis.compare
    python -m analysis.compare runs/mgru-delay runs/gru-delay --output reports/

Reads what python -m search.run writes, also while a search runs. The report
has an HTML page, Markdown and LaTeX, tables and figures.
"""

import argparse
import shlex
import sys
import webbrowser
from functools import partial
from pathlib import Path

from analysis.figures.rendering import render_all
from analysis.reading.studies import load_studies
from analysis.report.console import NOT_CONFIRMED, comparison_table, confirmation_table
from analysis.report.files import file_contents, make_folder, write_file
from analysis.report.live import follow
from analysis.report.page import PAGE, render_page
from analysis.tables.comparison import compare_studies, problems, searched_hyperparameters
from analysis.tables.edges import edge_warnings
from analysis.tables.registry import NAME, make_tables
from studies.command_line import Parser, add_runs, home_path
from studies.errors import InputError
from studies.patient_console import PatientConsole
from studies.wording import counted


def make_parser() -> argparse.ArgumentParser:
    """The command line of ``python -m analysis.compare``."""
    parser = Parser(
        "copytask-compare",
        needs={"--port": ["--live"]},
        prog="python -m analysis.compare",
        description=__doc__,
    )
    add_runs(parser)
    parser.add_argument(
        "--output",
        type=home_path,
        default=Path("reports"),
        metavar="DIR",
        help="folder of the report (default: reports)",
    )
    parser.add_argument(
        "--open", action="store_true", help="show the page in a browser when it is ready"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="serve the report on this machine, and rebuild it while a search runs, until Ctrl-C",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8000,
        metavar="N",
        help="port of --live; 0 takes a free one (default: 8000)",
    )
    return parser


def compare(runs: list[str], output: Path, quiet: bool = False) -> None:
    """Compare the studies in ``runs``: write the report and print its table, unless quiet.

    Raises:
        InputError: there is no study, or the output cannot be written.
    """
    studies = load_studies(runs)
    make_folder(output)
    comparison = compare_studies(studies)
    tables = make_tables(studies, comparison)
    figures, missing = render_all(studies, tables)
    searched = searched_hyperparameters(studies.configs.values())
    contents = file_contents(tables, figures, missing, searched, studies.warnings())
    command = shlex.join(["python", "-m", "analysis.compare", *map(str, runs)])
    contents[PAGE] = render_page(studies, tables, figures, missing, contents, command).encode()
    for name, content in contents.items():
        write_file(output / name, content)
    # The name of a user's cell may look like markup.
    console = PatientConsole(markup=False, emoji=False, highlight=False, quiet=quiet)
    console.print(confirmation_table(comparison) or NOT_CONFIRMED)
    console.print(comparison_table(comparison, searched))
    for problem in problems(comparison):
        console.print(f"broken: {problem}", soft_wrap=True)
    for edge in edge_warnings(tables["edges"]):
        console.print(f"at the edge: {edge}", soft_wrap=True)
    for warning in studies.warnings():
        console.print(f"warning: {warning}", soft_wrap=True)
    console.print(
        f"{PAGE}, {NAME}.md, .csv, .json, .tex, {len(tables) - 1} more tables and "
        f"{counted(len(figures), 'figure')} are in {output}",
        soft_wrap=True,
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = make_parser().parse_args(arguments)
    try:
        if args.live:
            make_folder(args.output)
            again = partial(compare, args.runs, args.output, quiet=True)
            follow(again, args.runs, args.output, args.port, browse=args.open)
            return 0
        compare(args.runs, args.output)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if args.open:
        webbrowser.open((args.output / PAGE).resolve().as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main())
