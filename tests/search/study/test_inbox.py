"""Requests that wait in a study until its search takes them."""

import json

import pytest
from stores import BUCKET, object_store
from upath import UPath

from search.study.inbox import Enqueue, NextT, StopTrial, leave, waiting

REQUESTS = [Enqueue(5, {"learning_rate": 1e-3, "gates": "refined"}), StopTrial("T5-0000"), NextT(5)]


@pytest.fixture(scope="module")
def store():
    with object_store():
        yield UPath(f"s3://{BUCKET}")


@pytest.fixture(params=["folder", "s3"])
def study(request, tmp_path):
    if request.param == "s3":
        return request.getfixturevalue("store") / tmp_path.name
    return tmp_path


def test_they_come_back_as_they_were_in_their_order(study):
    assert list(waiting(study)) == []
    for request in REQUESTS:
        leave(study, request)
    found = list(waiting(study))
    assert [request for _, request in found] == REQUESTS
    for path, _ in found:
        path.unlink()
    assert list(waiting(study)) == []


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", b'{"request": "delete"}', b'{"request": "next_T"}',
        b'{"request": "next_T", "T": "5"}', b'{"request": "stop_trial", "trial_id": 5}',
        b'{"request": "enqueue", "T": 5, "configuration": []}',
        json.dumps({"request": "next_T", "T": 5, "more": 1}).encode(), b"\xff",
    ],
)  # fmt: skip
def test_a_damaged_one_is_none(content, study):
    leave(study, NextT(5))
    ((path, _),) = waiting(study)
    path.write_bytes(content)
    assert list(waiting(study)) == [(path, None)]


def test_one_that_is_half_written_is_left_alone(tmp_path):
    leave(tmp_path, NextT(5))
    ((path, _),) = waiting(tmp_path)
    path.rename(path.with_name(f".{path.name}.partial"))
    assert list(waiting(tmp_path)) == []
