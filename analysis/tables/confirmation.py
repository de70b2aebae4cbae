"""What fresh seeds make of the winners: the numbers, and the table for a terminal."""

import pandas as pd
from rich import box
from rich.table import Table

from analysis.reading.studies import Studies
from studies import format as files
from studies.seed_statistics import BEST_OF_MANY, CHANCE, summarize_seeds

CONFIRMED = (
    "seeds",
    "seeds_solved",
    "solved_low",
    "solved_high",
    "mean_accuracy",
    "mean_accuracy_low",
    "mean_accuracy_high",
)
"""Columns of :func:`confirmed_winners` beside study and T."""


def winner_seeds(studies: Studies) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: study, T, seed, accuracy (on test payloads; chance if the seed failed before it had a
    model), solved. Seeds of an earlier winner do not count.
    """
    winners = studies.best[["study", "T", "trial_id"]].rename(columns={"trial_id": "confirms"})
    seeds = studies.confirmations.merge(winners, on=["study", "T", "confirms"])
    solved = seeds["tokens_to_solve"].notna() & (seeds["status"] != files.FAILED)
    return seeds[["study", "T", "seed"]].assign(
        accuracy=seeds["accuracy"].fillna(CHANCE), solved=solved
    )


def confirmed_winners(studies: Studies) -> pd.DataFrame:
    """One row a (study, T) whose winner was trained again with fresh seeds.

    Columns: study, T, those of ``CONFIRMED``: number of seeds, how many of them solved T, 95 %
    interval of the share that does, mean test accuracy over the seeds with its 95 % interval. A
    seed that failed has not solved T, and is in the mean like any other.
    """
    rows = [
        (study, T, *summarize_seeds(of["accuracy"].tolist(), of["solved"].tolist()))
        for (study, T), of in winner_seeds(studies).groupby(["study", "T"])
    ]
    frame = pd.DataFrame(rows, columns=["study", "T", *CONFIRMED])
    whole = dict.fromkeys(("T", "seeds", "seeds_solved"), "Int64")
    numbers = dict.fromkeys(CONFIRMED, "float64")
    return frame.astype({"study": object, **numbers, **whole})


def confirmed_table(comparison: pd.DataFrame) -> Table | None:
    """What fresh seeds make of the winners, for a terminal of 80 columns; None without any."""
    rows = comparison[comparison["seeds"].notna()]
    if rows.empty:
        return None
    table = Table(
        title="The same configurations with fresh seeds",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        caption=BEST_OF_MANY,
        caption_justify="left",
    )
    for name in ("task", "T", "model", "mean acc.", "95 %", "solved", "95 %"):
        table.add_column(name, justify="left" if name in ("task", "model") else "right")
    for row in rows.to_dict(orient="records"):
        table.add_row(
            row["task"],
            str(row["T"]),
            row["label"],
            f"{row['mean_accuracy']:.3f}",
            f"{row['mean_accuracy_low']:.3f}-{row['mean_accuracy_high']:.3f}",
            f"{row['seeds_solved']}/{row['seeds']}",
            f"{row['solved_low']:.2f}-{row['solved_high']:.2f}",
        )
    return table
