"""Test the best models of studies at lengths that they were not trained for.

    python -m analysis.generalize
    python -m analysis.generalize runs/gru-delay --T 100 1000 10000 --payloads 500
    python -m analysis.generalize runs/my-cell --allow-import

Trains nothing. Writes generalization.csv into each study, from where analysis.compare takes it
into the comparison. The one module of analysis that imports copytask: models must run for
this. The module of a cell of one's own is imported only with --allow-import.
"""

import argparse
import os
import sys
from typing import Any

import pandas as pd
from rich.console import Console

from analysis.errors import InputError
from analysis.output_folder import write_atomically
from analysis.study_data import Studies, load_studies
from analysis.tables import records
from copytask import MAX_SEED, MODELS, Purpose, configure_process, evaluate, load_model
from studies import format as files
from studies.command_line import Parser
from studies.paths import StudyPath, open_path

LENGTHS = [100, 200, 500, 1000, 2000, 5000, 10_000]
PAYLOADS = 200


def make_parser() -> Parser:
    """The command line of ``python -m analysis.generalize``."""
    parser = Parser(
        "copytask-generalize", prog="python -m analysis.generalize", description=__doc__
    )
    parser.add_argument(
        "runs",
        nargs="*",
        default=["runs"],
        metavar="RUNS",
        help="study, or folder of studies, also s3://bucket/prefix (default: runs)",
    )
    parser.add_argument(
        "--T",
        nargs="+",
        type=_at_least_one,
        default=LENGTHS,
        metavar="N",
        help=f"lengths of the tests (default: {' '.join(map(str, LENGTHS))})",
    )
    parser.add_argument(
        "--payloads",
        type=_at_least_one,
        default=PAYLOADS,
        metavar="N",
        help=f"test payloads at each length (default: {PAYLOADS})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="of the payloads; all models are tested on the same ones (default: 0)",
    )
    parser.add_argument(
        "--allow-import",
        action="store_true",
        help="import the cells of one's own that the studies name, which runs their code",
    )
    return parser


def _at_least_one(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of 1 or more")
    return number


def score_model(
    path: StudyPath,
    name: str,
    best: dict[str, Any],
    lengths: list[int],
    payloads: int,
    seed: int,
    allow_import: bool,
) -> list[dict[str, Any]]:
    """The rows of generalization.csv of one row of best.csv.

    Args:
        path: of the study.
        name: of the model that it searches.
        allow_import: whether the module of a cell that is in no registry may be imported.

    Raises:
        InputError: the model cannot be loaded, or needs a module that may not be imported.
    """
    if name not in MODELS and not allow_import:
        raise InputError(
            f"{path}, T = {best['T']}: its model is the cell {name!r}, whose code would be run: if "
            "you trust it, add --allow-import"
        )
    try:
        model = load_model(path / best["checkpoint"], cell=name)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}, T = {best['T']}: {reason}") from None
    rows = []
    for length in lengths:
        scores = evaluate(
            model, best["task"], length, payloads=payloads, seed=seed, purpose=Purpose.TEST
        )
        columns = ("accuracy", "accuracy_low", "accuracy_high", "exact_match", "recalled_bits")
        rows.append(
            {column: best[column] for column in ("model", "task", "T", "trial_id")}
            | {column: getattr(scores, column) for column in columns}
            | {"test_T": length, "payloads": payloads, "seed": seed}
        )
    return rows


def generalize(
    studies: Studies, lengths: list[int], payloads: int, seed: int, allow_import: bool = False
) -> list[str]:
    """Test the best models of all studies and write what they reach.

    A study is written once all its models are tested, as a whole: earlier tests of it, of other
    lengths or payloads, are replaced. What cannot be tested is passed over.

    Args:
        allow_import: see :func:`score_model`.

    Returns:
        One line for each study or model that was passed over.

    Raises:
        InputError: a study cannot be written.
    """
    console = Console(markup=False, emoji=False, highlight=False)
    passed_over = []
    for study in records(studies.studies):
        path = open_path(study["path"])
        best = records(studies.best[studies.best["study"] == study["study"]])
        if study["problem"] or not best:
            passed_over.append(f"{path}: {study['problem'] or 'no T has a best trial yet'}")
        rows = []
        model = str(studies.configs[study["study"]]["model"]) if best else ""
        for row in best:
            try:
                found = score_model(path, model, row, lengths, payloads, seed, allow_import)
            except InputError as error:
                passed_over.append(str(error))
                continue
            shown = "  ".join(f"{of['test_T']}: {of['accuracy']:.3f}" for of in found)
            console.print(f"{study['study']}, trained for T = {row['T']}:  {shown}", soft_wrap=True)
            rows += found
        if rows:
            frame = pd.DataFrame(rows, columns=list(files.GENERALIZATION_COLUMNS))
            content = frame.to_csv(index=False).encode()
            write_atomically(path, files.GENERALIZATION_FILE, content)
    return passed_over


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = make_parser().parse_args(arguments)
    configure_process()
    if args.allow_import and not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())  # for a cell there; python -m does the same
    try:
        if not 0 <= args.seed <= MAX_SEED:
            raise InputError(f"--seed {args.seed}: must be from 0 to {MAX_SEED}")
        studies = load_studies(args.runs)
        passed_over = generalize(
            studies, sorted(set(args.T)), args.payloads, args.seed, args.allow_import
        )
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for line in passed_over:
        print(f"error: not tested: {line}", file=sys.stderr)
    return 2 if passed_over else 0


if __name__ == "__main__":
    sys.exit(main())
