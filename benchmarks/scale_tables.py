"""The tables of what scale.py has simulated."""

from collections.abc import Mapping

import pandas as pd

from benchmarks import markdown
from benchmarks.estimates import Estimate
from benchmarks.markdown import interval

DRIVEN = 64
"""Workers of each driver where there are several."""


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Medians over the seeds, a row for each number of workers.

    Against the fewest workers: the speed-up, the efficiency, which is the speed-up divided by how
    many times as many workers there are, and the work, which is how many times as many tokens.
    What is simulated only with many workers is compared with one of ``measured``.
    """
    table = rows.drop(columns="seed").groupby(["driver", "workers"]).median().reset_index()
    against = table["driver"].replace(["decisions", "plain", "several"], "measured")
    by_workers = table.sort_values("workers").groupby(against)
    first = by_workers[["workers", "clock", "tokens"]].transform("first")
    table["speed_up"] = first["clock"] / table["clock"]
    table["efficiency"] = table["speed_up"] * first["workers"] / table["workers"]
    table["work"] = table["tokens"] / first["tokens"]
    return table


def time_table(rows: pd.DataFrame, pool: int) -> str:
    """Time, efficiency and work, as a Markdown table; [shortest, longest] of the searches.

    Args:
        pool: recorded configurations. Of the trials beyond as many, each repeats one.
    """
    header = [
        "workers", "seconds, decisions free", "efficiency", "seconds, one driver charged",
        "efficiency", "tokens / one worker's", "trials", "of which repeat a curve",
    ]  # fmt: skip
    lines = []
    for (workers, free), (_, charged) in zip(*by_driver(rows), strict=True):
        line = [str(workers)]
        for driver, row in (("free", free), ("measured", charged)):
            searches = rows[(rows["driver"] == driver) & (rows["workers"] == workers)]["clock"]
            clock = Estimate(row["clock"], searches.min(), searches.max())
            line += [interval(clock, 0 if clock.low >= 20 else 1), percent(row["efficiency"])]
        trials = charged["trials"]
        repeated = percent(1 - pool / trials) if trials > pool else ""
        lines.append([*line, f"{charged['work']:.1f}", f"{trials:.0f}", repeated])
    return markdown.table(header, lines)


def by_driver(rows: pd.DataFrame) -> list[list[tuple[int, pd.Series]]]:
    """The rows of the summary with decisions free, and those with decisions charged, by workers."""
    table = summary(rows)
    return [
        [(int(row["workers"]), row) for _, row in table[table["driver"] == driver].iterrows()]
        for driver in ("free", "measured")
    ]


def percent(share: float) -> str:
    """With one digit where it is small."""
    return f"{100 * share:.{0 if share >= 0.1 else 1}f} %"


def driver_table(rows: pd.DataFrame) -> str:
    """What keeps workers and driver busy, with decisions charged, as a Markdown table."""
    header = [
        "workers", "seconds that a trial trains", "share of their time in training",
        "without the other process and groups", "if only decisions took time",
        f"with a driver for every {DRIVEN}", "share of the driver's time in use",
        "ms the start of a trial", "ms a result", "ms a trial for all else",
        "ms of the other process a trial", "trials begun a second", "the same, decisions free",
    ]  # fmt: skip
    table = summary(rows).set_index(["driver", "workers"])
    lines = []
    for (workers, free), (_, row) in zip(*by_driver(rows), strict=True):
        others = [
            percent(table.loc[key, "utilisation"]) if key in table.index else ""
            for key in (("plain", workers), ("decisions", workers), ("several", workers))
        ]
        lines.append([
            str(workers), f"{trial_seconds(row, workers):.1f}", percent(row["utilisation"]),
            *others, percent(row["driver_share"]),
            f"{row['ask_ms']:.1f}", f"{row['report_ms']:.2f}", f"{row['ray_ms']:.1f}",
            f"{row['suggest_ms']:.1f}" if row["suggest_ms"] else "",
            *(f"{one['trials'] / one['clock']:.1f}" for one in (row, free)),
        ])  # fmt: skip
    return markdown.table(header, lines)


def change_table(tables: Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]) -> str:
    """How busy most workers are, before a change and now, as a Markdown table.

    Args:
        tables: name -> the rows of before and of now.
    """
    lines = []
    for name, pair in tables.items():
        shares = []
        for rows in pair:
            _, charged = by_driver(rows)
            workers, row = charged[-1]
            shares += [f"{trial_seconds(row, workers):.1f}", percent(row["utilisation"])]
        lines.append([name, str(workers), *shares])
    header = [
        "",
        "workers",
        "seconds that a trial trains, before",
        "share of their time in training",
    ]
    return markdown.table([*header, "seconds that a trial trains, now", header[-1]], lines)


def trial_seconds(row: "pd.Series[float]", workers: int) -> float:
    """How long a trial trained, on average."""
    return row["utilisation"] * row["clock"] * workers / row["trials"]


def verdict(table: pd.DataFrame) -> str:
    """Where scaling ends, and why."""
    free = table[table["driver"] == "free"].set_index("workers")
    measured = table[table["driver"] == "measured"].set_index("workers")
    gain = free["clock"].shift() / free["clock"]
    small = gain.index[gain.index > gain.index[gain >= 1.25].max()]
    lines = []
    wasteful = measured.index[measured["efficiency"] < 0.5]
    if len(wasteful):
        row = measured.loc[wasteful[0]]
        lines.append(
            f"From {wasteful[0]} workers on, less than half of what they do helps: an efficiency "
            f"of {percent(row['efficiency'])}, and {row['work']:.1f} times the tokens."
        )
    if len(small):
        lines.append(
            f"From {small[0]} workers on, twice as many gain less than a quarter: parallel trials "
            "cannot learn from each other, and no search is shorter than one trial that solves T."
        )
    slower = measured.index[measured["clock"] > 1.25 * free["clock"]]
    if len(slower):
        lines.append(
            f"From {slower[0]} workers on, the driver costs more than a quarter of the time: it is "
            f"busy for {100 * measured.loc[slower[0], 'driver_share']:.0f} % of it, with "
            f"{measured.loc[slower[0], 'ask_ms']:.1f} ms the start of a trial and "
            f"{measured.loc[slower[0], 'report_ms']:.2f} ms a result."
        )
    else:
        lines.append("The driver never costs more than a quarter of the time.")
    return "\n".join(lines)
