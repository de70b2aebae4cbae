"""What may change when a study is resumed."""

from search.config.study_config import StudyConfig
from search.errors import UserError
from search.study.event_log import read_events
from search.study.study import Study
from studies import format as files
from studies.paths import StudyPath

LIMITS = (
    "trials", "solved_trials", "patience", "budget_minutes", "max_failures", "stall_minutes",
    "final", "confirm_seeds", "tensorboard",
)  # fmt: skip
"""Keys of ``search`` that a resumed study may change: how much, but not what, is searched."""


def check_resumable(earlier: StudyConfig, config: StudyConfig, study: StudyPath) -> None:
    """A resumed study may get other limits or machines, and nothing else.

    Until a final training has begun, it may also get another section ``final``.

    Raises:
        UserError: something else differs.
    """
    old, new = (c.model_dump(mode="json") for c in (earlier, config))
    for values in (old, new):
        values.pop("resources")
        for name in LIMITS:
            values["search"].pop(name)
    if old["final"] != new["final"] and not final_has_begun(study):
        new["final"] = old["final"]
    changed = [
        f"{key}.{name}" if isinstance(old[key], dict) else key
        for key in old
        for name in (old[key] | new[key] if isinstance(old[key], dict) else [None])
        if (old[key].get(name) != new[key].get(name) if name else old[key] != new[key])
    ]
    if changed:
        raise UserError(
            f"{study} was begun with another {', '.join(changed)}; a resumed study keeps its "
            "configuration: leave that out, or choose another --name"
        )


def final_has_begun(study: StudyPath) -> bool:
    """Whether the study at this path has a final training.

    Raises:
        UserError: its events cannot be read.
    """
    try:
        events = list(read_events(study))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot resume {study}: {error}") from None
    return any(event.get("stage") == files.FINAL for event in events)


def restart_failed(study: Study) -> str:
    """Start the failed trials of a study again; returns a line that says which.

    Raises:
        OSError: the study cannot be written.
    """
    failed = study.history.failed_trials()
    for trial in failed:
        study.restart_trial(trial)
    if not failed:
        return "no trial has failed: there is none to run again"
    names = ", ".join(trial.id for trial in failed[:3])
    return f"{len(failed)} failed trials run again: {names}{', ...' * (len(failed) > 3)}"
