"""The checkpoints of all trials of a study: where they are, and which are still needed."""

from collections.abc import Set

from copytask.training.checkpoint import copy_checkpoint
from search.errors import SearchFailedError
from search.storage.lock import Lock
from search.storage.store import children, remove_tree, with_retries
from search.study.checkpoints import (
    best_readable,
    checkpoint_path,
    is_readable,
    saved_iterations,
)
from search.study.history import History
from search.study.race import Race
from search.study.records import TrialRecord
from studies import format as files
from studies.paths import StudyPath


class StudyCheckpoints:
    """Finds and removes the checkpoints of a study's trials.

    Args:
        path: the study's directory.
        lock: must be held to remove any.
    """

    def __init__(self, path: StudyPath, history: History, lock: Lock):
        self._path = path
        self._history = history
        self._lock = lock

    def folder(self, trial: TrialRecord) -> StudyPath:
        """Where a trial's worker keeps its checkpoints."""
        return self._length_folder(trial.T) / trial.id

    def best(self, trial: TrialRecord) -> StudyPath:
        """The checkpoint of a trial's best evaluation among those that can be read.

        Raises:
            SearchFailedError: none can be read.
        """
        folder = self.folder(trial)
        iterations = trial.curve.column("iteration")
        accuracies = dict(zip(iterations, trial.curve.column("validation_accuracy"), strict=True))
        found = best_readable(folder, accuracies)
        tested = self._history.best.get(trial.T)
        if found is None and tested and tested.trial_id == trial.id:
            kept: StudyPath = self._path / tested.checkpoint
            found = kept if is_readable(kept) else None
        if found is None:
            raise SearchFailedError(
                f"{trial.id} cannot be tested: no intact checkpoint of it is left in {folder}"
            )
        return found

    def keep(self, checkpoint: StudyPath, T: int) -> str:
        """Copy the checkpoint of the best trial at T to the study's results.

        Returns:
            its folder, relative to the study.

        Raises:
            OSError: it cannot be written.
        """
        kept = f"{files.CHECKPOINTS_FOLDER}/T={T}"
        folder = self._path / kept
        if checkpoint != folder:
            with_retries(lambda: copy_checkpoint(checkpoint, folder), self._path)
            for path in children(folder):
                if path.suffix == ".partial":  # left by a search that was killed while it copied
                    path.unlink()
        return kept

    def put_back(self, T: int) -> None:
        """Copy the model in the study's results at T to its trial's own folder again.

        To be called before another model is to take its place. While a race is undecided, the
        trial may win again, and that is the only copy of its model.

        Raises:
            OSError: it cannot be written.
        """
        tested = self._history.best.get(T)
        if tested is None or self._history.race(T).leader is None:
            return
        trial = self._history.trials[tested.trial_id]
        kept, folder = self._path / tested.checkpoint, self.folder(trial)
        if not saved_iterations(folder) and is_readable(kept):
            own = checkpoint_path(folder, trial.curve[-1].iteration)
            with_retries(lambda: copy_checkpoint(kept, own), self._path)

    def remove(self, trial: TrialRecord) -> None:
        """Remove all checkpoints of a trial."""
        remove_tree(self.folder(trial))

    def remove_unneeded(self, T: int, testing: Set[str] = frozenset()) -> None:
        """Remove the checkpoints at T that nothing needs any more.

        A trial that has not ended keeps its checkpoints. While T is searched, the best trial that
        has ended keeps them too: it becomes the best again if a live trial that is ahead fails or
        trains on without a gain. So do the candidates until their race is decided. After that the
        winner and each confirmation keep them until they were tested; the winner's model is then
        in the folder of the study's results.

        Args:
            testing: trials that are being tested.

        Raises:
            LockLostError: another search has taken over the study.
        """
        self._lock.check()
        history = self._history
        folder, length = self._length_folder(T), history.lengths[T]
        kept = {*testing, *length.live, *(trial.id for trial in length.unfinished())}
        kept |= {trial.id for trial in length.confirmations if not trial.tested}
        ended = [trial for trial in history.ranked(T) if trial.ended]
        solvers = [trial for trial in ended if trial.solved]
        race = Race(ended, solvers, length.races, history.config.search)
        if race.leader:
            kept |= {candidate.trial.id for candidate in race.candidates}
        best = history.winner(T) if history.is_over(T) else race.winner
        tested = history.best.get(T)
        if best and (tested is None or tested.trial_id != best.id):
            kept.add(best.id)
        for path in children(folder):
            if path.name not in kept:
                remove_tree(path)
        if not kept:
            remove_tree(folder)

    def _length_folder(self, T: int) -> StudyPath:
        return self._path.absolute() / files.RAY_FOLDER / f"T={T}"
