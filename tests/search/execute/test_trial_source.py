"""Which places trials are handed out for."""

from types import SimpleNamespace

import pytest
from made_studies import make_config

from search.cluster.slots import Slots
from search.config.sections import ResourcesConfig
from search.execute.study_run import StudyRun
from search.execute.trial_source import TrialSource
from search.study.listener import Listener
from search.study.study import Study


@pytest.mark.parametrize(
    ("running", "slots", "expected"),
    [
        ([], Slots(2, 2), 1.0),
        ([1.0, 1.0], Slots(2, 2), 0.0),
        ([1.0, 1.0, 0.0, 0.0], Slots(2, 2), None),
        # Four wait for GPUs, and a host has brought other places than those: the limit holds.
        ([1.0] * 4, Slots(1, 3), None),
        ([1.0] * 3, Slots(1, 3), 0.0),
    ],
)
def test_a_slot_is_free_up_to_the_limit_gpus_first(tmp_path, running, slots, expected):
    config = make_config()
    resources = ResourcesConfig(gpus_per_trial=1, mixed=True)
    study = Study.create(tmp_path / "study", config.model_copy(update={"resources": resources}))
    run = StudyRun(study, Listener())
    source = TrialSource([run], SimpleNamespace(slots=slots))
    run.running = {f"T5-{n:04}": gpus for n, gpus in enumerate(running)}
    assert source._free_slot() == expected


def test_trials_with_the_same_needs_share_a_placement_which_names_excluded_hosts():
    cluster = SimpleNamespace(excluded_hosts=set())
    source = TrialSource([], cluster)
    first = source._placement(0.5, 0.0)
    assert source._placement(0.5, 0.0) is first
    assert first.bundles == [{"CPU": 0.5}]
    cluster.excluded_hosts.add("a1")
    other = source._placement(0.5, 0.0)
    assert other != first
    assert other._kwargs["bundle_label_selector"] == [{"ray.io/node-id": "!in(a1)"}]
