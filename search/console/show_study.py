"""One study in a screenful: ``python -m search.run --show NAME``."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from search.config.dimensions import Choices, Dimension, Range
from search.config.study_config import StudyConfig
from search.console.commands import compare_command, replay_command, resume_command
from search.console.formats import clock, limit_reason
from search.console.how_far import how_far
from search.console.list_studies import STATE_STYLES, created
from search.console.search_more import RUN_AGAIN, search_more
from search.console.tables import best_table, confirmed, confirmed_table, doubts, plain_table
from search.study.overview import FINISHED, RUNNING, Overview
from studies import format as files
from studies.paths import is_object_store

SEARCH_KEYS = (
    "trials", "budget_minutes", "budget_tokens", "solved_trials", "patience", "sampler",
    "scheduler", "metric", "reach", "race_seeds", "final", "confirm_seeds", "seed",
)  # fmt: skip
"""Of the section ``search``: what a result depends on first of all."""

REASONS_SHOWN = 3


def show_study(study: Overview, console: Console) -> None:
    """Print what a study is, what came of it, and what can be done with it."""
    config = study.history.config
    console.print(
        Text.assemble(
            (study.path.name, "bold"),
            f": {files.model_label(config.model)} on {files.model_label(config.task)}, ",
            (study.state, STATE_STYLES[study.state]),
            f" after {clock(study.seconds)}" if study.seconds else "",
        )
    )
    console.print(pairs(described(study)))
    tables = [best_table(study.history, "Best trial of each T"), trials_table(study)]
    if summaries := confirmed(study.history):
        tables.insert(1, confirmed_table(summaries))
    for table in tables:
        console.print("", table, sep="\n")
    console.print()
    history = study.history
    for line in (*how_far(history), *doubts(history), *stops(study), *failures(study)):
        console.print(line)
    for name, command in commands(study).items():
        console.print(f"{name}:\n  {command}", soft_wrap=True)  # in one piece, to be copied


def pairs(rows: Mapping[str, str]) -> Table:
    """Names and what belongs to them, which folds beside the name."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in rows.items():
        grid.add_row(Text(name, "dim"), Text(text))
    return grid


def described(study: Overview) -> dict[str, str]:
    """Where, when and with what a study was made, and its configuration."""
    config, origin = study.history.config, study.provenance
    time, packages, kernels = created(study), origin.get("packages"), origin.get("kernels")
    versions = packages.items() if isinstance(packages, Mapping) else ()
    made = [
        f"{time:%Y-%m-%d %H:%M}" if time else "",
        f"on {origin['host']} with {origin.get('cpus')} CPUs" if origin.get("host") else "",
        f"revision {origin['git_revision']}" if origin.get("git_revision") else "",
        f"kernels {kernels}" if kernels else "",
        *(f"{name} {number}" for name, number in versions),
    ]
    search = config.search.model_dump()
    rows = {
        "in": str(study.path),
        "made": ", ".join(part for part in made if part),
        "space": ", ".join(space(config)),
        "training": assignments(config.training),
        "search": assignments({name: search[name] for name in SEARCH_KEYS}),
        "final": assignments(config.final) if config.search.final else "",
    }
    return {name: text for name, text in rows.items() if text}


def assignments(values: Mapping[str, Any]) -> str:
    """Keys with their values, but for those that are not used."""
    unused = (None, False, 0)
    return ", ".join(
        f"{name} {value}" for name, value in values.items() if value not in unused or name == "seed"
    )


def space(config: StudyConfig) -> Iterator[str]:
    """The search space, a hyperparameter at a time."""
    dimensions = config.dimensions()
    for name, value in config.space.items():
        match dimensions.get(name):
            case Range() as range_:
                scale = " (log)" if range_.log else ""
                yield f"{name} {range_.described()}{scale}{when(range_)}"
            case Choices() as choices:
                yield f"{name} {'|'.join(map(str, choices.choices))}{when(choices)}"
            case None:
                yield f"{name} {value}"


def when(dimension: Dimension) -> str:
    """The conditions of a hyperparameter; empty if it has none."""
    parts = [f"{name} {'|'.join(map(str, values))}" for name, values in dimension.when.items()]
    return f" (when {' and '.join(parts)})" if parts else ""


def trials_table(study: Overview) -> Table:
    """The trials of the search at each T by their ending, and what ended the search there."""
    history = study.history
    table = plain_table(
        "Trials of the search", "T", "n", "completed", "stopped early", "failed",
        "unfinished", "ended because", left=("ended because",),
    )  # fmt: skip
    for T, length in history.lengths.items():
        counts = Counter(trial.status for trial in length.trials)
        if study.seconds is None:
            ending = ""  # not recorded
        elif study.is_done(T):
            ending = limit_reason(history, T)
        else:
            ending = "running" if study.state == RUNNING and length.trials else "not over"
        table.add_row(
            str(T),
            str(len(length.trials)),
            *(str(counts[status] or "") for status in files.STATUSES),
            ending,
        )
    return table


def stops(study: Overview) -> Iterator[str]:
    """At which iterations how many trials were stopped early."""
    stopped = [trial.curve[-1].iteration for trial in study.history.stopped]
    if stopped:
        at = [f"{n} at iteration {k}" for k, n in sorted(Counter(stopped).items())]
        yield f"Stopped early: {', '.join(at)}."


def failures(study: Overview) -> Iterator[str]:
    """The most frequent reasons for which trials failed."""
    errors = Counter(trial.error for trial in study.history.failed_trials())
    for error, count in errors.most_common(REASONS_SHOWN):
        yield f"{count} failed: {error}"


def commands(study: Overview) -> dict[str, str]:
    """What can be done with a study."""
    history, config = study.history, study.history.config
    resume = resume_command(study.path, config)
    rows = {}
    if study.seconds is None:
        rows["resume"] = "not possible: an early version made it"
    elif study.state == FINISHED:
        rows |= search_more(history, study.path)
    else:
        rows["resume, once it has ended" if study.state == RUNNING else "resume"] = resume
    if study.seconds is not None and study.state != RUNNING and history.failed_trials():
        rows[RUN_AGAIN] = f"{resume} --retry-failed"
    if history.best:
        best = history.best[max(history.best)]
        rows["train again"] = replay_command(study.path, best.trial_id, config)
        named = {"cell": config.model, "task": config.task}
        own = "".join(f', {key}="{name}"' for key, name in named.items() if ":" in name)
        place = f'"{study.path / best.checkpoint}"'
        place = f"upath.UPath({place})" if is_object_store(study.path) else place
        rows["use"] = f"copytask.load_model({place}{own})"
    if isinstance(study.path, Path):
        rows["compare"] = compare_command(study.path)
    return rows
