"""cluster.yaml against Ray's own schema."""

from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parent.parent


@pytest.fixture
def cluster() -> dict:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text())


def test_it_is_valid(cluster):
    validate_config(prepare_config(cluster))


def test_the_schema_refuses_a_mistyped_key(cluster):
    cluster["max_worker"] = cluster.pop("max_workers")
    with pytest.raises(Exception, match="max_worker"):
        validate_config(cluster)


def test_workers_come_and_go(cluster):
    workers = {k: v for k, v in cluster["available_node_types"].items() if k != "head"}
    assert all(node["min_workers"] == 0 for node in workers.values())
    assert sum(node["max_workers"] for node in workers.values()) <= cluster["max_workers"]
