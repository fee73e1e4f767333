"""Apache Spark on this machine: a master, two workers and a Connect server, each a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""What lets Java start sooner: it lives for a minute."""
STARTED = 90.0
"""Seconds that all of it may take to start, on a machine that is busy."""


class Cluster:
    """A master, two workers of one core each and a Connect server; `processes` are by name."""

    def __init__(self, python: str, folder: Path) -> None:
        self.logs = folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._home = _spark_home(python)
        self._environment = _environment(python, self._home, folder)
        self._master, self._port = free_port(), free_port()
        self.remote = f"sc://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start all of it."""
        self._start(
            "master", "spark-class", "org.apache.spark.deploy.master.Master",
            "--host", "127.0.0.1", "--port", str(self._master), "--webui-port", "0",
        )  # fmt: skip
        self._wait("master", self._master)
        for name in ("worker_1", "worker_2"):
            self.start_worker(name)
        self.start_server()

    def start_worker(self, name: str) -> None:
        """Start a worker, which offers the master its core."""
        self._start(
            name, "spark-class", "org.apache.spark.deploy.worker.Worker",
            "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
            "--webui-port", "0", f"spark://127.0.0.1:{self._master}",
        )  # fmt: skip

    def start_server(self) -> None:
        """Start the Connect server, and wait until it listens."""
        settings = {
            "spark.connect.grpc.binding.port": self._port,
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.ui.enabled": "false",
            # Two cores: more parts than that would be more work than the tests' rows are.
            "spark.sql.shuffle.partitions": 2,
            "spark.sql.warehouse.dir": self.logs / "warehouse",
            "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
        }
        self._start(
            "connect", "spark-submit",
            "--class", "org.apache.spark.sql.connect.service.SparkConnectServer",
            "--master", f"spark://127.0.0.1:{self._master}",
            "--executor-memory", "768m",
            *(word for name, value in settings.items() for word in ("--conf", f"{name}={value}")),
            "local:/dev/null",
            memory="1g",
        )  # fmt: skip
        self._wait("connect", self._port)

    def kill(self, name: str) -> None:
        """Kill a process and what it started: the work of a worker is done by another process."""
        os.killpg(self.processes[name].pid, signal.SIGKILL)
        self.processes[name].wait()

    def end(self) -> None:
        """End all of it."""
        for process in reversed(self.processes.values()):
            _end(process)

    def tail(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(
            f"== {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-30:])
            for path in sorted(self.logs.glob("*.log"))
        )

    def _start(self, name: str, script: str, *arguments: str, memory: str = "256m") -> None:
        with (self.logs / f"{name}.log").open("ab") as log:
            # A group of its own: what it starts ends with it.
            self.processes[name] = subprocess.Popen(
                [f"{self._home}/bin/{script}", *arguments],
                env={**self._environment, "SPARK_DAEMON_MEMORY": memory},
                cwd=self.logs,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, name: str, port: int) -> None:
        until = time.monotonic() + STARTED
        while time.monotonic() < until:
            if self.processes[name].poll() is not None:
                raise RuntimeError(f"{name} ended with {self.processes[name].returncode}")
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            time.sleep(0.1)
        raise TimeoutError(f"{name} did not listen within {STARTED:g} seconds")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def started(python: str, folder: Path) -> Iterator[Cluster]:
    """
    Start a cluster; end it with the block.

    Args:
        python: one that has pyspark with its jars.
        folder: where logs and what Spark needs to write go.
    """
    cluster = Cluster(python, folder)
    try:
        cluster.start()
        yield cluster
    except BaseException:
        print(cluster.tail())
        raise
    finally:
        cluster.end()


def _spark_home(python: str) -> str:
    code = "import os, pyspark; print(os.path.dirname(pyspark.__file__))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _environment(python: str, home: str, folder: Path) -> dict[str, str]:
    return {
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
