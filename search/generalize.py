"""Test the best models of studies at lengths that they were not trained at.

    python -m search.generalize
    python -m search.generalize runs/gru-delay --T 100 1000 10000 --payloads 500
    python -m search.generalize runs/my-cell --allow-import

Does not train. Writes generalization.csv into each study, which
python -m analysis.compare then shows. Your own models and tasks are imported
only with --allow-import.
"""

import os
import sys
from typing import Any

from copytask import MAX_SEED, MODELS, TASKS, Purpose, configure_process, evaluate, load_model
from copytask.error_lines import error_line, message_line, reason_line
from search.config.reading import recorded_config
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.storage.csv_tables import Row, read_rows, write_rows
from search.study.study_file import read_study_file
from studies import format as files
from studies.columns import GENERALIZATION
from studies.command_line import Parser, add_runs, at_least_one
from studies.errors import InputError
from studies.finding import find_studies
from studies.paths import StudyPath
from studies.patient_console import PatientConsole

LENGTHS = [100, 200, 500, 1000, 2000, 5000, 10_000]
"""Lengths to test at by default."""

PAYLOADS = 200
"""Test payloads at each length by default."""


def make_parser() -> Parser:
    """The command line of ``python -m search.generalize``."""
    parser = Parser("copytask-generalize", prog="python -m search.generalize", description=__doc__)
    add_runs(parser)
    parser.add_argument(
        "--T",
        nargs="+",
        type=at_least_one,
        default=LENGTHS,
        metavar="N",
        help=f"lengths to test at (default: {' '.join(map(str, LENGTHS))})",
    )
    parser.add_argument(
        "--payloads",
        type=at_least_one,
        default=PAYLOADS,
        metavar="N",
        help=f"number of test payloads at each length (default: {PAYLOADS})",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=0,
        help="seed of the payloads, which are the same for all models (default: 0)",
    )
    parser.add_argument(
        "--allow-import",
        action="store_true",
        help="import your own models and tasks that the studies name, which runs their code",
    )
    return parser


def read_best(study: StudyPath) -> tuple[StudyConfig, list[Row]]:
    """Read the configuration of a study, and the rows of its best.csv.

    Raises:
        UserError: study.yaml or best.csv cannot be read.
    """
    document = read_study_file(study)
    config = recorded_config(document.get("config"), str(study / files.STUDY_FILE))
    table = study / files.BEST_FILE
    try:
        rows = read_rows(table)
    except (OSError, ValueError) as error:
        raise UserError(f"{table} cannot be read: {reason_line(error)}") from None
    needed = ("model", "task", "T", "trial_id", "checkpoint")
    for row in rows:
        if lacking := [name for name in needed if row.get(name) is None]:
            raise UserError(f"{table}: a row has no value for {lacking[0]}")
    return config, rows


def score_model(
    study: StudyPath,
    config: StudyConfig,
    best: Row,
    lengths: list[int],
    payloads: int,
    seed: int,
    allow_import: bool,
) -> tuple[list[Row], str]:
    """Test the model in one row of best.csv at all lengths at which it can be tested.

    Args:
        study: the study's directory.
        config: that of study.yaml; the checkpoint must be of its model and task.
        best: the row of best.csv.
        lengths: lengths to test at.
        payloads: test payloads at each length.
        seed: seed of the payloads.
        allow_import: whether to import a user's own model and task.

    Returns:
        Its rows of generalization.csv, and a line that says at which lengths it cannot be tested,
        and why not at the first of them; empty if there is none.

    Raises:
        UserError: the model cannot be loaded, or needs a module that may not be imported.
    """
    where = f"{study}, T = {best['T']}"
    for what, name, known in (
        ("model is the cell", config.model, MODELS), ("task is", config.task, TASKS),
    ):  # fmt: skip
        if name not in known and not allow_import:
            raise UserError(
                f"{where}: its {what} {name!r}. Loading it runs its code: if you trust it, add "
                "--allow-import"
            )
    try:
        path = study / str(best["checkpoint"])
        trained = load_model(path, cell=config.model, task=config.task)
    except (OSError, ValueError) as error:
        raise UserError(f"{where}: {' '.join(str(error).split())}") from None
    rows: list[Row] = []
    failed: list[int] = []
    reason = ""
    for length in lengths:
        try:
            scores = evaluate(
                trained, config.task, length, payloads=payloads, seed=seed, purpose=Purpose.TEST
            )
        except Exception as error:  # the task lacks the length, or the user's code raises anything
            line = message_line if isinstance(error, ValueError) else error_line
            reason = reason or line(error)
            failed.append(length)
            continue
        columns = ("accuracy", "accuracy_low", "accuracy_high", "exact_match", "recalled_bits")
        rows.append(
            {name: best[name] for name in ("task", "T", "trial_id")}
            | {"model": files.model_label(str(best["model"]))}
            | {name: getattr(scores, name) for name in columns}
            | {"test_T": length, "payloads": payloads, "seed": seed}
        )
    at = ", ".join(map(str, failed))
    told = f"{where}, at test_T = {at}: {reason}; choose other lengths with --T" if failed else ""
    return rows, told


def generalize(
    studies: dict[StudyPath, str], lengths: list[int], payloads: int, seed: int, allow_import: bool
) -> list[str]:
    """Test the best models of all studies, and write the results into the studies.

    A study's file is written once all its models are tested; it replaces earlier tests. A model
    that cannot be tested, or a length at which it cannot, is skipped.

    Args:
        studies: directory -> name, from :func:`studies.finding.find_studies`.
        allow_import: see :func:`score_model`.

    Returns:
        One line for each study or model of which something was skipped.

    Raises:
        UserError: a study cannot be written.
    """
    console = PatientConsole(markup=False, emoji=False, highlight=False)
    skipped: list[str] = []
    for study, name in studies.items():
        rows: list[dict[str, Any]] = []
        try:
            config, best = read_best(study)
        except UserError as error:
            skipped.append(str(error))
            continue
        if not best:
            skipped.append(f"{study}: no T has a best trial yet")
        for row in best:
            try:
                found, told = score_model(study, config, row, lengths, payloads, seed, allow_import)
            except UserError as error:
                skipped.append(str(error))
                continue
            if told:
                skipped.append(told)
            if found:
                shown = "  ".join(f"{of['test_T']}: {of['accuracy']:.3f}" for of in found)
                console.print(f"{name}, trained for T = {row['T']}:  {shown}", soft_wrap=True)
            rows += found
        if rows:
            table = study / files.GENERALIZATION_FILE
            try:
                write_rows(table, GENERALIZATION.names, rows.copy)
            except OSError as error:
                raise UserError(f"{table} cannot be written: {reason_line(error)}") from None
    return skipped


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    args = make_parser().parse_args(arguments)
    configure_process()
    if args.allow_import and not {"", os.getcwd()} & set(sys.path):
        sys.path.insert(0, os.getcwd())  # to import a user's cell; python -m does the same
    try:
        if not 0 <= args.seed <= MAX_SEED:
            raise UserError(f"--seed {args.seed}: must be in 0..{MAX_SEED}")
        studies = find_studies(args.runs)
        lengths = sorted(set(args.T))
        skipped = generalize(studies, lengths, args.payloads, args.seed, args.allow_import)
    except (InputError, UserError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; studies that were tested before have their results", file=sys.stderr)
        return 130
    for line in skipped:
        print(f"error: not tested: {line}", file=sys.stderr)
    return 2 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
