"""Searches every architecture for five minutes on each task, for the tables of docs/models.md.

    python -m benchmarks.architectures
    python -m benchmarks.architectures --task selective recall --only lstm transformer

A search runs one trial at a time, so that two of these commands can run beside each other on two
cores, and races are off: all of the time is the search's. It is a study under --storage, and a row
of architectures.csv as soon as it ends: its winner, or how it failed. What has a row is not
searched again. ``python -m benchmarks.published`` prints the tables.
"""

import argparse
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pandas as pd

from analysis.reading.studies import load_studies
from benchmarks.default_searches import search_minutes
from benchmarks.markdown import number, table
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")
MINUTES = 5
INTERRUPTED = 130
"""The exit code of a search that the user has ended."""

COPYING = {"delay": 1000, "sequence": 100}
LOOKING_UP = {"selective": 100, "recall": 16}
LENGTHS = COPYING | LOOKING_UP
"""Task -> the T that is searched."""

CONTENT_RATES = (
    "space.learning_rate={low: 1.0e-3, high: 1.0e-2, log: true}",
    "search.initial=[{learning_rate: 3.0e-3, hidden_size: 64}]",
)
"""The rates of the default spaces are for addressing by the clock."""

PUBLISHED_TRANSFORMER = (
    *CONTENT_RATES, "architecture.addressing=content", "architecture.spectrum=geometric",
    "architecture.layers=2", "architecture.heads=2", "architecture.mlp_ratio=4",
    "space.frequencies=32",
)  # fmt: skip
ONE_LAG = ("training.curriculum_length=0", "search.metric=accuracy")
NO_LAG = ("training.curriculum_length=3000", "search.metric=ladder_accuracy")
CONTENT = (
    *CONTENT_RATES, "architecture.addressing=content", "architecture.layers=2",
    "architecture.mlp_ratio=2", "space.key_size={choices: [32, 64]}",
)  # fmt: skip

VARIANTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "lstm": ("lstm", ()),
    "gru": ("gru", ()),
    "mlstm": ("mlstm", ()),
    "mgru": ("mgru", ()),
    "lstm, chrono": ("lstm", ("architecture.forget_bias=chrono",)),
    "lstm, refined gates": (
        "lstm", ("architecture.gates=refined", "architecture.forget_bias=uniform")
    ),
    "lstm, coupled gates": ("lstm", ("architecture.gates=coupled",)),
    "mlstm, input-gated": ("mlstm", ("architecture.input_gated=true",)),
    "mingru": ("mingru", ()),
    "minlstm": ("minlstm", ()),
    "exprnn": ("exprnn", ()),
    "goru": ("goru", ()),
    "lru": ("lru", ()),
    "transformer, reset clock": ("transformer", ()),
    "transformer, RoPE": (
        "transformer", (*PUBLISHED_TRANSFORMER, "architecture.clock=absolute", *ONE_LAG)
    ),
    "transformer, no positions": (
        "transformer", (*PUBLISHED_TRANSFORMER, "architecture.clock=none")
    ),
    "linear attention, reset clock": ("linear_attention", ()),
    "linear attention, content": ("linear_attention", CONTENT),
    "gated DeltaNet": (
        "linear_attention",
        (*CONTENT, "architecture.rule=delta", "architecture.decay=gated"),
    ),
}  # fmt: skip
"""Name -> the model, and what is set in its default search."""

ONE_LAG_VARIANTS = ("exprnn", "lru", "transformer, RoPE")
"""Those that learn one lag where a task has one. The tasks of looking up have none: there, they too
train at short lengths first, and are judged on the ladder."""

COLUMNS = [
    "variant", "task", "T", "trials", "minutes", "trial_id", "parameters", "state_floats", "tokens",
    "tokens_to_solve", "validation_accuracy", "ladder_accuracy", "accuracy", "accuracy_low",
    "accuracy_high", "recalled_bits", "error",
]  # fmt: skip


def settings_of(variant: str, task: str) -> list[str]:
    """What is set in the default search of its model."""
    _, settings = VARIANTS[variant]
    no_lag = NO_LAG if task in LOOKING_UP and variant in ONE_LAG_VARIANTS else ()
    return ["search.race_seeds=0", *settings, *no_lag]


def search(variant: str, task: str, storage: Path) -> pd.DataFrame:
    """Search one variant on one task; return its row."""
    model, _ = VARIANTS[variant]
    name = f"{variant.replace(', ', '-').replace(' ', '-')}-{task}"
    command = [
        sys.executable, "-m", "search.run", "--model", model, "--task", task, "--name", name,
        "--T", f"{LENGTHS[task]}", "--budget-minutes", f"{MINUTES}", "--max-concurrent", "1",
        "--storage", f"{storage}",
        *(part for text in settings_of(variant, task) for part in ("--set", text)),
    ]  # fmt: skip
    if (storage / name / files.EVENTS_FILE).exists():
        command.append("--resume")
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode == INTERRUPTED:
        sys.exit("interrupted; start this again to continue")
    if ran.returncode:
        error = ran.stderr.strip().splitlines()[-1]
        row = pd.DataFrame([{"error": error}])
    else:
        studies = load_studies([storage / name])
        row = studies.best.head(1).copy()
        row["minutes"] = row["study"].map(search_minutes(studies))
    return row.assign(variant=variant, task=task, T=LENGTHS[task]).reindex(columns=COLUMNS)


def recorded() -> pd.DataFrame:
    """The rows that there are."""
    return pd.read_csv(TABLE) if TABLE.exists() else pd.DataFrame(columns=COLUMNS)


def accuracy_table(rows: pd.DataFrame, tasks: Collection[str]) -> str:
    """Test accuracy at T of each variant's winner, and its ladder accuracy."""
    lines = []
    for variant in VARIANTS:
        of = rows[rows["variant"] == variant].set_index("task")
        if not any(task in of.index for task in tasks):
            continue
        cells = [cell(of.loc[task]) if task in of.index else "" for task in tasks]
        lines.append([variant, *(part for found in cells for part in (found or ("", "", "")))])
    header = [
        part
        for task in tasks
        for part in (f"`{task}`, T = {LENGTHS[task]}", "on the ladder", "M tokens to solve")
    ]
    return table(["", *header], lines)


def cell(row: pd.Series) -> tuple[str, str, str]:
    """Test accuracy, ladder accuracy and tokens to solve; a failure says so."""
    if not pd.isna(row["error"]):
        return "failed", "", ""
    solved = "" if pd.isna(row["tokens_to_solve"]) else number(row["tokens_to_solve"] / 1e6, 1)
    return number(row["accuracy"], 3), number(row["ladder_accuracy"], 2), solved


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.architectures",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--task", nargs="+", choices=LENGTHS, default=list(COPYING))
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--storage", type=Path, default=Path("runs"))
    args = parser.parse_args()
    for variant in args.only:
        for task in args.task:
            rows = recorded()
            if ((rows["variant"] == variant) & (rows["task"] == task)).any():
                continue
            row = search(variant, task, args.storage)
            print(row.to_csv(index=False, header=False).strip(), flush=True)
            pd.concat([recorded(), row]).to_csv(TABLE, index=False)


if __name__ == "__main__":
    main()
