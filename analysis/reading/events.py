"""When trials and lengths began and ended, from the events of a study."""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from studies import events
from studies import format as files
from studies.columns import TRIAL_ID, T, real, text, whole
from studies.event_files import parse_events, segments
from studies.events import Event
from studies.given import enqueued
from studies.paths import StudyPath, read_blocks

EVENT_COLUMNS = (
    text(
        "event", "length_began, length_ended, racing_ended, trial_started, trial_ended or last_seen"
    ),
    real("elapsed", "s", "wall time of the study, summed over its runs"),
    T,
    TRIAL_ID,
    text("stage", "of a trial that started, see studies.format.STAGES"),
    text("status", "of a trial that ended, see studies.format.STATUSES"),
    text("limit", "limit that ended the search at T"),
    whole(
        "given",
        "",
        "of a trial of the search that started: 1 if its configuration was given, not sampled",
    ),
)


def read_milestones(study: StudyPath) -> list[dict[str, Any]]:
    """What began or ended, one entry an event, with those of ``EVENT_COLUMNS`` that it has.

    The last entry, ``last_seen``, is the time up to which the study is known.

    Args:
        study: its directory.

    Raises:
        OSError: there is no such file, or one cannot be read.
        ValueError: a line is damaged, or of an unknown kind; the message says which.
    """
    milestones: list[dict[str, Any]] = []
    lengths: dict[str | None, int | None] = {}  # T of each trial, which only its start tells
    given: dict[int, _Given] = defaultdict(_Given)
    event = None
    for path in segments(study.iterdir()) or [study / files.EVENTS_FILE]:
        for event in parse_events(read_blocks(path), path.name, skip_unfinished=True):
            if isinstance(event, events.LengthBegan):
                given[event.T].configurations = list(event.initial)
            elif isinstance(event, events.ConfigurationEnqueued):
                given[event.T].enqueue(event.configuration)
            if milestone := _milestone(event):
                lengths.setdefault(milestone.get("trial_id"), milestone.get("T"))
                milestone.setdefault("T", lengths[milestone.get("trial_id")])
                if isinstance(event, events.TrialStarted) and event.stage == files.SEARCH:
                    milestone["given"] = given[milestone["T"]].start()
                milestones.append({"elapsed": event.elapsed, **milestone})
    if event:
        milestones.append({"elapsed": event.elapsed, "event": "last_seen"})
    return milestones


class _Given:
    """Which trials of the search at a T try a given configuration.

    Attributes:
        configurations: given ones, each for the trial of its number; empty where none is given.
    """

    def __init__(self) -> None:
        self.configurations: list[Mapping[str, Any]] = []
        self._started = self._enqueued_until = 0

    def enqueue(self, configuration: Mapping[str, Any]) -> None:
        """The next trial tries it, after those that wait; see search.study.records.LengthRecord."""
        number = max(self._started, self._enqueued_until)
        self.configurations = enqueued(self.configurations, number, configuration)
        self._enqueued_until = number + 1

    def start(self) -> int:
        """A trial starts; 1 if its configuration was given."""
        number, self._started = self._started, self._started + 1
        return int(number < len(self.configurations) and bool(self.configurations[number]))


def _milestone(event: Event) -> dict[str, Any] | None:
    """What of an event is kept; None if nothing began or ended."""
    match event:
        case events.LengthBegan(T=T):
            return {"event": "length_began", "T": T}
        case events.LengthEnded(T=T, limit=limit):
            return {"event": "length_ended", "T": T, "limit": limit}
        case events.TrialStarted(trial_id=trial_id, stage=stage, training=training):
            T = training["T"]
            return {"event": "trial_started", "trial_id": trial_id, "T": T, "stage": stage}
        case events.TrialRestarted(trial_id=trial_id, stage=stage):
            return {"event": "trial_started", "trial_id": trial_id, "stage": stage}
        case events.TrialFailed(trial_id=trial_id):
            return {"event": "trial_ended", "trial_id": trial_id, "status": files.FAILED}
        case events.TrialCutOff(trial_id=trial_id):
            return {"event": "trial_ended", "trial_id": trial_id, "status": files.INTERRUPTED}
        case events.RacingEnded():
            return {"event": "racing_ended", "T": None}  # at all T
        case events.Result(trial_id=trial_id, status=status) if status:
            return {"event": "trial_ended", "trial_id": trial_id, "status": status}
    return None


def trial_spans(milestones: pd.DataFrame) -> pd.DataFrame:
    """From when to when each trial had a slot.

    Columns: study, T, trial_id, began, ended (s of the study's wall time), part (how often the
    search at its T, or the races at all T, had ended before; they go on when a limit is raised). A
    trial of the search that did not end ended with the search at its T, if that has, and a training
    of a race with the races at all T; any other is still running. Of a trial that failed and ran
    again it is the last run.
    """
    keys = ["study", "trial_id"]
    of = dict(iter(milestones.groupby("event")))
    nothing = milestones.iloc[:0]
    began = of.get("trial_started", nothing).drop_duplicates(keys, keep="last")
    ended = of.get("trial_ended", nothing).drop_duplicates(keys, keep="last")
    seen = of.get("last_seen", nothing)
    spans = began[[*keys, "T", "stage", "elapsed"]].rename(columns={"elapsed": "began"})
    spans = spans.merge(_renamed(ended, keys, "ended"), on=keys, how="left")
    spans = spans.merge(_renamed(seen, ["study"], "seen"), on="study", how="left")
    spans["ended"] = spans["ended"].where(spans["ended"] >= spans["began"])
    searches = _times(of.get("length_ended", nothing), ["study", "T"])
    races = _times(of.get("racing_ended", nothing), ["study"])
    spans["stage"] = spans["stage"].fillna(files.SEARCH)
    spans["part"], cut = 0, pd.Series(math.nan, spans.index)
    for (study, length, stage), start in spans.groupby(["study", "T", "stage"])["began"]:
        times = {files.SEARCH: searches.get((study, length)), files.RACE: races.get((study,))}
        if (ends := times.get(str(stage))) is not None:
            spans.loc[start.index, "part"] = np.searchsorted(ends, start, side="right")
            cut[start.index] = np.append(ends, math.nan)[np.searchsorted(ends, start)]
    spans["ended"] = spans["ended"].fillna(cut).fillna(spans["seen"])
    return spans[["study", "T", "trial_id", "began", "ended", "part"]]


def _times(rows: pd.DataFrame, keys: list[str]) -> dict[tuple[Any, ...], np.ndarray]:
    """When these events happened, in order, by the values of ``keys``."""
    return {of: np.sort(group.to_numpy(float)) for of, group in rows.groupby(keys)["elapsed"]}


def _renamed(rows: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    return rows[[*keys, "elapsed"]].rename(columns={"elapsed": name})
