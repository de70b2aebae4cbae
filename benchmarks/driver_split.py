"""Where does the driver's processor time go: to this project, to Optuna, or to Ray?

    python -m benchmarks.driver_split [--slots 16 64]      (ten minutes)

Runs real searches over null trials, on more slots than there are cores, and
takes samples of the driver's stack. A sample counts the processor time of the
driver's main thread since the one before, for the innermost package of Ray,
Optuna or this project. The first trials, which start the workers, do not count.
Trials report once in one search, and four times in another: one by one, and if
there are enough trials for that also in a group. The differences say what a
result and a message cost. A slot needs about 0.3 GB of memory. Prints the
functions that take most, and writes driver_split.csv.
"""

import argparse
import math
import signal
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import markdown
from benchmarks.null_trials import ROOT, SETTINGS
from benchmarks.options import add_output
from search.decide.samplers import MANY_TRIALS
from search.execute import trial_source
from search.run import main as run_search
from studies.command_line import at_least_one

INTERVAL = 0.002
"""Seconds of the process's processor time between two samples."""

PRINTED = 40
"""Functions that are printed of a search."""

REPORTS = (1, 4)
"""Results of each trial in the searches."""

TOKENS = 13
"""Of one sequence at T = 1, which is what an iteration trains on."""

PACKAGES = {"ray": "site-packages/ray/", "optuna": "site-packages/optuna/", "ours": f"{ROOT}/"}
"""Whose code it is -> a part of its files' paths."""

CONTROLLER = "tune/execution/tune_controller.py"
"""The file whose innermost function says what Ray Tune does."""

INSIDE = " > "
"""Between that function and the innermost one."""

PARTS = {
    "optuna suggestion": ("decide/suggester.py", "suggest"),
    "ours events": ("study/event_log.py", ""),
    "ours tables": ("study/tables.py", ""),
    "ours console": ("search/console/", ""),
    "ours configurations": ("decide/samplers.py", ""),
    "optuna told": ("", ""),
    "ours rest": ("", ""),
    "ray suggester": ("execute/remote_suggester.py", ""),
    "ray controller": ("", ""),
    "rest": ("", ""),
}
"""Part, which begins with whose code is innermost -> the file and the function that it must be
called from; the first that fits counts."""

NAMES = {
    "ray controller": "Ray: Tune's controller",
    "ray threads": "Ray: its other threads in the driver",
    "ray suggester": "Ray: requests to the process that suggests",
    "optuna suggestion": "Optuna: suggestions",
    "optuna told": "Optuna: trials told to it",
    "ours configurations": "ours: configurations, Optuna's journal",
    "ours events": "ours: events on the disk",
    "ours tables": "ours: CSV files",
    "ours console": "ours: console",
    "ours rest": "ours: agenda, scheduler, history",
    "rest": "garbage, imports",
}
"""Part -> its name in the table, in the order of its rows."""


class Profile:
    """Processor time of this process, while ``counting``. Make it in the main thread.

    Attributes:
        counting: whether samples count now.
        seconds: (part, function) -> of the main thread; under "ray threads" that of the others.
    """

    def __init__(self) -> None:
        self.counting = False
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self._last = self._others = 0.0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take samples inside this context."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        now = time.thread_time()
        others = time.process_time() - now
        if self.counting:
            self.seconds[place(frame)] += now - self._last
            self.seconds["ray threads", ""] += others - self._others
        self._last, self._others = now, others


def place(frame: FrameType | None) -> tuple[str, str]:
    """The part that a stack belongs to, and the innermost function of a known package."""
    owner = function = step = ""
    callers = []
    while frame:
        path, name = frame.f_code.co_filename, frame.f_code.co_name
        package = next((key for key, mark in PACKAGES.items() if mark in path), "")
        if package and not owner:
            owner, function = package, f"{Path(path).stem}.{name}"
        if path.endswith(CONTROLLER) and not step:
            step = name + INSIDE
        callers.append((path, name))
        frame = frame.f_back
    if owner == "ray":
        function = f"{step}{function}"
    for part, (file, of) in PARTS.items():
        mine = part.partition(" ")[0] in (owner, "rest")
        if mine and any(file in path and of in ("", name) for path, name in callers):
            return part, function
    return "rest", function


def count(events: Path) -> tuple[int, int]:
    """Trials that have started, and results."""
    text = events.read_text() if events.exists() else ""
    return text.count('"event":"trial_started"'), text.count('"event":"result"')


def watch(profile: Profile, events: Path, first: int, last: int, counts: list[int]) -> None:
    """Let samples count between the start of one trial and of another; note what came between."""
    before = 0, 0
    while (now := count(events))[0] < last:
        if not profile.counting and now[0] >= first:
            profile.counting, before = True, now
        time.sleep(0.5)
    profile.counting = False
    counts.extend(after - b for after, b in zip(now, before, strict=True))


