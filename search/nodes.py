"""Wait until all hosts of a Ray cluster have joined, and say why a host has not.

    python -m search.nodes              on the head of your own hosts
    python -m search.nodes --expect 3   on any other cluster: wait for 3 nodes

Exit codes: 0 all nodes have joined, 1 some have not joined in time, 2 there is
no cluster, or the number of nodes is unknown, 130 interrupted.
"""

import platform
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import ray

from copytask.error_lines import reason_line
from search.cluster.ray_cluster import JoinError, check_reachable, join
from search.config.reading import read_yaml
from search.errors import UserError
from studies.command_line import Parser, above_zero, at_least_one

CLUSTER_FILE = Path("~/ray_bootstrap_config.yaml")
"""The cluster file, where `ray up` leaves it on the head."""

SETUP_LOG = "/tmp/ray/session_latest/logs/monitor.out"
"""A log on the head: the set-up commands that it ran on the workers, and their output."""

POLL_SECONDS = 1.0
"""Seconds between two looks at the nodes."""

SSH_SECONDS = 60
"""Seconds in which a host must have answered a question over ssh."""

VERSIONS = (
    "import platform, ray; print(f'Python {platform.python_version()}, Ray {ray.__version__}')"
)
"""Python code that prints the versions on a host."""


class Hosts(NamedTuple):
    """The hosts in a cluster file, and how the head logs in to them.

    Attributes:
        addresses: name of each host in the file -> its IP address; the head comes first.
        user: user name for ssh.
        key: file of the private key for ssh.
    """

    addresses: dict[str, str]
    user: str
    key: str


def read_hosts(file: Path) -> Hosts | None:
    """Read the hosts from a cluster file; None if it lists none because a cloud provides them.

    Raises:
        UserError: the file cannot be used, or the name of a host cannot be resolved.
    """
    file = file.expanduser()
    if not file.exists():
        return None
    cluster = read_yaml(file)
    if value_at(cluster, "provider.type", file) != "local":
        return None
    head, workers, user, key = (
        value_at(cluster, path, file)
        for path in (
            "provider.head_ip", "provider.worker_ips", "auth.ssh_user", "auth.ssh_private_key"
        )
    )  # fmt: skip
    addresses = {}
    for name in (head, *workers):
        try:
            addresses[name] = socket.gethostbyname(name)
        except (OSError, UnicodeError) as error:
            raise UserError(f"host {name} of {file}: {reason_line(error)}") from None
    return Hosts(addresses, user, key)


def value_at(cluster: dict[str, Any], path: str, file: Path) -> Any:
    """A value of a cluster file.

    Args:
        path: its section and its key, with a dot between them.

    Raises:
        UserError: there is none.
    """
    section, key = path.split(".")
    try:
        value = cluster[section][key]
    except (KeyError, TypeError):
        value = None
    if value is None:
        raise UserError(f"{file}: the key {path} is missing; complete the file, or add --expect N")
    return value


def wait_for(expected: int, addresses: set[str], seconds: float) -> set[str]:
    """Print a line for each node that joins or leaves, until all have joined or time is up.

    Args:
        expected: number of nodes to wait for.
        addresses: addresses that must be among them.
        seconds: how long to wait.

    Returns:
        The addresses of the nodes that have joined.
    """
    deadline = time.monotonic() + seconds
    joined: set[str] = set()
    while True:
        alive = {node["NodeManagerAddress"]: node for node in ray.nodes() if node["Alive"]}
        for address in sorted(alive.keys() - joined):
            print(describe(alive[address]), flush=True)
        for address in sorted(joined - alive.keys()):
            print(f"{address} has left", flush=True)
        joined = set(alive)
        complete = addresses <= joined and len(joined) >= expected
        if complete or time.monotonic() > deadline:
            return joined
        time.sleep(POLL_SECONDS)


def describe(node: dict[str, Any]) -> str:
    """Describe a node in one line: address, name, CPUs and GPUs."""
    cpus, gpus = (node["Resources"].get(kind, 0) for kind in ("CPU", "GPU"))
    name = f"{node['NodeManagerAddress']} ({node['NodeManagerHostname']})"
    return f"{name} has joined: {cpus:g} CPUs, {gpus:g} GPUs"


