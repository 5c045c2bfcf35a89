#!/usr/bin/env python3
"""How long the service takes to start: from `docker run` to the answer that it is alive, and to the engine's `healthy`.

In turn on two processors: the image as it is, the image without its ahead-of-time cache, and the jar on a plain JDK, which has to be
built (`mvn -B package -DskipTests`). Each start waits until the machine has nothing else to do.

usage: src/bench/startup.py [--image socket-proxy] [--jdk eclipse-temurin:25-jdk] [--rounds 5]
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import programs

JAR = Path(__file__).resolve().parents[2] / "target" / "socket-proxy.jar"
LIMIT_SECONDS = 120


def docker(*arguments):
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def alive(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/actuator/health/liveness", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def until(condition):
    end = time.monotonic() + LIMIT_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("it does not start")
        time.sleep(0.01)


def idle_share(seconds):
    def times():
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return fields[3] + fields[4], sum(fields)

    idle, total = times()
    time.sleep(seconds)
    idle_after, total_after = times()
    return (idle_after - idle) / (total_after - total)


def start(options, command):
    """The seconds to alive and to healthy, and the processor seconds to alive; healthy is None where nobody checks."""
    while idle_share(1) < 0.9:
        pass
    begin = time.monotonic()
    container = docker("run", "-d", "--cpus", "2", "-m", "768m", "-p", "127.0.0.1::8080", *options, *command)
    try:
        port = json.loads(docker("inspect", "-f", "{{json .NetworkSettings.Ports}}", container))["8080/tcp"][0]["HostPort"]
        until(lambda: alive(port))
        up = time.monotonic() - begin
        # Of the first process, which is the JVM.
        cpu = programs.cpu_seconds([docker("inspect", "-f", "{{.State.Pid}}", container)])
        healthy = None
        if docker("inspect", "-f", "{{if .State.Health}}yes{{end}}", container):
            until(lambda: docker("inspect", "-f", "{{.State.Health.Status}}", container) == "healthy")
            healthy = time.monotonic() - begin
        return up, healthy, cpu
    finally:
        docker("rm", "-f", container)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", default="socket-proxy")
    parser.add_argument("--jdk", default="eclipse-temurin:25-jdk")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    variants = {
        "image": ([], [arguments.image]),
        "image, -XX:AOTMode=off": (["-e", "JAVA_TOOL_OPTIONS=-XX:AOTMode=off"], [arguments.image]),
        "jar": (["-v", f"{JAR}:/socket-proxy.jar:ro"], [arguments.jdk, "java", "-jar", "/socket-proxy.jar"]),
    }
    figures = {name: [] for name in variants}
    for _ in range(arguments.rounds):
        for name, (options, command) in variants.items():
            figures[name].append(start(options, command))
            print(name, figures[name][-1], file=sys.stderr, flush=True)
    print(f"| median of {arguments.rounds} | alive | healthy | processor seconds |\n|---|---|---|---|")
    for name, runs in figures.items():
        up, healthy, cpu = zip(*runs)
        shown = "–" if None in healthy else f"{statistics.median(healthy):.1f} s"
        print(f"| {name} | {statistics.median(up):.1f} s ({min(up):.1f}–{max(up):.1f}) | {shown} | {statistics.median(cpu):.1f} |")


if __name__ == "__main__":
    main()
