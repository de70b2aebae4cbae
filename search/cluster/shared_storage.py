"""Checks that every host of a cluster can use the study's storage, before the first trial runs."""

import uuid
from contextlib import suppress

import ray
from ray.exceptions import GetTimeoutError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
from upath import UPath

from copytask.error_lines import reason_line
from search.cluster.ray_cluster import host_name
from search.errors import UserError
from search.storage.store import check_writable, with_retries, write_bytes
from studies.paths import StudyPath, is_object_store

ANSWER_SECONDS = 300.0
"""Seconds within which each host must answer; a busy one may take minutes to start a worker."""


def check_storage(storage: StudyPath) -> None:
    """Check that each host that could run a trial sees ``storage`` and can write to it.

    Raises:
        UserError: one cannot; the message names the host and says what to do.
    """
    here = ray.get_runtime_context().get_node_id()
    nodes = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU")]
    if [node["NodeID"] for node in nodes] == [here]:
        return
    storage = storage.absolute()
    token = storage / f".shared-{uuid.uuid4().hex}"
    try:
        if not is_object_store(storage):
            storage.mkdir(parents=True, exist_ok=True)
        write_bytes(token, b"")
    except OSError as error:
        raise UserError(f"--storage {storage} cannot be written: {reason_line(error)}") from None
    try:
        answers = [
            ray.remote(_find_fault)
            .options(
                num_cpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], False),
            )
            .remote(str(token))
            for node in nodes
        ]
        for node, answer in zip(nodes, answers, strict=True):
            try:
                fault = ray.get(answer, timeout=ANSWER_SECONDS)
            except GetTimeoutError:
                fault = f"does not answer within {ANSWER_SECONDS:g} s"
            except Exception as error:
                fault = f"cannot run trials: {last_line(error)}"
            if fault:
                raise UserError(f"{host_name(node)} {fault}")
    finally:
        with suppress(Exception):
            with_retries(token.unlink, token)


def last_line(error: BaseException) -> str:
    """The message of an error of a task on Ray, below its traceback; its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()


def _find_fault(token: str) -> str:
    """Runs on a host: say what keeps it from using the storage; empty if nothing does."""
    path = UPath(token)
    try:
        if not path.exists():
            return (
                f"does not see --storage {path.parent}: use a folder that all hosts share, or "
                "s3://bucket/prefix"
            )
        check_writable(path.parent)
    except Exception as error:
        return f"cannot write to --storage {path.parent}: {reason_line(error)}"
    return ""