def profiled(
    slots: int, reports: int, trials: int, grouped: bool
) -> tuple[Mapping[tuple[str, str], float], Any]:
    """Seconds of the driver by part and function in one search; its trials and results.

    Args:
        grouped: whether the results of a trial come together.
    """
    trial_source.MESSAGES = slots / 60 if grouped else math.inf
    settings = SETTINGS | {
        "training.tokens_per_iteration": TOKENS,
        "training.max_tokens": TOKENS * reports,
        "search.grace_iterations": reports,
        "resources.cpus_per_trial": 2 / slots,
    }
    profile, counts = Profile(), list[int]()
    with tempfile.TemporaryDirectory() as storage:
        command = [
            "--model", "gru", "--task", "sequence", "--T", "1", "--trials", str(trials),
            "--storage", storage, "--name", "null", "--max-concurrent", str(slots),
            *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")),
        ]  # fmt: skip
        events = Path(storage) / "null" / "events.jsonl"
        arguments = (profile, events, 2 * slots + trials // 4, trials - slots, counts)
        watcher = threading.Thread(target=watch, args=arguments)
        watcher.start()
        with profile.taken():
            if run_search(command):
                raise SystemExit("the search over null trials failed")
        watcher.join()
    return profile.seconds, counts


def measure(slots: int, trials: int) -> Iterator[dict[str, Any]]:
    """A row for each part of searches with few and with many results."""
    few, many = REPORTS
    searches = [(few, False), (many, False), *([(many, True)] if slots >= MANY_TRIALS else [])]
    for reports, grouped in searches:
        seconds, (begun, results) = profiled(slots, reports, trials, grouped)
        told = "in groups" if grouped else "one by one"
        print(f"{slots} slots, {begun} trials, {results} results {told}; ms a trial of functions:")
        for (part, function), spent in sorted(seconds.items(), key=itemgetter(1))[
            : -PRINTED - 1 : -1
        ]:
            print(f"{1e3 * spent / begun:8.3f}  {part:22} {function}", flush=True)
        parts: dict[tuple[str, str], float] = defaultdict(float)
        for (part, function), spent in seconds.items():
            of_tune, inside, _ = function.partition(INSIDE)
            parts[part, of_tune if inside else ""] += spent
        for (part, function), spent in sorted(parts.items()):
            yield {
                "slots": slots, "trials": begun, "results": results,
                "messages": begun if grouped else results, "part": part, "function": function,
                "seconds": round(spent, 4),
            }  # fmt: skip


def costs(rows: pd.DataFrame, parts: Sequence[str]) -> tuple[float, float, float]:
    """Seconds of these parts for a trial, a message and a result, with the most slots.

    None is below zero, whatever else the machine did.
    """
    rows = rows[rows["slots"] == rows["slots"].max()]
    counted = ["trials", "messages", "results"]
    spent = rows[rows["part"].isin(parts)].groupby(counted)["seconds"].sum()
    counts = spent.index.to_frame().to_numpy(float)
    per, *_ = np.linalg.lstsq(counts, spent.to_numpy(), rcond=None)
    trial, message, result = map(float, np.maximum(per, 0))
    return trial, message, result


def by_search(rows: pd.DataFrame) -> dict[str, "pd.Series[float]"]:
    """Slots and results of a trial -> milliseconds of each part for a trial of that search."""
    searches = [(key, one) for key, one in rows.groupby(["slots", "results", "messages", "trials"])]
    searches.sort(key=lambda search: (search[0][0], round(search[0][1] / search[0][3])))
    found = {}
    for (slots, results, messages, trials), search in searches:
        grouped = " in a group" if messages < results else ""
        name = f"{slots} slots, {results / trials:.0f}{grouped}"
        found[name] = (
            1e3
            * search.groupby("part")["seconds"].sum().reindex(list(NAMES), fill_value=0.0)
            / trials
        )
    return found


def split_table(rows: pd.DataFrame) -> str:
    """Milliseconds of each part for a trial, in each search, as a Markdown table."""
    searches = by_search(rows)
    parts = {name: [part] for part, name in NAMES.items()} | {"all": [*NAMES]}
    lines = [
        [name, *(f"{ms[of].sum():.1f}" for ms in searches.values())] for name, of in parts.items()
    ]
    return markdown.table(["ms of the driver for a trial with so many results", *searches], lines)


def change_table(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Milliseconds for a trial before a change and now, as a Markdown table.

    Of the searches that are in both.
    """
    earlier, later = by_search(before), by_search(now)
    both = [search for search in later if search in earlier]
    threads = "ray threads"
    parts = {
        "Tune's controller": ["ray controller"],
        "requests to the process that suggests": ["ray suggester"],
        "all else in the main thread": [
            part for part in NAMES if part not in (threads, "ray controller", "ray suggester")
        ],
        "the main thread": [part for part in NAMES if part != threads],
        "Ray's other threads": [threads],
    }
    lines = [
        [name, *(f"{earlier[s][of].sum():.1f} -> {later[s][of].sum():.1f}" for s in both)]
        for name, of in parts.items()
    ]
    return markdown.table(["ms of the driver for a trial with so many results", *both], lines)


def controller_table(rows: pd.DataFrame, shown: int = 8) -> str:
    """The functions of Ray Tune's controller that take most, as a Markdown table.

    Of the search with the most slots and the most results.
    """
    last = rows[rows["slots"] == rows["slots"].max()]
    last = last[last["messages"] == last["messages"].max()]
    last = last[last["part"] == "ray controller"].dropna(subset="function")
    ms = 1e3 * last.groupby("function")["seconds"].sum() / last["trials"].iloc[0]
    most = ms.sort_values(ascending=False)
    lines = [[f"`{name}`", f"{value:.2f}"] for name, value in most[:shown].items()]
    lines.append([f"{len(most) - shown} others", f"{most[shown:].sum():.2f}"])
    each = last["results"].iloc[0] / last["trials"].iloc[0]
    return markdown.table(
        ["function of Tune's controller", f"ms a trial with {each:.0f} results"], lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.driver_split",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--slots",
        nargs="*",
        type=at_least_one,
        default=[16, 64],
        help="numbers of slots (default: 16 64)",
    )
    parser.add_argument(
        "--trials", type=at_least_one, default=700, help="trials of a search (default: %(default)s)"
    )
    add_output(parser, Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    rows = [row for slots in args.slots for row in measure(slots, args.trials)]
    pd.DataFrame(rows).to_csv(args.output, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
