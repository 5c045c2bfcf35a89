"""The programs that the measurements start, with their logs in target/bench, and the machine that they run on."""

import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "src/bench"
WORK = ROOT / "target/bench"
TOKEN = "spx_benchmark-on-loopback-only"
TARGETS = {"control": 0, "sink": 1, "source": 2, "echo": 3}


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port(count=1):
    """The first of `count` adjacent ports that nobody listens at."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = probe.getsockname()[1]
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
            return first
        except (OSError, OverflowError):
            continue


class Process:
    """A program of ours, with a log, ended with the context."""

    def __init__(self, name, command, **options):
        self.log = WORK / f"{name}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **options
            )
        self.pid = self.process.pid

    def stop(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.pid, sign)
                try:
                    self.process.wait(15)
                except subprocess.TimeoutExpired:
                    continue
        self.process.wait()

    def wait_for_port(self, port, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"ended at once, see {self.log}")
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"does not listen at {port}, see {self.log}")


def descendants(pid):
    yield pid
    try:
        for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from descendants(int(child))
    except OSError:
        pass


def cpu_seconds(pids):
    """What these processes and their descendants have used so far."""
    ticks = 0
    for pid in pids:
        for one in descendants(pid):
            try:
                fields = pathlib.Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def java():
    homes = [os.environ.get("JAVA_HOME", ""), *sorted(map(str, pathlib.Path("/usr/lib/jvm").glob("*")), reverse=True), "/opt/java/openjdk"]
    for home in homes:
        release = pathlib.Path(home, "release")
        if home and release.exists():
            found = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.M)
            if found and int(found[1]) >= 25:
                return pathlib.Path(home, "bin/java")
    sys.exit("found no JDK 25: set JAVA_HOME")


def image_options():
    """How the image's JVM runs, without what names files of the image."""
    lines = (ROOT / "src/docker/java.options").read_text().splitlines()
    return [line for line in lines if line.startswith("-XX:") and not line.startswith("-XX:AOT")]


def service_command(port, *more):
    return [
        java(), *image_options(), *more, "-jar", WORK / "app/socket-proxy.jar", "--spring.profiles.active=local", f"--server.port={port}",
        f"--socket-proxy.security.token={TOKEN}", "--logging.level.io.socketproxy.decisions=warn",
    ]  # fmt: skip


def build():
    WORK.mkdir(parents=True, exist_ok=True)
    for name in ("load", "target"):
        subprocess.run(["gcc", "-O3", "-march=native", "-o", WORK / name, HERE / f"load/{name}.c"], check=True)
    jar = ROOT / "target/socket-proxy.jar"
    if not jar.exists():
        say("building the service")
        subprocess.run(["mvn", "-B", "-q", "-DskipTests", "package"], cwd=ROOT, check=True)
    shutil.rmtree(WORK / "app", ignore_errors=True)
    subprocess.run([java(), "-Djarmode=tools", "-jar", jar, "extract", "--destination", WORK / "app"], check=True, stdout=subprocess.DEVNULL)


def first_line(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "not installed"


def machine():
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    package = ["dpkg-query", "-W", "-f=${Version}\n"]
    relay = WORK / "peers/node_modules/ws/package.json"
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{os.cpu_count()} × {model[1] if model else platform.machine()}",
        "memory": f"{int(memory[1]) / 1048576:.0f} GiB" if memory else "unknown",
        "kernel": f"Linux {platform.release()}",
        "java": first_line([str(java()), "-version"]),
        "options": " ".join(image_options()),
        "haproxy": first_line(["/usr/sbin/haproxy", "-v"]),
        "websockify": "websockify " + first_line([*package, "websockify"]),
        "node": "node " + first_line(["node", "--version"]) + (", ws " + json.loads(relay.read_text())["version"] if relay.exists() else ""),
    }
