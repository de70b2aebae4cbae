"""Resuming a study: its configuration must fit, and failed trials may run again."""

from search.config.resuming import fixed_changes
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.study.event_log import read_events
from search.study.study import Study
from studies import format as files
from studies.events import TrialStarted
from studies.paths import StudyPath
from studies.wording import counted


def check_resumable(earlier: StudyConfig, config: StudyConfig, study: StudyPath) -> None:
    """Check that a study may be resumed with this configuration.

    Only limits and resources may change, see :func:`search.config.resuming.fixed_changes`, and
    the section ``final`` until a final training has started.

    Raises:
        UserError: another setting differs; the message names it.
    """
    changes = fixed_changes(earlier, config)
    final = [path for path in changes if path.startswith("final.")]
    if final and not final_has_started(study):
        changes = [path for path in changes if path not in final]
    if changes:
        raise UserError(
            f"{study} was started with another {', '.join(changes)}; a resumed study keeps its "
            "configuration: do not set that, or choose another --name"
        )


def final_has_started(study: StudyPath) -> bool:
    """Whether the study at this path has a final training.

    Raises:
        UserError: its events cannot be read.
    """
    try:
        starts = (event for event in read_events(study) if isinstance(event, TrialStarted))
        return any(event.stage == files.FINAL for event in starts)
    except (OSError, ValueError) as error:
        raise UserError(f"cannot resume {study}: {error}") from None


def restart_failed(study: Study) -> str:
    """Restart the failed trials of a study; return a line that names them.

    Trainings of a race that is decided stay as they are: of who was out, no model is left.

    Raises:
        OSError: the study cannot be written.
    """
    history = study.history
    failed = [
        trial
        for trial in history.failed_trials()
        if trial.stage != files.RACE or history.race(trial.T).leader
    ]
    for trial in failed:
        study.restart_trial(trial)
    if not failed:
        return "no trial has failed; there is nothing to run again"
    names = ", ".join(trial.id for trial in failed[:3])
    again = f"{counted(len(failed), 'failed trial')} {'runs' if len(failed) == 1 else 'run'} again"
    return f"{again}: {names}{', ...' * (len(failed) > 3)}"
