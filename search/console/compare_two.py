"""Two studies side by side: ``python -m search.run --show BEFORE AFTER``."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from search.console.formats import accuracy_interval, clock, millions, number
from search.console.show_study import pairs
from search.console.tables import confirmed, plain_table, rate_interval
from search.study.overview import Overview
from studies.events import BestTrial
from studies.format import model_label
from studies.seed_statistics import SeedSummary

ABSENT = "-"

CAVEAT = (
    "The accuracy of a best trial is that of one trained network. Its interval is over test "
    "payloads and ignores the luck of a seed; --confirm-seeds 5 counts the seeds that solve T."
)


def show_two(a: Overview, b: Overview, console: Console) -> None:
    """Print how the configurations of two studies differ, and their best trials at each T."""
    rows = {}
    for letter, study in (("A", a), ("B", b)):
        config = study.history.config
        took = f" after {clock(study.seconds)}" if study.seconds else ""
        rows[letter] = (
            f"{study.path}: {model_label(config.model)} on {model_label(config.task)}, "
            f"{study.state}{took}"
        )
    console.print(pairs(rows))
    for table in (difference_table(a, b), *fresh_seeds(a, b), side_by_side(a, b)):
        console.print("", table, "", sep="\n")
    console.print(CAVEAT)


def difference_table(a: Overview, b: Overview) -> Table:
    """Make a table of the keys of configuration and provenance that differ."""
    table = plain_table("What differs", "key", "A", "B", left=("key", "A", "B"))
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    values = [dict(flat(facts(study))) for study in (a, b)]
    for key in dict.fromkeys((*values[0], *values[1])):
        pair = [values[k].get(key, ABSENT) for k in (0, 1)]
        if pair[0] != pair[1]:
            table.add_row(key, *(Text(str(value)) for value in pair))
    if not table.row_count:
        table.add_row("nothing", "", "")
    return table


def facts(study: Overview) -> dict[str, Any]:
    """Everything that a result may depend on: configuration, versions and machine."""
    origin = {k: v for k, v in study.provenance.items() if k not in ("created", "seed")}
    return {**study.history.config.model_dump(mode="json"), **origin}


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Flatten nested keys into dotted paths; a dimension of the search space stays one value."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value and prefix != "space.":
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def side_by_side(a: Overview, b: Overview) -> Table:
    """Make a table of each T's best: test accuracy with 95 % interval, tokens to solve T."""
    table = plain_table(
        "Best of each T", "T", "A test", "95 %", "B test", "95 %", "B - A",
        "A solved", "B solved",
    )  # fmt: skip
    for T in sorted({*a.history.lengths, *b.history.lengths}):
        both = [study.history.best.get(T) for study in (a, b)]
        difference = ""
        if both[0] and both[1]:
            difference = f"{both[1].accuracy - both[0].accuracy:+.3f}"
        cells = [cell for best in both for cell in tested(best)]
        table.add_row(str(T), *cells, difference, solved(a, T), solved(b, T))
    return table


def fresh_seeds(a: Overview, b: Overview) -> Iterator[Table]:
    """Make a table of the fresh seeds that solve each T, if there are any."""
    summaries = [confirmed(study.history) for study in (a, b)]
    if not any(summaries):
        return
    table = plain_table(
        "Fresh seeds that solve T, and their median test accuracy",
        "T", "A", "95 %", "median", "B", "95 %", "median",
    )  # fmt: skip
    for T in sorted({*summaries[0], *summaries[1]}):
        table.add_row(str(T), *(cell for of in summaries for cell in summarized(of.get(T))))
    yield table


def summarized(seeds: SeedSummary | None) -> tuple[str, str, str]:
    """How many seeds solve T, the interval of their share, and their median accuracy."""
    if seeds is None:
        return ABSENT, "", ""
    return f"{seeds.solved}/{seeds.seeds}", rate_interval(seeds), number(seeds.median)


def tested(best: BestTrial | None) -> tuple[str, str]:
    """Test accuracy and its interval."""
    return (number(best.accuracy), accuracy_interval(best)) if best else (ABSENT, "")


def solved(study: Overview, T: int) -> str:
    """The tokens after which the best trial solved T."""
    best = study.history.best.get(T)
    return (best and millions(study.history.trials[best.trial_id].tokens_to_solve)) or ABSENT
