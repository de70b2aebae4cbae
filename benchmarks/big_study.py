"""How long does it take to open, list, show and compare a study of 100,000 trials?

    python -m benchmarks.big_study
    python -m benchmarks.big_study --trials 20000 --T 1000

Writes what a killed search leaves: the events of its trials, half of them at
each of two T, of two, four or six iterations each, as ASHA stops them; the last
16 were running. Nothing is trained. Then measures, each in a process of its
own: opening the study until the first new configuration is known, ``--list``,
``--show``, its tables, and ``python -m analysis.compare``. ``busy_seconds`` is
processor time, which other programs on the machine hardly lengthen.

The memory of a trial is what a driver that opens the study has more of than
with 1,000 trials, divided by the trials beyond them; and what Python's objects
take more of after 300 further trials of a search without Ray, so without
Tune's own. The default size is written to big_study.csv. Reads /proc, so it
needs Linux.
"""

import argparse
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
from ray.tune.schedulers import TrialScheduler

from benchmarks.made_up_study import reports, write_study
from benchmarks.markdown import table
from search.decide.agenda import Agenda
from search.decide.schedulers import StudyScheduler, as_result
from search.execute.background_evaluator import BackgroundEvaluator, EvaluationThread
from search.study.listener import Listener
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import events
from studies import format as files
from studies.command_line import at_least_one

ROOT = Path(__file__).parent.parent
TRIALS = 100_000
FEW = 1000
"""Trials of the study to which the memory is compared."""

LENGTHS = (500, 1000)
LIVE = 300
"""Trials of the search that goes on."""

EVENTS = "size of events.jsonl"
OPEN = "open it, up to the first new configuration"
LIST = "`--list`"
SHOW = "`--show`"
TABLES = "write its tables"
COMPARE = "`python -m analysis.compare`"
OPENED = "resident memory, once the study is opened"
SEARCHED = "objects that a further trial leaves"
"""Rows of the tables."""


class Clock:
    """Counts from when it is made: seconds, and seconds of the processor for this process."""

    def __init__(self) -> None:
        self._began, self._used = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Both."""
        seconds, used = time.perf_counter() - self._began, time.process_time() - self._used
        return {"seconds": seconds, "busy_seconds": used}


def resident() -> float:
    """Resident memory of this process in bytes."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def opened(path: Path) -> Iterator[tuple[Study, Agenda]]:
    """A study and what it does next, as in a search that is resumed."""
    study = Study.open(path)
    with EvaluationThread() as thread:
        journal = OptunaJournal(study.appended_file(files.OPTUNA_FILE))
        agenda = Agenda(study, journal, BackgroundEvaluator(thread), Listener())
        agenda.begin()
        yield study, agenda
    study.close()


def open_study(path: Path) -> dict[str, float]:
    """Open a study up to its first new configuration: the bytes that this takes."""
    before, clock = resident(), Clock()
    with opened(path) as (study, agenda):
        scheduler = StudyScheduler(study)
        for trial in list(study.history.lengths[study.history.last].live.values()):
            scheduler.on_trial_add(None, SimpleNamespace(trial_id=trial.id))
        agenda.next_trial(list(study.history.trials))
        return clock.read() | {"bytes": resident() - before}


def write_tables(path: Path) -> dict[str, float]:
    """Write the tables of a study."""
    study = Study.open(path)
    clock = Clock()
    study.write()
    return clock.read()


def search_on(path: Path) -> dict[str, float]:
    """Search in a study without Ray: bytes that the driver keeps of a trial."""
    with opened(path) as (study, agenda):
        scheduler = StudyScheduler(study)
        for live in list(study.history.lengths[study.history.last].live.values()):
            scheduler.on_trial_add(None, SimpleNamespace(trial_id=live.id))
            study.cut_off(live)
        tracemalloc.start()
        kept = []
        for first in (0, LIVE):  # after the first ones, all that Optuna keeps is of this run
            more_trials(study, agenda, scheduler, range(first, first + LIVE))
            gc.collect()
            kept.append(tracemalloc.get_traced_memory()[0])
        return {"bytes": (kept[1] - kept[0]) / LIVE}


