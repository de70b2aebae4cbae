"""Wait until the hosts of a cluster have joined it, and tell of those that have not why.

    python -m search.nodes                          on the head of a cluster of your own hosts
    python -m search.nodes --expect 3 --within 300  elsewhere, where only their number is known

Exit codes: 0 all are there, 1 not in time, 2 no cluster, or nothing to expect.
"""

import platform
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import ray
import yaml

from search.cluster.ray_cluster import JoinError, check_reachable, join
from search.errors import UserError
from studies.command_line import Parser

CLUSTER_FILE = Path("~/ray_bootstrap_config.yaml")
"""The cluster file, as `ray up` leaves it on the head."""

SETUP_LOG = "/tmp/ray/session_latest/logs/monitor.out"
"""On the head: what it ran on the workers to set them up, and what came of it."""

POLL_SECONDS = 1.0

VERSIONS = (
    "import platform, ray; print(f'Python {platform.python_version()}, Ray {ray.__version__}')"
)


class Hosts(NamedTuple):
    """The hosts of a cluster file, and how the head logs in to them.

    Attributes:
        addresses: by the name that the file has for the host; the head comes first.
    """

    addresses: dict[str, str]
    user: str
    key: str


def read_hosts(file: Path) -> Hosts | None:
    """The hosts that a cluster file lists; None if it lists none, since a cloud brings them.

    Raises:
        UserError: a host's name cannot be resolved.
    """
    file = file.expanduser()
    if not file.exists():
        return None
    cluster = yaml.safe_load(file.read_text())
    provider, auth = cluster["provider"], cluster["auth"]
    if provider["type"] != "local":
        return None
    addresses = {}
    for name in (provider["head_ip"], *provider["worker_ips"]):
        try:
            addresses[name] = socket.gethostbyname(name)
        except OSError as error:
            raise UserError(f"host {name} of {file}: {error.strerror or error}") from None
    return Hosts(addresses, auth["ssh_user"], auth["ssh_private_key"])


def wait_for(expected: int, addresses: set[str], seconds: float) -> set[str]:
    """Print a line for each node that comes or goes until all are there, or time is over.

    Args:
        expected: how many nodes there must be.
        addresses: those that must be among them.

    Returns:
        The addresses of the nodes that are there.
    """
    deadline = time.monotonic() + seconds
    joined: set[str] = set()
    while True:
        alive = {node["NodeManagerAddress"]: node for node in ray.nodes() if node["Alive"]}
        for address in sorted(alive.keys() - joined):
            print(describe(alive[address]), flush=True)
        for address in sorted(joined - alive.keys()):
            print(f"{address} is gone", flush=True)
        joined = set(alive)
        complete = addresses <= joined and len(joined) >= expected
        if complete or time.monotonic() > deadline:
            return joined
        time.sleep(POLL_SECONDS)


def describe(node: dict[str, Any]) -> str:
    """A line on a node: address, name and what it brings."""
    cpus, gpus = (node["Resources"].get(kind, 0) for kind in ("CPU", "GPU"))
    name = f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})"
    return f"{name} is there: {cpus:g} CPUs, {gpus:g} GPUs"


def diagnose(address: str, hosts: Hosts, head: str) -> str:
    """Why a host has not joined.

    Args:
        address: of the host.
        head: HOST:PORT that its Ray has to reach.
    """
    code, out, err = run_there(address, hosts, f"python -c {shlex.quote(VERSIONS)}")
    if code == 255:
        return err or "ssh fails"
    here = f"Python {platform.python_version()}, Ray {ray.__version__}"
    if code != 0:
        return f"the setup commands have not installed Ray there (yet): {err}"
    if out != here:
        return f"it has {out}; the head has {here}"
    host, _, port = head.rpartition(":")
    code, _, err = run_there(address, hosts, f"timeout 5 bash -c '</dev/tcp/{host}/{port}'")
    if code != 0:
        return f"it does not reach port {port} of {host}: {err or 'no answer; a firewall?'}"
    return f"Ray is installed there and has not started (yet); see {SETUP_LOG} on the head"


def run_there(address: str, hosts: Hosts, command: str) -> tuple[int, str, str]:
    """Run a command on a host as the launcher does: exit code (255: no ssh) and last lines."""
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null",
               "ConnectTimeout=10", "LogLevel=ERROR")  # fmt: skip
    done = subprocess.run(
        [
            "ssh", *(part for option in options for part in ("-o", option)),
            "-i", str(Path(hosts.key).expanduser()), f"{hosts.user}@{address}",
            f"bash --login -i -c {shlex.quote(f'source ~/.bashrc; {command}')}",
        ],
        capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    out, err = ((text.strip().splitlines() or [""])[-1] for text in (done.stdout, done.stderr))
    return done.returncode, out, err


def connect(address: str) -> str:
    """Join the cluster; returns the HOST:PORT of its head.

    Raises:
        UserError: there is none, or it wants a token.
    """
    check_reachable(address)
    try:
        join(address=address)
    except JoinError as error:
        raise UserError(f"--address {address}: {error}") from None
    return str(ray.get_runtime_context().gcs_address)


def make_parser() -> Parser:
    """The command line of ``python -m search.nodes``."""
    parser = Parser("copytask-nodes", prog="python -m search.nodes", description=__doc__)
    parser.add_argument(
        "--expect", type=int, metavar="N",
        help="nodes, head included (default: the hosts of the file that `ray up` was given)",
    )  # fmt: skip
    parser.add_argument(
        "--within", type=float, default=300, metavar="SECONDS", help="how long to wait (300)"
    )
    parser.add_argument("--address", default="auto", metavar="HOST:PORT", help="of the cluster")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    args = make_parser().parse_args(arguments)
    try:
        hosts = read_hosts(CLUSTER_FILE) if args.expect is None else None
        if args.expect is None and hosts is None:
            raise UserError(f"--expect N is needed: {CLUSTER_FILE} lists no hosts")
        head = connect(args.address)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    addresses = hosts.addresses if hosts else {}
    expected = args.expect or len(addresses)
    joined = wait_for(expected, set(addresses.values()), args.within)
    missing = {name: address for name, address in addresses.items() if address not in joined}
    for name, address in missing.items():
        reason = diagnose(address, hosts, head) if hosts else ""
        print(f"failed: {name} has not joined: {reason}", file=sys.stderr)
    if not missing and len(joined) < expected:
        print(f"failed: {len(joined)} of {expected} nodes after {args.within:g} s", file=sys.stderr)
    return 1 if len(joined) < expected or missing else 0


if __name__ == "__main__":
    sys.exit(main())
