import os
import subprocess
import sys

import pytest

from benchmarks.processes import results
from copytask import MALLOC_ENVIRONMENT


@pytest.mark.parametrize("processes", [1, 2])
def test_each_result_comes_with_the_place_of_its_job(processes):
    assert dict(results(int, [("4",), ("6",), ("8",)], processes)) == {0: 4, 1: 6, 2: 8}
    here = {pid == os.getpid() for _, pid in results(os.getpid, [(), ()], processes)}
    assert here == {processes == 1}


def test_an_error_is_raised_and_ends_it():
    with pytest.raises(ValueError, match="invalid literal"):
        list(results(int, [("one",), *[("1",)] * 1000], 2))


def test_a_measurement_gets_the_memory_settings_of_a_worker_and_keeps_its_arguments():
    code = (
        "from benchmarks.processes import be_like_a_worker; be_like_a_worker()\n"
        "import os, sys; print(os.environ['MALLOC_MMAP_MAX_'], sys.argv[1:])"
    )
    environment = {k: v for k, v in os.environ.items() if k not in MALLOC_ENVIRONMENT}
    command = [sys.executable, "-c", code, "--rounds", "2"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == "0 ['--rounds', '2']\n"
