"""What is seen in each figure, in words written from the data that it draws."""

from collections.abc import Iterable

import pandas as pd

from analysis.figures.draw_search import MOST_ROWS
from analysis.figures.plotting import SOLVED, Page
from analysis.figures.search_data import slot_use
from analysis.tables.comparison import records
from studies import format as files

MOST_NAMES = 6


def accuracy(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.accuracy_data`."""
    largest = data["T"].max()
    best = data[data["T"] == largest].sort_values("accuracy", ascending=False)
    parts = [
        f"{row['label']} {row['accuracy']:.4f} "
        f"({row['accuracy_low']:.4f} to {row['accuracy_high']:.4f})"
        for row in records(best)
    ]
    return (
        f"Share of the message that the best trial of each model recalls on test data; at T = "
        f"{largest}: {listed(parts)}. Intervals (95 %) are over payloads, not over "
        "seeds; the axis is stretched towards 1."
    )


def time_to_solve(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.time_to_solve_data`."""
    solved = data[data["solved"]]
    if solved.empty:
        return "No best trial has solved its T; crosses show what each has spent."
    largest = solved["T"].max()
    first = solved[solved["T"] == largest].sort_values("seconds").iloc[0]
    unsolved = len(data) - len(solved)
    crosses = f" {unsolved} of {len(data)} have not: crosses show what they spent." * bool(unsolved)
    return (
        f"Time and tokens until validation accuracy is at least {SOLVED} twice in a row. The first "
        f"best trial to solve T = {largest} is that of {first['label']}, in "
        f"{first['seconds']:.0f} s and {first['million_tokens']:.3g} million tokens.{crosses}"
    )


def learning_curves(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.learning_curves_data`."""
    text = "Accuracy at T of the best trial of each model during its training."
    if data["curriculum"].notna().any():
        text += " Dotted: the longest training length that the curriculum allowed, as a share of T."
    late = data[(data["validation_accuracy"] >= SOLVED) & (data["curriculum"] < 1)]
    if not late.empty:
        early = late.sort_values("curriculum").iloc[0]
        text += (
            f" Models generalize in length: {early['label']} reached {SOLVED} at T = {early['T']} "
            f"while it trained on at most {early['curriculum'] * early['T']:.0f} steps."
        )
    return text


def largest_length(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.largest_length_data`."""
    found = data.dropna(subset=["accuracy"])
    text = f"Test accuracy at T = {page.lengths[-1]}, best first"
    if found.empty:
        return f"{text}; no model has a result there."
    if len(found) == 1:
        return f"{text}; only {found['label'].iloc[0]} has a result there."
    best, second = found.iloc[0], found.iloc[1]
    overlap = second["accuracy_high"] >= best["accuracy_low"]
    said = "overlap: payloads do not separate them" if overlap else "do not overlap"
    return f"{text}. The intervals of {best['label']} and {second['label']} {said}."


def seeds(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.seeds_data`."""
    counts = data.groupby("label")["solved"].agg(["sum", "size"]).reset_index()
    parts = [f"{row['label']} {row['sum']} of {row['size']}" for row in records(counts)]
    return (
        "The best configurations trained again with fresh seeds: each dot is one seed, the "
        "interval (95 %) is that of the mean over seeds, which is what to expect of another "
        f"training. Trainings that solved their T: {listed(parts)}."
    )


def equal_cost(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.tables.equal_cost.equal_cost`."""
    row = data[data["T"] == data["T"].max()].iloc[0]
    return (
        "Left and middle: the best trial of each model, cut to the tokens or seconds of the one "
        "that had the fewest. Right: the best trial of each search with no more parameters than "
        f"the smallest of the models' largest. At T = {row['T']} that is "
        f"{row['equal_tokens'] / 1e6:.3g} million tokens, {row['equal_seconds']:.0f} s and "
        f"{row['equal_parameters']:,} parameters."
    )


def pairs(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.largest_pairs_data`."""
    sure = data[data["p_holm"] < 0.05]
    basis = data["basis"].iloc[0]
    over = {
        "payloads": "Compared are single trained networks over test payloads: another seed may "
        "order them differently.",
        "seeds": "Compared are means over fresh seeds.",
    }[basis]
    if sure.empty:
        found = "no difference is beyond chance"
    else:
        parts = [
            f"{row['better']} over {row['worse']} by {row['difference']:.4f}"
            for row in records(sure)
        ]
        found = f"beyond chance are {listed(parts)}"
    return (
        f"Differences of accuracy at T = {page.lengths[-1]} with 95 % intervals; after Holm's "
        f"correction for {len(data)} comparison{'s' * (len(data) > 1)}, {found}. {over}"
        f"{_unequal_training(data.iloc[0])}"
    )


def _unequal_training(pair: pd.Series) -> str:
    """A warning where the first pair's trainings differ by more than half of the shorter one."""
    better, worse = pair["better_tokens"], pair["worse_tokens"]
    if pd.isna(better) or pd.isna(worse) or max(better, worse) <= 1.5 * min(better, worse):
        return ""
    return (
        f" Their trainings differ: {pair['better']} had {better / 1e6:.3g} million tokens, "
        f"{pair['worse']} {worse / 1e6:.3g}."
    )


def generalization(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.figure_data.generalization_data`."""
    trained = data["T"].max()
    rows = data[(data["T"] == trained) & (data["accuracy"] >= 0.9)]
    farthest = rows.groupby("label")["test_T"].max().sort_values(ascending=False)
    parts = [f"{label} up to T = {T}" for label, T in farthest.items()]
    kept = f"recall 0.9 or more: {listed(parts)}" if parts else "none recalls 0.9 at any"
    return (
        "Test accuracy without further training at other lengths; the line marks the T of the "
        f"training. Of the models trained for T = {trained}, {kept}."
    )


def tuning_curves(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.tables.tuning_curves.tuning_curves`."""
    ends = data[data["T"] == data["T"].max()].groupby("label").tail(1)
    parts = [f"{row['label']} {row['best']:.3f} after {row['n']}" for row in records(ends)]
    unbanded = data["best_low"].isna().any()
    return (
        "Best validation accuracy to expect of n trials sampled at random, with bands that hold "
        f"for all n at once in 95 % of searches or more. At T = {data['T'].max()}: "
        f"{listed(parts)}."
        + " Dotted, without a band: results decided when the search ended."
        * bool(unbanded)
    )


def importance(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.tables.importance.hyperparameter_importance`."""
    clear = data[data["importance"] > data["noise"]].sort_values("importance", ascending=False)
    first = clear.drop_duplicates("label")
    parts = [f"{row['label']}: {row['hyperparameter'].replace('_', ' ')}" for row in records(first)]
    found = (
        f"Most important are {listed(parts)}"
        if parts
        else "None is more important than chance makes it"
    )
    return (
        "How much each hyperparameter decided whether a trial was in the best quarter at its T "
        f"(trials of all T together). {found}. Ticks: the largest importance when accuracies are "
        "dealt to trials at random."
    )


def slices(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.search_data.trials_data`."""
    at_largest = data[data["T"] == data["T"].max()]
    best = at_largest.sort_values("validation_accuracy").groupby("label").tail(1)
    parts = [
        f"{row['label']} {row['learning_rate']:.2g}"
        for row in records(best.sort_values("label"))
        if row["learning_rate"] is not None
    ]
    return (
        "Each dot is a trial: larger dots have more units, brighter ones a longer curriculum. "
        f"Learning rate of the best trial at T = {data['T'].max()}: {listed(parts)}."
        f"{_of_rows(data)}"
    )


def stops(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.search_data.trials_data`."""
    stopped = data[data["status"] == files.STOPPED_EARLY]
    text = "Each mark is a trial of a search at its last evaluation."
    if stopped.empty:
        return f"{text} None of {len(data)} trials was stopped early."
    share = stopped["million_tokens"].sum() / data["million_tokens"].sum()
    return (
        f"{text} {len(stopped)} of {len(data)} trials were stopped early, half of them by "
        f"iteration {stopped['iterations'].median():.0f}; they took {share:.0%} of all tokens."
    )


def slots(data: pd.DataFrame, page: Page) -> str:
    """Of :func:`analysis.figures.search_data.slots_data`."""
    parts = [
        f"{row['label']} {row['busy']:.0%} of {row['slots']} slot{'s' * (row['slots'] > 1)}"
        for row in records(slot_use(data))
    ]
    return (
        "Trials with a slot over the time of each study, final trainings and confirmations "
        f"included. In use: {listed(parts)}.{_of_rows(data)}"
    )


def listed(parts: Iterable[str]) -> str:
    """The first few parts, and how many more there are."""
    parts = list(parts)
    more = len(parts) - MOST_NAMES
    return "; ".join(parts[:MOST_NAMES]) + (f"; and {more} more" if more > 0 else "")


def _of_rows(data: pd.DataFrame) -> str:
    labels = data["label"].nunique()
    return f" Shown are the first {MOST_ROWS} of {labels}." if labels > MOST_ROWS else ""