def diagnose(address: str, hosts: Hosts, head: str) -> str:
    """Find out why a host has not joined.

    Args:
        address: address of the host.
        hosts: how to log in.
        head: HOST:PORT of the head, which the host must reach.
    """
    code, out, err = run_there(address, hosts, f"python -c {shlex.quote(VERSIONS)}")
    if code == 255:
        return err or "ssh fails"
    here = f"Python {platform.python_version()}, Ray {ray.__version__}"
    if code != 0:
        return f"the set-up commands have not installed Ray there yet: {err}"
    if out != here:
        return f"it has {out}, but the head has {here}"
    host, _, port = head.rpartition(":")
    code, _, err = run_there(address, hosts, f"timeout 5 bash -c '</dev/tcp/{host}/{port}'")
    if code != 0:
        return f"it cannot reach port {port} of {host}: {err or 'no answer; a firewall?'}"
    return f"Ray is installed there but has not started yet; see {SETUP_LOG} on the head"


def run_there(address: str, hosts: Hosts, command: str) -> tuple[int, str, str]:
    """Run a command on a host as Ray's launcher does.

    Returns:
        The exit code, 255 if ssh fails, and the last lines of stdout and stderr.
    """
    options = ("BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null",
               "ConnectTimeout=10", "LogLevel=ERROR")  # fmt: skip
    try:
        done = subprocess.run(
            [
                "ssh", *(part for option in options for part in ("-o", option)),
                "-i", str(Path(hosts.key).expanduser()), f"{hosts.user}@{address}",
                f"bash --login -i -c {shlex.quote(f'source ~/.bashrc; {command}')}",
            ],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SSH_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return 255, "", f"no answer within {SSH_SECONDS} s"
    except OSError as error:
        return 255, "", f"ssh: {reason_line(error)}"
    out, err = ((text.strip().splitlines() or [""])[-1] for text in (done.stdout, done.stderr))
    return done.returncode, out, err


def connect(address: str) -> str:
    """Join the cluster; return the HOST:PORT of its head.

    Raises:
        UserError: there is no cluster, or it refuses our token.
    """
    check_reachable(address)
    try:
        join(address=address)
    except JoinError as error:
        raise UserError(f"--address {address}: {error}") from None
    raise_at_sigterm()  # Ray has installed a handler of its own
    return str(ray.get_runtime_context().gcs_address)


def make_parser() -> Parser:
    """The command line of ``python -m search.nodes``."""
    parser = Parser("copytask-nodes", prog="python -m search.nodes", description=__doc__)
    parser.add_argument(
        "--expect", type=at_least_one, metavar="N",
        help="number of nodes to wait for, head included (default: the hosts in the cluster file "
        "of `ray up`)",
    )  # fmt: skip
    parser.add_argument(
        "--within", type=above_zero, default=300, metavar="SECONDS",
        help="how long to wait, in seconds (default: 300)",
    )  # fmt: skip
    parser.add_argument(
        "--address", default="auto", metavar="HOST:PORT",
        help="Ray cluster to look at (default: auto, the one on this machine)",
    )  # fmt: skip
    return parser


def raise_at_sigterm() -> None:
    """Let SIGTERM do what Ctrl-C does: raise KeyboardInterrupt."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def check(expected: int | None, within: float, address: str) -> int:
    """Wait for the nodes, and say which are missing; return the exit code.

    Args:
        expected: number of nodes; None for the hosts in the cluster file.
        within: how long to wait, in seconds.
        address: of the cluster.

    Raises:
        UserError: there is no cluster, or the number of nodes is unknown.
    """
    hosts = read_hosts(CLUSTER_FILE) if expected is None else None
    if expected is None and hosts is None:
        raise UserError(f"how many nodes? Add --expect N: {CLUSTER_FILE} lists no hosts")
    head = connect(address)
    addresses = hosts.addresses if hosts else {}
    expected = expected or len(addresses)
    joined = wait_for(expected, set(addresses.values()), within)
    missing = {name: address for name, address in addresses.items() if address not in joined}
    for name, address in missing.items():
        reason = diagnose(address, hosts, head) if hosts else ""
        print(f"failed: {name} has not joined: {reason}", file=sys.stderr)
    if not missing and len(joined) < expected:
        print(
            f"failed: {len(joined)} of {expected} nodes have joined within {within:g} s",
            file=sys.stderr,
        )
    return 1 if len(joined) < expected or missing else 0


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    args = make_parser().parse_args(arguments)
    raise_at_sigterm()
    try:
        return check(args.expect, args.within, args.address)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
