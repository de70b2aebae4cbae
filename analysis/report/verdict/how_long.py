"""The answer to "How long": what it took to solve one T."""

from collections.abc import Mapping, Sequence

from analysis.phrases import duration, first_few, million_tokens, short_enumeration
from analysis.report.cells import Row
from analysis.report.verdict.results import Effort, final_labels, is_solved


def how_long(rows: Sequence[Row], efforts: Mapping[str, Effort]) -> list[str]:
    """What it took to solve one T; ``rows`` are the tested ones of that T."""
    solved = sorted(filter(is_solved, rows), key=lambda row: row["tokens_to_solve"])
    unsolved = [row for row in rows if not is_solved(row)]
    sentences = []
    if solved:
        costs = [_cost(row, row["tokens_to_solve"], row["seconds_to_solve"]) for row in solved]
        sentences.append(
            f"Training until T = {rows[0]['T']} was solved: {'; '.join(first_few(costs))}. "
            f"One training{' each' * (len(costs) > 1)}, so there is no interval."
        )
    if unsolved:
        costs = [_cost(row, row["tokens"], row["seconds"]) for row in unsolved]
        sentences.append(
            f"Spent at T = {rows[0]['T']} without solving it: {'; '.join(first_few(costs))}."
        )
    finals = final_labels(solved, efforts)
    if finals:
        whose = "" if len(finals) == len(solved) else f" of {short_enumeration(finals)}"
        sentences.append(
            f"The training{whose} is a final training, which continues after T is solved: these "
            "costs end at the solution, its accuracy is that at the end."
        )
    known = [efforts[study] for study in dict.fromkeys(row["study"] for row in rows)]
    machines = list(dict.fromkeys(effort.machine for effort in known))
    searches = "the search" if len(known) == 1 else f"the {len(known)} searches together"
    sentences.append(
        f"Wall time on {short_enumeration(machines)}; all trials of {searches} trained for "
        f"{duration(sum(effort.seconds for effort in known))}."
    )
    if len(machines) > 1:
        sentences.append("The machines differ: compare tokens, not seconds.")
    return sentences


def _cost(row: Row, tokens: float, seconds: float) -> str:
    return f"{row['label']} {million_tokens(tokens)} in {duration(seconds)}"
