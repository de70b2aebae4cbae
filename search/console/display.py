"""What a running search prints of a study: a live view on a terminal, plain lines into a pipe."""

import math
from collections.abc import Sequence

from search.console.formats import (
    clock,
    describe,
    end_reason,
    millions,
    number,
    race_outcome,
)
from search.console.how_far import how_far
from search.console.live_view import LiveView
from search.console.screen import Screen
from search.console.search_more import search_more
from search.console.studies_view import StudiesView
from search.console.tables import best_table, confirmed, confirmed_table
from search.study.limits import most_trials
from search.study.listener import Listener, Progress
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files
from studies.format import model_label
from studies.seed_statistics import BEST_OF_MANY
from studies.wording import counted


class Display(Listener):
    """Shows a study during its search.

    A terminal shows overall progress with the time left, the running trials, the best so far at
    each T, and the trials that were stopped; of several studies a line each. A pipe gets one line
    for each trial that ends and each T that is done.

    Args:
        label: what its lines begin with, where several studies have lines.

    Attributes:
        view: what the terminal shows.
    """

    def __init__(self, study: Study, screen: Screen, label: str = ""):
        self.view = LiveView(study.history)
        self._study = study
        self._history = study.history
        self._screen = screen
        self._label = label and f"{label} "

    def say(self, message: str) -> None:
        """Print a line of the study."""
        self._screen.say(f"{self._label}{message}")

    def note(self, message: str, whole: bool = True) -> None:
        """Print a line of the study, with the time; if it need not be whole, in 80 columns."""
        self._screen.note(f"{self._label}{message}", whole=whole)

    def length_began(self, T: int, seconds: float) -> None:
        """Say which T is searched now, and for how long at most."""
        self.view.doing = f"T={T}"
        self.view.running.clear()  # trials that were cut off with the T before
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        beyond = "" if T in self._study.config.T else f"T={T // 2} is solved, on to "
        trials = counted(most_trials(self._study.history), "trial")
        self.note(f"{beyond}T={T}: {trials}{limit}")

    def nothing_left(self) -> None:
        """Say which limits to raise to continue; of several studies, --show says it."""
        if self._label:
            return self.say("nothing to do")
        self.say("nothing to do; to continue:")
        for what, command in search_more(self._history, self._study.path):
            self.say(f"{what}:\n  {command}")

    def racing_began(self, seconds: float) -> None:
        """Say who races now, and for how long at most."""
        search = self._study.config.search
        self.view.running.clear()
        self.view.doing = "racing"
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        self.note(f"racing: the best at each T train with {search.race_seeds} fresh seeds{limit}")

    def race_ended(self, T: int) -> None:
        """Say who has won the race at T, and with how many seeds."""
        self.note(f"T={T}: {race_outcome(self._history, T)}")

    def trainings_began(self) -> None:
        """Say what follows the search at all T."""
        search = self._study.config.search
        self.view.running.clear()
        again = any(length.live for length in self._history.lengths.values())
        parts = ["failed trials again"] * again + ["final training"] * search.final
        parts += [f"confirmation with {search.confirm_seeds} seeds"] * bool(search.confirm_seeds)
        self.view.doing = " and ".join(parts) or "interrupted trainings"
        self.note(f"{self.view.doing} at each T")

    def length_ended(self, T: int) -> None:
        """Say why the search at T is over if it has no result; else :meth:`best_changed` does."""
        if self._history.winner(T) is None:
            self.best_changed(T)

    def best_changed(self, T: int) -> None:
        """Say why the search at T is over, and the test result of its best trial."""
        best = self._history.best.get(T)
        result = (
            f"test {best.accuracy:.4f} "
            f"[{best.accuracy_low:.4f}, {best.accuracy_high:.4f}] by {best.trial_id}"
            if best
            else "no result"
        )
        self.note(f"T={T}: {result}; {end_reason(self._history, T)}")

    def trial_started(self, trial: TrialRecord) -> None:
        """Show the trial among the running ones."""
        if trial.id not in self.view.running:
            self.view.running.append(trial.id)

    def trial_ended(self, trial: TrialRecord) -> None:
        """Say how the trial ended; one more line if it is a final training that did not solve T."""
        self._stops_running(trial)
        if trial.status == files.INTERRUPTED:  # cut off with the search at its T
            return
        outcome = trial.error or (
            f"accuracy {number(trial.validation_accuracy)} {millions(trial.tokens)} "
            f"{describe(self._history, trial)}"
        )
        self.note(f"{trial.id} {trial.status:13} {outcome}", whole=not trial.error)
        if trial.stage == files.FINAL and not trial.solved:
            best = self._history.winner(trial.T)
            stays = f"; {best.id} stays the best" if best else ""
            self.note(f"T={trial.T}: {trial.id} has not solved it{stays}")

    def trial_retried(self, trial: TrialRecord, reason: str) -> None:
        """Say where the trial resumes, and why."""
        self._stops_running(trial)
        self.note(f"{trial.id} resumes from iteration {len(trial.curve)}: {reason}", whole=False)

    def _stops_running(self, trial: TrialRecord) -> None:
        if trial.id in self.view.running:
            self.view.running.remove(trial.id)

    def slots_changed(self, slots: int) -> None:
        """Show the number of slots beside the number of running trials."""
        self.view.slots = slots

    def progressed(self, progress: Progress) -> None:
        """Show the progress at the top, and all else as it is now."""
        self.view.progress = progress
        self._screen.redraw_if_due()

    def run_ended(self) -> None:
        """Show what is left: the search may now wait for tests, and draw nothing meanwhile."""
        self._screen.redraw()

    def summary(self) -> None:
        """Print the best trial of each T, and the results of its configuration with fresh seeds."""
        self._screen.say("")
        whose = f" ({self._label.strip()})" if self._label else ""
        self._screen.show(best_table(self._history, f"Best trial of each T{whose}"))
        if lines := how_far(self._history):
            self._screen.say("\n".join(["", *lines]), always=True)
        if summaries := confirmed(self._history):
            self._screen.show("", confirmed_table(summaries), "", BEST_OF_MANY)


def view_of(displays: Sequence[Display]) -> LiveView | StudiesView:
    """What a terminal shows of a search: the study, or of several studies a line each."""
    views = [display.view for display in displays]
    return StudiesView(views) if len(views) > 1 else views[0]


def labels(studies: Sequence[Study]) -> list[str]:
    """What the lines of each study begin with; nothing if there is only one."""
    names = [model_label(study.config.model) for study in studies]
    return [name.ljust(max(map(len, names))) for name in names] if len(names) > 1 else [""]
