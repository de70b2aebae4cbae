"""When trials and lengths began and ended, from the events of a study."""

import json
from typing import Any

import pandas as pd

from studies import format as files
from studies.columns import TRIAL_ID, T, real, text, whole
from studies.events import UNFINISHED, segments, whole_lines
from studies.paths import StudyPath, read_bytes

EVENT_COLUMNS = (
    text("event", "length_began, length_ended, trial_started, trial_ended or last_seen"),
    real("elapsed", "s", "wall time of the study, summed over its runs"),
    T,
    TRIAL_ID,
    text("stage", "of a trial that started, see studies.format.STAGES"),
    text("status", "of a trial that ended, see studies.format.STATUSES"),
    text("limit", "limit that ended the search at T"),
    whole("initial", "", "configurations that the search at T tried as given, before sampling"),
)


def read_milestones(study: StudyPath) -> list[dict[str, Any]]:
    """What began or ended, one entry an event, with those of ``EVENT_COLUMNS`` that it has.

    Args:
        study: its directory. In an object store its events are in several files.

    The last entry, ``last_seen``, is the time up to which the study is known. A line that is cut
    off at the end of the file has not happened; there may be one while a search writes.

    Raises:
        OSError: there is no such file, or one cannot be read.
        ValueError: a line is damaged; says which.
    """
    paths = segments(study.iterdir()) or [study / files.EVENTS_FILE]
    content = b"".join(map(read_bytes, paths))
    lines = content[: whole_lines(content)].splitlines()
    milestones: list[dict[str, Any]] = []
    lengths: dict[str | None, int | None] = {}  # T of each trial, which only its start tells
    for number, line in enumerate(lines, start=1):
        last = number == len(lines)
        if line.endswith(UNFINISHED) and not last:
            continue
        try:
            event = json.loads(line)
            milestone = _milestone(event)
            elapsed = float(event["elapsed"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"{files.EVENTS_FILE}, line {number}: no valid event") from None
        if milestone:
            lengths.setdefault(milestone.get("trial_id"), milestone.get("T"))
            milestone.setdefault("T", lengths[milestone.get("trial_id")])
            milestones.append({"elapsed": elapsed, **milestone})
        if last:
            milestones.append({"elapsed": elapsed, "event": "last_seen"})
    return milestones


def _milestone(event: dict[str, Any]) -> dict[str, Any] | None:
    """What of an event is kept; None if nothing began or ended."""
    kind = event["event"]
    if kind == "length_began":
        return {"event": kind, "T": event["T"], "initial": len(event["initial"])}
    if kind == "length_ended":
        return {"event": kind, "T": event["T"], "limit": event["limit"]}
    if kind == "trial_started":
        stage = {"stage": event["stage"]} if "stage" in event else {}
        return {"event": kind, "trial_id": event["trial_id"], "T": event["training"]["T"]} | stage
    if kind == "trial_restarted":  # a failed trial, which starts again from its beginning
        return {"event": "trial_started", "trial_id": event["trial_id"], "stage": event["stage"]}
    if kind == "trial_failed" or (kind == "result" and event["status"]):
        status = event.get("status", "failed")
        return {"event": "trial_ended", "trial_id": event["trial_id"], "status": status}
    return None


def trial_spans(events: pd.DataFrame) -> pd.DataFrame:
    """From when to when each trial had a slot.

    Columns: study, T, trial_id, began, ended (s of the study's wall time). A trial of the search
    that did not end ended with the search at its T, if that has; any other is still running. Of a
    trial that failed and ran again it is the last run.
    """
    keys = ["study", "trial_id"]
    of = dict(iter(events.groupby("event")))
    nothing = events.iloc[:0]
    began = of.get("trial_started", nothing).drop_duplicates(keys, keep="last")
    ended = of.get("trial_ended", nothing).drop_duplicates(keys, keep="last")
    cut = of.get("length_ended", nothing).drop_duplicates(["study", "T"], keep="last")
    seen = of.get("last_seen", nothing)
    spans = began[[*keys, "T", "stage", "elapsed"]].rename(columns={"elapsed": "began"})
    spans = spans.merge(_renamed(ended, keys, "ended"), on=keys, how="left")
    spans = spans.merge(_renamed(cut, ["study", "T"], "cut"), on=["study", "T"], how="left")
    spans = spans.merge(_renamed(seen, ["study"], "seen"), on="study", how="left")
    searching = spans["stage"].fillna("search") == "search"
    spans["ended"] = spans["ended"].where(spans["ended"] >= spans["began"])
    after = spans["cut"].where(searching & (spans["cut"] >= spans["began"]))
    spans["ended"] = spans["ended"].fillna(after).fillna(spans["seen"])
    return spans[["study", "T", "trial_id", "began", "ended"]]


def _renamed(rows: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    return rows[[*keys, "elapsed"]].rename(columns={"elapsed": name})
