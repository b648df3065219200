"""A SLURM cluster of two machines, which are namespaces of this one: its daemons as they are installed, with a configuration of
their own. Needs root."""
import os
import pathlib
import shutil
import signal
import subprocess
import time

import machines

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "nsenter", "unshare")
NODES = ("trial1", "trial2")
USUAL = "/usr/sbin:/sbin:/usr/bin:/bin"

CONFIGURATION = """\
ClusterName=trial
SlurmctldHost=trial1
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort=27817
SlurmdPort=27818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
KillWait=20
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=trial[1-2] CPUs=4 RealMemory=1000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no cluster, or nothing."""
    absent = [name for name in PROGRAMS if not shutil.which(name, path=f"{os.environ['PATH']}:{USUAL}")]
    if absent:
        return f"{', '.join(absent)} not installed (Debian: apt-get install slurm-wlm munge util-linux)"
    reason = machines.possible()
    return f"network namespaces cannot be made here ({reason.strip()})" if reason else None


class Cluster:
    """The daemons; leaving the block cancels all jobs and ends them."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.daemons = []

    def on(self, node, *command):
        """The command, on a machine with its name, its addresses and its network."""
        enter = f'hostname "$0" && mount --bind "{self.folder}/hosts" /etc/hosts && exec "$@"'
        return [
            "nsenter", f"--net=/run/netns/{machines.NAMES[node]}", "unshare", "--uts", "--mount", "--propagation", "private",
            "sh", "-c", enter, NODES[node], *command]

    @property
    def environment(self):
        return {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": f"{os.environ['PATH']}:{USUAL}"}

    def ask(self, *command, check=True):
        """What a command of SLURM answers."""
        done = subprocess.run(
            self.on(0, *command), env=os.environ | self.environment, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout.strip()

    def start(self, name, command):
        log = open(self.folder / f"{name}.log", "wb")
        self.daemons.append(subprocess.Popen(
            command, env=os.environ | self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True))

    def until(self, what, limit, condition):
        deadline = time.monotonic() + limit
        while not condition():
            dead = [one.args for one in self.daemons if one.poll() is not None]
            assert not dead and time.monotonic() < deadline, f"SLURM, {what}: {dead or f'not within {limit} s'}\n{self.logs()}"
            time.sleep(0.2)

    def logs(self):
        return "\n".join(f"{path.name}: {path.read_text(errors='replace')[-800:]}" for path in self.folder.glob("*.log"))

    def __enter__(self):
        for name in ("state", "munge", *(f"spool/{node}" for node in NODES)):
            (self.folder / name).mkdir(parents=True, mode=0o755)
        for folder in (self.folder, self.folder / "munge"):
            folder.chmod(0o755)
        (self.folder / "slurm.conf").write_text(CONFIGURATION.format(folder=self.folder))
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        addresses = zip(machines.ADDRESSES, NODES)
        (self.folder / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"{one} {name}\n" for one, name in addresses))
        key = self.folder / "munge/key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        try:
            machines.make()
            self.start("munged", [
                shutil.which("munged", path=self.environment["PATH"]), "--foreground",
                # Other users cannot reach a temporary folder; none is needed.
                "--force", "--key-file", str(key),
                "--socket", f"{self.folder}/munge.socket",
                *(f"--{name}-file={self.folder}/munge/{name}" for name in ("pid", "seed", "log"))])
            self.until("munged", 20, (self.folder / "munge.socket").exists)
            self.start("slurmctld", self.on(0, "slurmctld", "-D"))
            for node in range(2):
                self.start(NODES[node], self.on(node, "slurmd", "-D"))
            self.until("two machines", 60, lambda: self.ask("sinfo", "-h", "-o", "%D %T", check=False) == "2 idle")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        try:
            if len(self.daemons) == 4 and all(one.poll() is None for one in self.daemons):
                self.ask("scancel", "--user=root", check=False)
                self.until("end of all jobs", 60, lambda: not self.ask("squeue", "-h", check=False))
        finally:
            for daemon in reversed(self.daemons):
                if daemon.poll() is None:
                    os.killpg(daemon.pid, signal.SIGTERM)
                    try:
                        daemon.wait(10)
                    except subprocess.TimeoutExpired:
                        os.killpg(daemon.pid, signal.SIGKILL)
                        daemon.wait()
            machines.remove()
