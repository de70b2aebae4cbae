"""Real hosts on one machine, and a laptop that drives them: network namespaces on one bridge.

A host is a process tree of its own with an address, processes, a home, a /tmp/ray and shared
memory of its own, and an ssh server. Killing its first process takes all of it away, as when a
machine loses its power. Everything else of the file system is common to all, so that any folder
outside the home is a shared folder.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from searches import kill

ROOT = Path(__file__).parents[2]

LAPTOP, HEAD, WORKER = "10.77.0.1", "10.77.0.11", "10.77.0.12"

BOOT = """
set -e
hostname {name}
for path in {visible}; do
  case $path in /root/*)
    mkdir -p {home}/${{path#/root/}}
    mount --bind $path {home}/${{path#/root/}};;
  esac
done
mkdir -p /tmp/ray
mount --rbind {home} /root
mount --bind {ray} /tmp/ray
mount -t tmpfs -o size=1g tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir /run/sshd
/usr/sbin/sshd -D -e -f /dev/null -h {host_key} -o PidFile=none -o UsePAM=no \
  -o PermitRootLogin=yes -o StrictModes=no -o MaxStartups=100
exit  # keeps bash as the first process, which sees to orphans that have ended
"""

BASHRC = """
export PATH={python}/bin:$PATH
export RAY_OVERRIDE_RESOURCES='{{"CPU": 1}}'
export RAY_health_check_period_ms=1000 RAY_health_check_failure_threshold=5
export AUTOSCALER_HEARTBEAT_TIMEOUT_S=10 RAY_gcs_rpc_server_reconnect_timeout_s=15
export RAY_worker_niceness=0 RAY_worker_register_timeout_seconds=600
export RAY_agent_register_timeout_ms=600000 RAY_DASHBOARD_STARTUP_TIMEOUT_S=600
export RAY_memory_monitor_refresh_ms=0
export RAY_USAGE_STATS_ENABLED=0 PIP_NO_INDEX=1 PIP_NO_BUILD_ISOLATION=0 CC=false
export {settings}
"""
"""A machine of one CPU; a dead host is noticed in seconds; nothing is downloaded or compiled.

Ray gives its workers a niceness of 15. Beside other tests they would then start in minutes. And it
gives processes up that take a minute to start, as on a busy machine."""


def missing() -> str:
    """Why there can be no lab on this machine; empty if there can."""
    if os.geteuid() != 0:
        return "hosts of their own need root"
    tools = ("ip", "unshare", "setpriv", "ssh", "ssh-keygen", "rsync", "/usr/sbin/sshd")
    absent = [tool for tool in tools if not shutil.which(tool)]
    if absent:
        return f"{', '.join(absent)} missing: apt install iproute2 openssh-server rsync"
    if run("unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true").returncode != 0:
        return "this machine does not let root make namespaces"
    return ""


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end and take what it prints."""
    return subprocess.run([*map(str, command)], capture_output=True, text=True, **options)


class Host:
    """A machine that can be reached by ssh from the laptop and the other hosts."""

    def __init__(self, lab: "Lab", name: str, address: str):
        self.name, self.address = name, address
        self.home = lab.folder / name / "home"
        self._lab = lab
        self._namespace = f"{lab.name}-{name}"
        self._port = f"port{address.rpartition('.')[2]}"
        self._process: subprocess.Popen[str] | None = None
        self._prepare()

    def _prepare(self) -> None:
        """Home and network, as the machine's owner has set them up."""
        lab = self._lab
        (self.home / ".ssh").mkdir(parents=True)
        shutil.copy(lab.key.with_suffix(".pub"), self.home / ".ssh" / "authorized_keys")
        settings = " ".join(f"{name}={value}" for name, value in lab.settings.items())
        profile = BASHRC.format(python=sys.base_prefix, settings=settings)
        (self.home / ".bashrc").write_text(profile)
        self._prepare_environment()
        lab.add_network(self._namespace, self.address, self._port)

    def _prepare_environment(self) -> None:
        """The virtual environment that the host will make finds the packages of the tests' own."""
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        environment = self.home / "copytask-venv"
        packages, programs = environment / "lib" / version / "site-packages", environment / "bin"
        packages.mkdir(parents=True)
        programs.mkdir()
        installed = Path(sys.prefix) / "lib" / version / "site-packages"
        (packages / "lab.pth").write_text(f"import sys; sys.path.insert(1, {str(installed)!r})\n")
        ray = (Path(sys.executable).parent / "ray").read_text().partition("\n")[2]
        (programs / "ray").write_text(f"#!/root/copytask-venv/bin/python\n{ray}")
        (programs / "ray").chmod(0o755)

    def boot(self) -> None:
        """Switch it on; what was in its memory and in /tmp/ray is gone."""
        self._lab.ip("link", "set", self._port, "up")
        ray = self.home.parent / "ray"
        shutil.rmtree(ray, ignore_errors=True)
        ray.mkdir()
        visible = {sys.base_prefix, sys.prefix, str(ROOT)}
        script = BOOT.format(
            name=self.name, home=self.home, ray=ray, host_key=self._lab.key,
            visible=" ".join(sorted(visible)),
        )  # fmt: skip
        log = (self.home.parent / "log").open("a")
        isolated = ["unshare", "--mount", "--pid", "--uts", "--fork", "--mount-proc"]
        self._process = subprocess.Popen(
            # Nothing of it outlives these tests, however they end.
            ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", self._namespace,
             *isolated, "--kill-child", "bash", "-c", script],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
        )  # fmt: skip

    def processes(self) -> list[str]:
        """The command lines of what runs on it."""
        lines = []
        for pid in run("ip", "netns", "pids", self._namespace).stdout.split():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:  # it has ended
                continue
            lines.append(command.replace(b"\0", b" ").decode(errors="replace"))
        return lines

    def kill(self) -> None:
        """Take its power away: it falls silent, and every process on it is gone."""
        if self._process is None:
            return
        self._lab.ip("link", "set", self._port, "down")
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        kill(*map(int, children))
        self._process.wait()
        self._process = None


class Lab:
    """Laptop, head and worker; a context manager that leaves nothing behind.

    Args:
        settings: environment variables of everybody on laptop and hosts.
    """

    def __init__(self, folder: Path, settings: dict[str, str]):
        self.folder, self.settings = folder, settings
        self.name = f"copytask-{os.getpid()}"
        self.key = folder / "key"
        self.home = folder / "laptop"
        self.shared = folder / "shared"  # visible from everywhere, at the same path
        self.hosts: list[Host] = []
        self._namespaces: list[str] = []

    def __enter__(self) -> "Lab":
        try:
            self._set_up()
        except BaseException:
            self._tear_down()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._tear_down()

    def _set_up(self) -> None:
        self.shared.mkdir(parents=True)
        self.home.mkdir()
        check("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        self._laptop = f"{self.name}-laptop"
        self._add_namespace(self._laptop)
        self.ip("link", "add", "bridge", "type", "bridge")
        self.ip("addr", "add", f"{LAPTOP}/24", "dev", "bridge")
        self.ip("link", "set", "bridge", "up")
        self.head, self.worker = Host(self, "head", HEAD), Host(self, "worker", WORKER)
        self.hosts = [self.head, self.worker]

    def _add_namespace(self, namespace: str) -> None:
        check("ip", "netns", "add", namespace)
        self._namespaces.append(namespace)
        check("ip", "-n", namespace, "link", "set", "lo", "up")

    def add_network(self, namespace: str, address: str, port: str) -> None:
        """A namespace whose eth0 is plugged into a port of the laptop's bridge."""
        self._add_namespace(namespace)
        self.ip("link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self.ip("link", "set", port, "master", "bridge")
        check("ip", "-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
        check("ip", "-n", namespace, "link", "set", "eth0", "up")
        # Ray takes for its address the one that it would reach this host of the internet from.
        check("ip", "-n", namespace, "route", "add", "8.8.8.8", "via", LAPTOP)

    def ip(self, *arguments: object) -> None:
        check("ip", "-n", self._laptop, *arguments)

    def _tear_down(self) -> None:
        for host in self.hosts:
            host.kill()
        for namespace in self._namespaces:
            kill(*map(int, run("ip", "netns", "pids", namespace).stdout.split()))
            run("ip", "netns", "delete", namespace)

    def laptop(self, *command: object, home: Path | None = None) -> list[str]:
        """A command line that runs on the laptop, with this environment's programs."""
        variables = {
            "HOME": home or self.home,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RAY_TMPDIR": self.home,
            "RAY_USAGE_STATS_ENABLED": "0",
            "COLUMNS": "80",
            **self.settings,
        }
        settings = [f"{name}={value}" for name, value in variables.items()]
        return [*map(str, ("ip", "netns", "exec", self._laptop, "env", *settings, *command))]

    def on_laptop(self, *command: object, **options: object) -> str:
        """Run a command on the laptop and return what it prints; it must succeed."""
        command_line = self.laptop(*command, **options)
        done = run(*command_line, cwd=ROOT)
        assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


def check(*command: object) -> None:
    """Run a command that must succeed."""
    done = run(*command)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}: {done.stderr}")
