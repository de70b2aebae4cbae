"""Runs a search: a study, a cluster and a console together."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

from copytask import compiled_kernels
from copytask.engine import MISSING_KERNELS
from search.cluster.exit_message import ExitMessage
from search.cluster.head_watch import HeadWatch
from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import tune_error_message
from search.cluster.shared_storage import check_storage
from search.config.study_config import StudyConfig
from search.console.advice import advice_at_chance
from search.console.commands import compare_command, resume_command
from search.console.display import Display
from search.console.tables import doubts
from search.errors import ClusterLostError, SearchFailedError, StorageError, UserError
from search.execute.interrupts import Interrupts
from search.execute.output_capture import OutputCapture
from search.execute.tuning import search_study
from search.study.listener import Listeners
from search.study.result_files import ResultFiles
from search.study.resuming import restart_failed
from search.study.study import Study
from studies.format import LOG_FILE, model_label
from studies.paths import StudyPath

CLUSTER_RESTARTS = 3
"""How often in one run a cluster that was started here is restarted after it has died."""


def launch(
    path: StudyPath,
    config: StudyConfig,
    address: str | None,
    *,
    resume: bool,
    retry_failed: bool,
    quiet: bool,
) -> int:
    """Search until everything is done, or until the user ends it; returns the exit code.

    Args:
        path: the study's directory.
        address: of a running Ray cluster; None starts one on this machine.
        resume: resume the study that is there.
        retry_failed: run its failed trials again.
        quiet: print the result only.

    Raises:
        UserError: the study or the cluster cannot be used.
        SearchFailedError: the search has no result, or cannot continue.
        KeyboardInterrupt: the user ended it before it began.
    """
    command = resume_command(path, config, address)
    interrupts = Interrupts()
    interrupts.install()
    with ExitMessage() as exit_message, OutputCapture() as output:
        exit_message.set("failed: the search was killed, or crashed, while it started")
        watch = partial(HeadWatch, exit_message, command)
        study = Study.open(path, config.model, config.task) if resume else None
        with Cluster(address, config.resources) as cluster:
            interrupts.install()
            if not cluster.started_here:
                check_storage(path.parent)
            # Only now: if the cluster cannot be used, nothing must be left behind.
            study = study or Study.create(path, config.with_precision(config.measure_precision()))
            with unexpected_errors_in_one_line(path / LOG_FILE, command), closing(study):
                display = Display(study, output.console, quiet)
                try:
                    output.move_to(study.appended_file(LOG_FILE))
                    if retry_failed:
                        display.say(restart_failed(study))
                    if resume:
                        study.change_config(config)
                        study.write()  # a search that was killed knew more than its files
                except OSError as error:
                    raise StorageError(path, error) from None
                exit_message.set(
                    f"failed: the search was killed, or crashed: see the end of {path / LOG_FILE}. "
                    f"Resume with: {command}"
                )
                return search_and_report(study, cluster, display, interrupts, watch, command)


@contextmanager
def unexpected_errors_in_one_line(log: StudyPath, command: str) -> Iterator[None]:
    """Turn an unexpected exception into one line; its traceback goes to the log.

    Raises:
        SearchFailedError: there was one.
    """
    try:
        yield
    except (UserError, SearchFailedError):
        raise
    except (Exception, SystemExit) as error:
        traceback.print_exc()  # stderr is the log
        raise SearchFailedError(
            f"{tune_error_message(error)}. The traceback is at the end of {log}; "
            f"resume with: {command}"
        ) from None


def search_and_report(
    study: Study,
    cluster: Cluster,
    display: Display,
    interrupts: Interrupts,
    watch: Callable[[], HeadWatch],
    command: str,
) -> int:
    """Search and print the results; returns the exit code.

    Args:
        watch: watches the head of the cluster that is connected now.
        command: resumes the search.

    Raises:
        SearchFailedError: the search could not continue, or lacks a result.
    """
    config = study.config
    slots = cluster.slots
    display.slots_changed(slots.total)
    places = f"{slots.total} trials at a time"
    if slots.gpu:
        places += f", {slots.gpu} of them on GPUs"
    label, precision = model_label(config.model), "|".join(config.possible_values("precision"))
    display.say(f"{label} on {model_label(config.task)} in {precision}, {places} -> {study.path}")
    if compiled_kernels() is None:
        display.say(MISSING_KERNELS)
    try:
        with display:
            search_with_restarts(cluster, study, display, interrupts, watch)
    except KeyboardInterrupt:
        display.say(
            f"interrupted; the results so far are saved. Resume with:\n  {command}", always=True
        )
        return 130
    if study.history.best:
        display.summary()
        for line in doubts(study.history):
            display.say(line, always=True)
        for line in advice_at_chance(study.history):
            display.say(line)
        display.say(f"\ncompare: {compare_command(study.path)}")
    check_results(study)
    return 0


def search_with_restarts(
    cluster: Cluster,
    study: Study,
    display: Display,
    interrupts: Interrupts,
    watch: Callable[[], HeadWatch],
) -> None:
    """Search on a cluster; if it was started here and dies, resume on a new one."""
    listeners = Listeners(ResultFiles(study), display)
    for restarts_left in reversed(range(CLUSTER_RESTARTS + 1)):
        try:
            with watch():
                return search_study(study, cluster, listeners, interrupts)
        except ClusterLostError:
            if not cluster.started_here or not restarts_left:
                raise
        display.say("Ray's processes have died; restarting them; trials resume")
        cluster.restart()
        interrupts.install()


def check_results(study: Study) -> None:
    """Check that a finished search has results.

    Raises:
        SearchFailedError: there is no result at all, or every trial at a T failed.
    """
    if failed := [T for T in study.config.T if study.history.all_failed(T)]:
        last = study.history.lengths[failed[-1]].trials
        number = f"{len(last)} " if len(failed) == 1 else ""
        raise SearchFailedError(
            f"all {number}trials at T={', '.join(map(str, failed))} failed; the last error: "
            f"{last[-1].error}. --resume --retry-failed runs them again"
        )
    if not study.history.best:
        raise SearchFailedError(
            "no trial finished an iteration within the time limit; raise --budget-minutes"
        )
