import os
import re
import signal

# Read by Ray and OpenMP when they start: one thread, as in a trial.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from searches import end_all

# A shell starts what runs in its background deaf to Ctrl-C, and processes inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

torch.set_num_threads(1)


NOT_MISSING = re.compile(r"CUDA|processor|x86-64|AMX|tiles|(gcc|clang)-\d|a Ray cluster runs")
"""Reasons to skip a test that no installation mends: hardware, what else runs beside it, and
compilers beside the usual one."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """With NO_SKIPS=1, as in .ci/run, a test that would be skipped for a missing tool fails."""
    report = yield
    if report.skipped and os.environ.get("NO_SKIPS") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2]
        if not NOT_MISSING.search(reason):
            report.outcome, report.longrepr = "failed", f"{item.nodeid}: {reason}"
    return report


@pytest.fixture(autouse=True)
def _as_if_alone():
    """Undo what a trainer of another test did to this process, and end what a test has started."""
    torch.set_flush_denormal(False)
    yield
    end_all()
