"""The answer to "How long": what the searches took, and what a training takes."""

from collections.abc import Mapping, Sequence

from analysis.phrases import duration, first_few, million_tokens, short_enumeration
from analysis.report.cells import Row
from analysis.report.verdict.results import Effort, final_labels, is_confirmed, is_solved
from studies.wording import counted


def how_long(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """What the whole searches took, then fresh seeds and the best trials at one T.

    Args:
        rows: the tested ones of that T.
        efforts: of their studies.
    """
    T = rows[0]["T"]
    searches = [_search(row, efforts[row["study"]]) for row in rows]
    sentences = [f"Whole search, with all trials at every T: {'; '.join(first_few(searches))}."]
    confirmed = [row for row in rows if is_confirmed(row)]
    halves = [
        f"{row['label']} {million_tokens(row['median_tokens_to_solve'])}"
        for row in confirmed
        if row["median_tokens_to_solve"] is not None
    ]
    if halves:
        sentences.append(
            f"Half of the fresh seeds solve T = {T} within: {'; '.join(first_few(halves))}."
        )
    solved = list(filter(is_solved, rows))
    unsolved = [row for row in rows if not is_solved(row)]
    if solved:
        costs = [_cost(row, row["tokens_to_solve"], row["seconds_to_solve"]) for row in solved]
        trials = "trial" if len(costs) == 1 else "trials"
        sentences.append(f"Best {trials} until T = {T} was solved: {'; '.join(first_few(costs))}.")
    if unsolved:
        costs = [_cost(row, row["tokens"], row["seconds"]) for row in unsolved]
        sentences.append(f"Spent at T = {T} without solving it: {'; '.join(first_few(costs))}.")
    finals = final_labels(solved, efforts)
    if finals:
        whose = "" if len(finals) == len(solved) else f" of {short_enumeration(finals)}"
        sentences.append(
            f"The best trial{whose} is a final training, which continues after T is solved: its "
            "cost ends at the solution, its accuracy is that at the end."
        )
    machines = list(dict.fromkeys(of for row in rows for of in efforts[row["study"]].machines))
    sentences.append(f"Times on {short_enumeration(machines)}.")
    if len(machines) > 1:
        sentences.append("The machines differ: compare tokens, not seconds.")
    return sentences


def _search(row: Row, effort: Effort) -> str:
    time = f"{duration(effort.wall_seconds)}, " if effort.wall_seconds is not None else ""
    trials = counted(effort.trials, "trial")
    return f"{row['label']} {time}{million_tokens(effort.tokens)} in {trials}"


def _cost(row: Row, tokens: float, seconds: float) -> str:
    return f"{row['label']} {million_tokens(tokens)} in {duration(seconds)}"
