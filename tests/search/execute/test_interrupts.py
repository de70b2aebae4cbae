import subprocess
import sys

import pytest

SCRIPT = """
import os, signal
from search.execute.interrupts import Interrupts

interrupts = Interrupts()
interrupts.install()
try:
    with interrupts.tuning():
        for number in ({signals}):
            os.kill(os.getpid(), number)
        print("Tune ends", flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("first", ["signal.SIGINT", "signal.SIGTERM"])
@pytest.mark.parametrize("second", ["", "signal.SIGINT"])
def test_a_signal_before_tune_has_handlers_of_its_own_ends_the_search(first, second):
    """Sent on as SIGUSR1, it would kill the process while Tune starts."""
    command = [sys.executable, "-c", SCRIPT.format(signals=f"{first}, {second}")]
    done = subprocess.run(command, capture_output=True, text=True)
    expected = "interrupted\n" if second else "Tune ends\ninterrupted\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, expected, "")
