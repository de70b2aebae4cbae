"""Runs a search: studies, a cluster and a console together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial

from copytask import compiled_kernels
from copytask.engine import MISSING_KERNELS
from search.cluster.exit_message import ExitMessage
from search.cluster.head_watch import HeadWatch
from search.cluster.ray_cluster import Cluster
from search.cluster.shared_storage import check_storage
from search.cluster.slots import Slots
from search.config.study_config import StudyConfig
from search.console.advice import advice_at_chance
from search.console.commands import compare_command, resume_command
from search.console.display import Display, labels, view_of
from search.console.screen import Screen
from search.console.tables import doubts
from search.errors import ClusterLostError, SearchFailedError, StorageError, UserError
from search.execute.interrupts import Interrupts
from search.execute.outcome import Outcome, failure_of, one_line
from search.execute.output_capture import OutputCapture
from search.execute.requested_study import RequestedStudy
from search.execute.study_run import StudyRun
from search.execute.tuning import search_studies
from search.study.listener import Listeners
from search.study.loggers import make_loggers
from search.study.result_files import ResultFiles
from search.study.resuming import restart_failed
from search.study.study import Study
from search.study.warm_start import told
from studies.format import LOG_FILE, model_label
from studies.paths import StudyPath
from studies.wording import counted

CLUSTER_RESTARTS = 3
"""How often in one run a cluster that was started here is restarted after it has died."""

Shown = list[tuple[StudyRun, Display]]
"""The studies of a search, each with what prints it."""


def launch(
    requests: Sequence[RequestedStudy],
    address: str | None,
    command: str,
    *,
    retry_failed: bool,
    quiet: bool,
) -> Outcome:
    """Search until everything is done, or until the user ends it.

    Args:
        requests: the studies, one or several, with the same ``resources``.
        address: of a running Ray cluster; None starts one on this machine.
        command: resumes the search.
        retry_failed: run the failed trials of the studies again.
        quiet: print the results only.

    Raises:
        UserError: a study or the cluster cannot be used.
        SearchFailedError: the search cannot continue, for all studies.
        KeyboardInterrupt: the user ended it before it began.
    """
    first = requests[0]
    log = first.path / LOG_FILE
    interrupts = Interrupts()
    interrupts.install()
    with ExitMessage() as exit_message, OutputCapture() as output, ExitStack() as in_use:

        def taken(study: Study) -> Study:
            """Close it at the end; until trials run, studies share the time equally."""
            study.clock.run_at(1 / len(requests))
            return in_use.enter_context(closing(study))

        exit_message.set("failed: the search was killed, or crashed, while it started")
        earlier = {
            path: taken(Study.open(path, config.model, config.task))
            for path, config, exists in requests
            if exists
        }
        with Cluster(address, first.config.resources) as cluster:
            interrupts.install()
            if not cluster.started_here:
                check_storage(first.path.parent)
            # Only now: if the cluster cannot be used, nothing must be left behind.
            studies = [
                earlier.get(path) or taken(create(path, config)) for path, config, _ in requests
            ]
            with unexpected_errors_in_one_line(log, command):
                try:
                    output.move_to(studies[0].appended_file(LOG_FILE))
                except OSError as error:
                    raise StorageError(first.path, error) from None
                screen = Screen(output.console, partial(time_used, studies), quiet)
                shown = show(studies, screen)
                for request, (run, display) in zip(requests, shown, strict=True):
                    with run.guard:
                        if request.exists:
                            take_up(run.study, request.config, display, retry_failed)
                        if run.study is not studies[0]:
                            refer_to(log, run.study)
                exit_message.set(
                    f"failed: the search was killed, or crashed: see the end of {log}. "
                    f"Resume with: {command}"
                )
                introduce(shown, screen, cluster.slots)
                for request, (_, display) in zip(requests, shown, strict=True):
                    if request.config.search.warm and not request.exists:
                        display.say(told(request.config))
                watch = partial(HeadWatch, exit_message, command)
                interrupted = search(shown, screen, cluster, interrupts, watch)
                if interrupted:
                    screen.say(
                        "interrupted; the results so far are saved. Resume with:\n  " + command,
                        always=True,
                    )
                else:
                    conclude(shown, screen)
                return Outcome(interrupted, failures(shown, not interrupted, log, address))


def create(path: StudyPath, config: StudyConfig) -> Study:
    """A new study. Its precision is measured here if it is to be."""
    return Study.create(path, config.with_precision(config.measure_precision()))


def take_up(study: Study, config: StudyConfig, display: Display, retry_failed: bool) -> None:
    """Resume a study with this configuration; run its failed trials again if they are to."""
    if retry_failed:
        display.say(restart_failed(study))
    study.change_config(config)
    study.write()  # a search that was killed knew more than its files


def refer_to(log: StudyPath, study: Study) -> None:
    """Say in the log of a study where the output of its workers is."""
    with study.appended_file(LOG_FILE).open("a") as file:
        file.write(f"searched beside other studies: the output of Ray is in {log}\n")


def show(studies: Sequence[Study], screen: Screen) -> Shown:
    """What runs each study, and what prints it."""
    shown = []
    for study, label in zip(studies, labels(studies), strict=True):
        display = Display(study, screen, label)
        loggers = make_loggers(study, display.note)
        listeners = Listeners(ResultFiles(study), display, *loggers)
        shown.append((StudyRun(study, listeners), display))
    return shown


def time_used(studies: Sequence[Study]) -> float:
    """Seconds that studies have used, all together: the wall time of their searches."""
    return sum(study.elapsed() for study in studies)


def introduce(shown: Shown, screen: Screen, slots: Slots) -> None:
    """Say what is searched, and with how many trials at a time."""
    places = f", {counted(slots.total, 'trial')} at a time"
    if slots.gpu:
        places += f", {slots.gpu} of them on GPUs"
    if len(shown) > 1:
        screen.say(f"{len(shown)} studies{places}")
        places = ""
    for run, display in shown:
        display.slots_changed(slots.total)
        config = run.study.config
        precision = "|".join(config.possible_values("precision"))
        what = f"{model_label(config.model)} on {model_label(config.task)} in {precision}"
        screen.say(f"{what}{places} -> {run.study.path}")
    if compiled_kernels() is None:
        screen.say(MISSING_KERNELS)


def search(
    shown: Shown,
    screen: Screen,
    cluster: Cluster,
    interrupts: Interrupts,
    watch: Callable[[], HeadWatch],
) -> bool:
    """Search on a cluster; if it was started here and dies, resume on a new one.

    Args:
        watch: watches the head of the cluster that is connected now.

    Returns:
        Whether the user interrupted it.

    Raises:
        ClusterLostError: the cluster is gone for good.
    """
    runs = [run for run, _ in shown]
    try:
        with screen.live(view_of([display for _, display in shown])):
            for restarts_left in reversed(range(CLUSTER_RESTARTS + 1)):
                try:
                    with watch():
                        search_studies(runs, cluster, interrupts)
                        return False
                except ClusterLostError:
                    if not cluster.started_here or not restarts_left:
                        raise
                screen.say("Ray's processes have died; restarting them; trials resume")
                cluster.restart()
                interrupts.install()
    except KeyboardInterrupt:
        pass
    return True


def conclude(shown: Shown, screen: Screen) -> None:
    """Print the results of the studies that have some."""
    found = [(run, display) for run, display in shown if not run.guard.error]
    found = [(run, display) for run, display in found if run.study.history.best]
    for run, display in found:
        display.summary()
        for line in doubts(run.study.history):
            screen.say(line, always=True)
        for line in advice_at_chance(run.study.history):
            display.say(line)
    if found:
        screen.say(f"\ncompare: {compare_command(*(run.study.path for run, _ in found))}")


def failures(shown: Shown, finished: bool, log: StudyPath, address: str | None) -> list[str]:
    """Why studies have failed, in one line each; of several with the name of the study."""
    found = []
    for run, _ in shown:
        path, config = run.study.path, run.study.config
        reason = failure_of(run, finished, log, resume_command(path, config, address))
        if reason:
            found.append(f"{path.name}: {reason}" if len(shown) > 1 else reason)
    return found


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
        raise SearchFailedError(one_line(error, log, command)) from None