def more_trials(
    study: Study, agenda: Agenda, scheduler: StudyScheduler, numbers: Sequence[int]
) -> None:
    """Run further trials, one after the other."""
    chance = random.Random(numbers[0])
    for number in numbers:
        record = agenda.next_trial(())
        assert record
        trial = SimpleNamespace(trial_id=record.id)
        scheduler.on_trial_add(None, trial)
        for event in reports(record.id, record.training, number + 1, chance):
            if isinstance(event, events.Result):
                shown = as_result(event.metrics, "ladder_accuracy")
                decision = scheduler.on_trial_result(None, trial, shown)
                stopped = decision == TrialScheduler.STOP
                status = files.STOPPED_EARLY if stopped else event.status
                study.add_result(record.id, event.metrics, event.parameters, status)
            elif isinstance(event, events.TrialFailed):
                study.fail_trial(record.id, event.error)
            agenda.reported(record)
            if record.ended:
                break
        scheduler.on_trial_complete(None, trial, {})
        agenda.released(record)


PARTS: Mapping[str, Callable[[Path], dict[str, float]]] = {
    "open": open_study,
    "tables": write_tables,
    "search": search_on,
}
"""What is measured in a process of its own, by its name."""


def in_a_process(part: str, path: Path) -> dict[str, float]:
    """What a part measures."""
    command = [sys.executable, "-m", "benchmarks.big_study", "--part", part, str(path)]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(output.stdout))


def timed(*arguments: str) -> dict[str, float]:
    """Seconds of a whole command of Python."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT,
                               stdout=subprocess.DEVNULL)  # fmt: skip
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)} has failed")
    return {
        "seconds": time.perf_counter() - began,
        "busy_seconds": used.ru_utime + used.ru_stime,
    }


def measure(folder: Path, trials: int, lengths: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The rows of the table: what, its seconds and its bytes."""
    few, many = folder / "few" / "study", folder / "many" / "study"
    for path, number in ((few, FEW), (many, trials)):
        if not path.exists():
            path.parent.mkdir(parents=True)
            write_study(path, number, lengths)
    size = (many / files.EVENTS_FILE).stat().st_size
    yield {"what": EVENTS, "trials": trials, "bytes": size}
    little, much = in_a_process("open", few), in_a_process("open", many)
    yield {"what": OPEN, "trials": trials, **much}
    storage = ["--storage", str(many.parent)]
    yield {"what": LIST, "trials": trials, **timed("search.run", "--list", *storage)}
    yield {"what": SHOW, "trials": trials, **timed("search.run", "--show", "study", *storage)}
    yield {"what": TABLES, "trials": trials, **in_a_process("tables", many)}
    report = str(folder / "report")
    compare = timed("analysis.compare", str(many), "--output", report)
    yield {"what": COMPARE, "trials": trials, **compare}
    a_trial = (much["bytes"] - little["bytes"]) / (trials - FEW)
    yield {"what": OPENED, "trials": trials, "bytes": a_trial}
    for path, number in ((few, FEW), (many, trials)):
        yield {"what": SEARCHED, "trials": number, **in_a_process("search", path)}


def speed_table(rows: pd.DataFrame) -> str:
    """Seconds of what is done with the study, as a Markdown table."""
    timed = rows[rows["busy_seconds"].notna()]
    lines = [[row.what, f"{row.busy_seconds:.1f}"] for row in timed.itertuples()]
    return table(["", "seconds of the processor"], lines)


def memory_table(rows: pd.DataFrame) -> str:
    """What the driver keeps of a trial, as a Markdown table."""
    kept = rows[rows["what"].isin([OPENED, SEARCHED])]
    lines = [[row.what, f"{row.trials:,}", f"{row.bytes / 1e3:.1f}"] for row in kept.itertuples()]
    return table(["", "trials of the study", "kB a trial"], lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.big_study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--trials",
        type=at_least_one,
        default=TRIALS,
        help="trials of the study (default: %(default)s)",
    )
    parser.add_argument(
        "--T", type=at_least_one, nargs="+", default=LENGTHS, help="its lengths (default: 500 1000)"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        help="keep the studies in this folder, and measure those that are there already",
    )
    parser.add_argument("--part", nargs=2, metavar=("PART", "STUDY"), help="only measure this")
    args = parser.parse_args()
    if args.part:
        part, path = args.part
        print(json.dumps(PARTS[part](Path(path))))
        return
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        for row in measure(args.folder or Path(temporary), args.trials, args.T):
            rows.append(row)
            print(row, flush=True)
    columns = ["what", "trials", "seconds", "busy_seconds", "bytes"]
    frame = pd.DataFrame(rows, columns=columns).round(3)
    print(speed_table(frame), memory_table(frame), sep="\n\n")
    if args.trials == TRIALS:
        frame.to_csv(Path(__file__).with_suffix(".csv"), index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
