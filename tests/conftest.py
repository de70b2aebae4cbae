import os
import re
import signal
from pathlib import Path

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray's workers usually step back for every other process: on a busy machine they would starve.
os.environ.setdefault("RAY_worker_niceness", "0")
# There, workers and agents may take a minute to start, and Ray would give them up.
os.environ.setdefault("RAY_worker_register_timeout_seconds", "600")
os.environ.setdefault("RAY_agent_register_timeout_ms", "600000")
os.environ.setdefault("RAY_DASHBOARD_STARTUP_TIMEOUT_S", "600")
# Nor does it end workers when others use nearly all memory.
os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")

import pytest
import torch
from hypothesis import HealthCheck, settings
from searches import SMALL, end_all, searched_once

from search.cluster.ray_compat import LOOPBACK_ONLY, NO_SPARE_WORKERS, RAYLET_PID

# A shell starts what runs in its background deaf to Ctrl-C, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(1)

# How fast examples are drawn and checked depends on what else the machine does.
timeless = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", timeless, max_examples=3)
settings.register_profile("quick", timeless, max_examples=20)
settings.register_profile("thorough", timeless, max_examples=100)


def pytest_addoption(parser):
    parser.addoption(
        "--thorough", action="store_true",
        help="more examples of each property, searches killed at more moments, and tests marked so",
    )  # fmt: skip


def pytest_configure(config):
    if not config.getoption("hypothesis_profile"):
        settings.load_profile("thorough" if config.getoption("thorough") else "quick")


def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out and not config.getoption("thorough"):
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def thorough(request) -> bool:
    """Whether time does not matter."""
    return request.config.getoption("thorough")


NOT_MISSING = re.compile(r"CUDA|processor|x86-64|AMX|tiles|(gcc|clang)-\d")
"""Reasons to skip a test that nothing you install removes: hardware, and compilers beside the usual
one."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    return without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    return without_skip((yield))


def without_skip(report):
    """With NO_SKIPS=1, as in .ci/run, tests that would be skipped for a missing tool fail."""
    if report.skipped and os.environ.get("NO_SKIPS") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2]
        if not NOT_MISSING.search(reason):
            report.outcome, report.longrepr = "failed", f"{report.nodeid}: {reason}"
    return report


@pytest.fixture(autouse=True)
def _as_if_alone():
    """Undo what a test does to this process, and end what it has started."""
    torch.set_flush_denormal(False)
    yield
    for name in (LOOPBACK_ONLY, NO_SPARE_WORKERS, RAYLET_PID):  # set by a search that starts Ray
        os.environ.pop(name, None)
    end_all()


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Path:
    """The configuration of a search that takes seconds."""
    file = tmp_path_factory.mktemp("config") / "small.yaml"
    file.write_text(SMALL)
    return file


@pytest.fixture(scope="session")
def searched(small, tmp_path_factory) -> tuple[Path, str]:
    """A study that was searched with one worker and without any fault, and what was printed."""
    command = ["search.run", "--config", small, "--max-concurrent", 1]
    storage, out = searched_once(tmp_path_factory, "searched", *command)
    return storage / "gru-sequence", out
