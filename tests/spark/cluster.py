"""Apache Spark on this machine: a master, two workers and a Connect server, each a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""What lets Java start sooner: it lives for a minute."""
STARTED = 90.0
"""Seconds that all of it may take to start, on a machine that is busy."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster: the address of its Connect server, and its processes by name."""

    remote: str
    processes: dict[str, subprocess.Popen[bytes]]
    logs: Path

    def executors(self) -> list[int]:
        """Return the ids of the processes that do the work of the workers."""
        workers = {self.processes[name].pid for name in self.processes if "worker" in name}
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError, IndexError):
                    parent = int((entry / "stat").read_text().rpartition(") ")[2].split()[1])
                    if parent in workers:
                        found.append(int(entry.name))
        return found

    def tail(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-30:])
            for path in sorted(self.logs.glob("*.log"))
        )


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def started(python: str, folder: Path) -> Iterator[Cluster]:
    """
    Start a master, two workers of one core each and a Connect server; end them with the block.

    Args:
        python: one that has pyspark with its jars.
        folder: where logs and what Spark needs to write go.
    """
    home = subprocess.run(
        [python, "-c", "import os, pyspark; print(os.path.dirname(pyspark.__file__))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYSPARK")},
        "SPARK_HOME": home,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(folder / "work"),
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
        # Its gateway for submitting has a port of its own, which somebody else may have.
        "SPARK_MASTER_OPTS": "-Dspark.master.rest.enabled=false",
        "PYSPARK_PYTHON": python,
    }
    cluster = Cluster(f"sc://127.0.0.1:{free_port()}", {}, folder)

    def start(name: str, *command: str, memory: str = "256m") -> None:
        with (folder / f"{name}.log").open("wb") as log:
            # A group of its own: what it starts ends with it.
            cluster.processes[name] = subprocess.Popen(
                [f"{home}/bin/{command[0]}", *command[1:]],
                env={**environment, "SPARK_DAEMON_MEMORY": memory},
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    try:
        port = free_port()
        master = f"spark://127.0.0.1:{port}"
        start(
            "master", "spark-class", "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0",
        )  # fmt: skip
        _wait(cluster, "master", port)
        for number in (1, 2):
            start(
                f"worker_{number}", "spark-class", "org.apache.spark.deploy.worker.Worker",
                "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
                "--webui-port", "0", master,
            )  # fmt: skip
        connect = int(cluster.remote.rpartition(":")[2])
        start(
            "connect", "spark-submit",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--master", master,
            "--executor-memory", "768m",
            "--conf", f"spark.connect.grpc.binding.port={connect}",
            "--conf", "spark.connect.grpc.binding.address=127.0.0.1",
            "--conf", "spark.driver.host=127.0.0.1",
            "--conf", "spark.ui.enabled=false",
            # Two cores: more parts than that would be more work than the tests' rows are.
            "--conf", "spark.sql.shuffle.partitions=2",
            "--conf", f"spark.sql.warehouse.dir={folder / 'warehouse'}",
            "--conf", "spark.executor.extraJavaOptions=-XX:+UseSerialGC",
            "local:/dev/null",
            memory="1g",
        )  # fmt: skip
        _wait(cluster, "connect", connect)
        yield cluster
    except BaseException:
        print(cluster.tail())
        raise
    finally:
        for process in reversed(cluster.processes.values()):
            _end(process)


def _wait(cluster: Cluster, name: str, port: int) -> None:
    until = time.monotonic() + STARTED
    while time.monotonic() < until:
        if cluster.processes[name].poll() is not None:
            raise RuntimeError(f"{name} ended with {cluster.processes[name].returncode}")
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.1)
    raise TimeoutError(f"{name} did not listen within {STARTED:g} seconds")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it started: Java behind scripts, executors behind workers."""
    for sent, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sent)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
