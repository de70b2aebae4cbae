"""How far a study that goes beyond its list of T has come, in words."""

from search.console.formats import clock, limit_reason, millions
from search.study.history import History
from search.study.reach import beyond, first_to_solve, reach_rows, reaches
from studies.reach import Row, frontier


def how_far(history: History) -> list[str]:
    """One line for the largest T solved and one for what ended the reach; none without a reach."""
    if not reaches(history):
        return []
    solved, failed, _ = frontier(reach_rows(history))
    if not solved:
        return ["Reach: no T is solved"] * (failed is not None)
    trial = first_to_solve(history, solved["T"])
    assert trial
    tokens, seconds = millions(solved["tokens_to_solve"]), clock(solved["seconds_to_solve"] or 0.0)
    lines = [
        f"Reach: solves T={solved['T']} ({trial.id}: {tokens} tokens in {seconds}; "
        f"{_searched(solved)})"
    ]
    if failed:
        reason = limit_reason(history, failed["T"])
        lines.append(f"Reach: not T={failed['T']}: {reason} ({_searched(failed)})")
        lines += [f"  {failed['error']}"] * bool(failed["error"])
    elif all(map(history.is_over, history.lengths)):
        further = beyond(history)
        ended = f"no budget is left for T={further}" if further else "its limit is reached"
        lines.append(f"Reach: {ended}; no T has failed")
    return lines


def _searched(row: Row) -> str:
    return f"whole search {millions(row['tokens'])} tokens in {clock(row['seconds'])}"
