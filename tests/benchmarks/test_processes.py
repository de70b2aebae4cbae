import os

import pytest

from benchmarks.processes import results


@pytest.mark.parametrize("processes", [1, 2])
def test_each_result_comes_with_the_place_of_its_job(processes):
    assert dict(results(int, [("4",), ("6",), ("8",)], processes)) == {0: 4, 1: 6, 2: 8}
    here = {pid == os.getpid() for _, pid in results(os.getpid, [(), ()], processes)}
    assert here == {processes == 1}


def test_an_error_is_raised_and_ends_it():
    with pytest.raises(ValueError, match="invalid literal"):
        list(results(int, [("one",), *[("1",)] * 1000], 2))
