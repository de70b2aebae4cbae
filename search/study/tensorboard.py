"""The trials of a study as event files for TensorBoard: curves and hyperparameters."""

import time
from collections.abc import Iterable
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.api_pb2 import Status
from tensorboardX.proto.event_pb2 import Event, SessionLog
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.summary import hparams

from search.config.conditions import SearchSpace
from search.storage.store import remove_tree
from search.study.records import TrialRecord

TAGS = {
    "validation_accuracy": "accuracy/at_T",
    "ladder_accuracy": "accuracy/ladder",
    "exact_match": "accuracy/exact_match",
    "training_loss": "loss/training",
    "validation_loss": "loss/validation",
    "recalled_bits": "recalled_bits",
    "learning_rate": "training/learning_rate",
    "max_length": "training/max_length",
}
"""Column of progress.csv -> the scalar's tag. The step is in tokens."""

METRICS = ("accuracy/at_T", "accuracy/ladder")
"""Shown in the table of hyperparameters."""

FIXED = ("model", "T", "seed")
"""Shown there beside the hyperparameters that are searched."""


def replace_event_files(folder: Path, space: SearchSpace) -> "EventFiles":
    """Begin the event files of a study anew.

    Event files can only be appended to, and one that a killed process left may end in half a
    record, or lack a point that the study has. So each process that searches rewrites them from
    the study, which also completes a study that began without them.

    Args:
        folder: of all runs; what is in it is removed.
        space: the hyperparameters that are searched.
    """
    remove_tree(folder)
    return EventFiles(folder, space)


class EventFiles:
    """Writes what trials have reported; each is a run of TensorBoard with the trial's name.

    Args:
        folder, space: as of :func:`replace_event_files`; the folder is empty or missing.
    """

    def __init__(self, folder: Path, space: SearchSpace):
        self._folder = folder
        self._space = space
        self._open: dict[str, _Run] = {}
        self._done: set[str] = set()

    def write(self, trials: Iterable[TrialRecord]) -> None:
        """Append what has been reported since the last call.

        Raises:
            OSError: a file cannot be written.
        """
        for trial in trials:
            if trial.id in self._done or not trial.curve:
                continue
            if trial.id not in self._open:
                values = trial.hyperparameters
                shown = {name: values[name] for name in FIXED} | self._space.searched(values)
                self._open[trial.id] = _begin_run(self._folder / trial.id, shown)
            self._open[trial.id].write(trial)
            if trial.ended:
                self._open.pop(trial.id).close()
                self._done.add(trial.id)

    def close(self) -> None:
        """Close the files of the trials that have not ended."""
        for run in self._open.values():
            run.close()
        self._open.clear()


class _Run:
    """The event file of one trial."""

    def __init__(self, file: EventsWriter):
        self._file = file
        self._written = 0
        self._began = time.time()

    def write(self, trial: TrialRecord) -> None:
        for point in trial.curve[self._written :]:
            values = [
                Summary.Value(tag=tag, simple_value=getattr(point, name))
                for name, tag in TAGS.items()
            ]
            event = Event(summary=Summary(value=values), step=point.tokens)
            # So that TensorBoard's relative time is that of the training.
            self.add(event, seconds=point.seconds)
        if trial.ended:
            self.add(Event(summary=_session_end(trial.failed)))
        if trial.ended or self._written < len(trial.curve):
            self._written = len(trial.curve)
            self._file.flush()

    def close(self) -> None:
        self._file.close()

    def add(self, event: Event, seconds: float = 0.0) -> None:
        event.wall_time = self._began + seconds
        self._file.write_event(event)


def _begin_run(folder: Path, hyperparameters: dict[str, object]) -> _Run:
    folder.mkdir(parents=True)
    run = _Run(EventsWriter(str(folder / "events")))
    # A TensorBoard that has read an earlier file of this run forgets it.
    run.add(Event(session_log=SessionLog(status=SessionLog.START)))
    experiment, start, _ = hparams(hyperparameters, dict.fromkeys(METRICS))
    run.add(Event(summary=experiment))
    run.add(Event(summary=start))
    return run


def _session_end(failed: bool) -> Summary:
    """What tells the table of hyperparameters that a trial is over."""
    status = Status.Value("STATUS_FAILURE" if failed else "STATUS_SUCCESS")
    content = HParamsPluginData(session_end_info=SessionEndInfo(status=status))
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
    value = Summary.Value(
        tag="_hparams_/session_end_info", metadata=SummaryMetadata(plugin_data=plugin)
    )
    return Summary(value=[value])
