"""How far a study that goes beyond its list of T has come, in words."""

from search.console.formats import clock, limit_reason, millions
from search.study.history import History
from search.study.reach import (
    beyond,
    first_to_solve,
    frontier,
    reaches,
    search_seconds,
    search_tokens,
)


def how_far(history: History) -> list[str]:
    """One line for the largest T solved and one for what ended the reach; none without a reach."""
    if not reaches(history):
        return []
    solved, failed = frontier(history)
    if not solved:
        return ["Reach: no T is solved"] * (failed is not None)
    trial = first_to_solve(history, solved)
    assert trial
    assert trial.last
    seconds = clock(trial.last.seconds_to_solve or 0.0)
    lines = [
        f"Reach: solves T={solved} ({trial.id}: {millions(trial.tokens_to_solve)} tokens in "
        f"{seconds}; {_searched(history, solved)})"
    ]
    if failed:
        reason = limit_reason(history, failed)
        lines.append(f"Reach: not T={failed}: {reason} ({_searched(history, failed)})")
        if history.all_failed(failed):
            lines.append(f"  {history.lengths[failed].trials[-1].error}")
    elif all(map(history.is_over, history.lengths)):
        further = beyond(history)
        ended = f"no budget is left for T={further}" if further else "its limit is reached"
        lines.append(f"Reach: {ended}; no T has failed")
    return lines


def _searched(history: History, T: int) -> str:
    tokens, seconds = millions(search_tokens(history, T)), clock(search_seconds(history, T))
    return f"whole search {tokens} tokens in {seconds}"
