#!/usr/bin/env python3
"""Keeps the service under mixed load with faults, and says whether it is at its end what it was at its beginning.

    python3 src/bench/soak.py [--minutes 60] [--out DIR]
    python3 src/bench/soak.py --cycles 1000000 [--out DIR]

The first is an hour of everything at once, on one service: handles by REST, raw and socket-proxy.v1 streams, resumes, resets from either
side, readers that stop, datagrams, listeners, look-ups, wrong tokens, malformed requests and frames. The second only connects, echoes and closes, as
fast as it goes. Every now and then all load stops, and once it is at rest the service is measured: descriptors, threads, native memory, live heap,
what of its own objects is left. It is flat if the second half of these measurements is no higher than the first. Exits with 1 if it is not, or if
a call was answered with a 500 or the log holds an error.

Needs what bench.py needs; the service runs with the JVM options of its image, and with the memory of its container. Writes soak.json and soak.md.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import threading
import time

from clients import BEARER, call
from mixed_load import Load, Resetter
from programs import ROOT, TARGETS, WORK, Process, build, free_port, java, machine, say, service_command

CONTAINER_MEMORY = "768m"  # mem_limit of docker-compose.yml
SAMPLES = 12

# What is measured at rest: title, unit, and by how much the second half may be above the first, as a share and at least.
MEASURES = {
    "descriptors": ("Descriptors", 1, 0, 8),
    "threads": ("Threads", 1, 0, 8),
    "virtualThreads": ("Virtual threads", 1, 0, 8),
    "sockets": ("Handles", 1, 0, 0),
    "streams": ("Streams", 1, 0, 0),
    "objects": ("Objects of the service's own classes", 1, 0.02, 500),
    "heap": ("Live heap, MiB", 1 << 20, 0.03, 2 << 20),
    "native": ("Memory outside of the heap in use (buffers and the JVM's own), MiB", 1 << 20, 0.1, 16 << 20),
    "resident": ("Resident, MiB", 1 << 20, 0.1, 48 << 20),
}


# --- the service ------------------------------------------------------------------------------------------------------------------


class Service:
    """One running service."""

    def __init__(self, wire):
        self.wire = wire
        self.port = free_port()
        command = service_command(self.port, f"-XX:MaxRAM={CONTAINER_MEMORY}")
        self.process = Process(f"soak-{wire}", command)
        self.process.wait_for_port(self.port, 60)
        self.pid = self.process.pid
        self.ready()

    def ready(self):
        end = time.monotonic() + 60
        while call(self, "GET", "/actuator/health/readiness")[0] != 200:
            if time.monotonic() > end:
                sys.exit(f"not ready, see {self.process.log}")
            time.sleep(0.1)

    def jcmd(self, *words):
        return subprocess.run([java().parent / "jcmd", str(self.pid), *words], stdout=subprocess.PIPE, text=True, timeout=120).stdout

    def metric(self, name):
        status, body = call(self, "GET", "/actuator/prometheus")
        if status != 200:
            raise OSError(f"metrics: {status}")
        return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", body.decode(), re.M))

    def at_rest(self, seconds=30):
        """Waits until nothing is open, or for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and (self.metric("socket_proxy_handles") or self.metric("socket_proxy_streams")):
            time.sleep(0.5)
        time.sleep(2)

    def measure(self):
        self.at_rest()
        histogram = [re.split(r"\s+", line.strip()) for line in self.jcmd("GC.class_histogram").splitlines()]
        counts = {row[3]: int(row[1]) for row in histogram if len(row) > 3 and row[1].isdigit()}
        total = next(row for row in histogram if row[0] == "Total")
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        own = {name: count for name, count in counts.items() if name.startswith("io.socketproxy.")}
        return {
            "at": time.time(),
            "opened": self.metric("socket_proxy_streams_opened_total"),
            "descriptors": len(os.listdir(f"/proc/{self.pid}/fd")),
            "threads": int(re.search(r"^Threads:\s+(\d+)", status, re.M)[1]),
            "virtualThreads": sum(count for name, count in counts.items() if name in ("java.lang.VirtualThread", "java.lang.ThreadBuilders$BoundVirtualThread")),
            "sockets": int(self.metric("socket_proxy_handles")),
            "streams": int(self.metric("socket_proxy_streams")),
            "objects": sum(own.values()),
            "most": dict(sorted(own.items(), key=lambda item: -item[1])[:8]),
            "heap": int(total[2]),
            "native": self.native_heap(),
            "resident": int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) * 1024,
        }

    def native_heap(self):
        """Bytes in use of what malloc(3) has from the kernel; Netty's buffers are there, where no pool of the JVM's counts them."""
        total = self.jcmd("System.native_heap_info").rpartition("</heap>")[2]
        sizes = {(tag, kind): int(size) for tag, kind, size in re.findall(r'<(\w+) type="(\w+)"(?: count="\d+")? size="(\d+)"', total)}
        return sizes["system", "current"] + sizes["total", "mmap"] - sizes["total", "fast"] - sizes["total", "rest"]

    def log_errors(self):
        lines = self.process.log.read_text(errors="replace").splitlines()
        return [line for line in lines if " ERROR " in line or re.match(r"^[\w.]+Error\b", line)]


# --- load -----------------------------------------------------------------------------------------------------------------------


def cycle(service, base, seconds):
    """Connects, echoes and closes for so long, 16 at a time."""
    path = f"/api/v1/connect?host=127.0.0.1&port={base + TARGETS['echo']}"
    command = [WORK / "load", "rate", "-t", seconds, "-c", 16, "-C", base, "-p", service.port, "-u", path, "-H", BEARER]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds + 120)
    if done.returncode:
        raise AssertionError(done.stderr.strip()[:300])


# --- judging ----------------------------------------------------------------------------------------------------------------------


def judged(samples):
    """For each measure the means of the two halves, the highest, and whether it is flat; the first samples are the JVM's own growth."""
    counted = samples[max(1, len(samples) // 6) :]
    half = len(counted) // 2
    results = {}
    for name, (_, _, share, least) in MEASURES.items():
        first, second = (statistics.mean(sample[name] for sample in part) for part in (counted[:half], counted[half:]))
        results[name] = {"first": first, "second": second, "highest": max(sample[name] for sample in samples), "flat": second <= first + max(first * share, least)}
    return results


def mixed(services, base, minutes):
    resetter = Resetter()
    resetter.start()
    loads = [Load(service, base, resetter) for service in services]
    samples = {service.wire: [] for service in services}
    end = time.monotonic() + minutes * 60
    each = minutes * 60 / SAMPLES
    while time.monotonic() < end:
        threads = [threading.Thread(target=load.run, args=(max(5, min(each - 10, end - time.monotonic())),), daemon=True) for load in loads]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        sample(services, samples)
    return samples, {load.service.wire: {"done": dict(load.done), "failures": dict(load.failures)} for load in loads}


def cycles(services, base, count):
    samples = {service.wire: [] for service in services}
    for service in services:
        failures = 0
        while (opened := service.metric("socket_proxy_streams_opened_total")) < count and failures < 3:
            goal = opened + count / SAMPLES
            while service.metric("socket_proxy_streams_opened_total") < min(goal, count) and failures < 3:
                try:
                    cycle(service, base, 5)
                except AssertionError as failure:
                    say(f"  {service.wire}: {failure}")
                    failures += 1
            sample([service], samples)
    return samples, {service.wire: {"done": {}, "failures": {}} for service in services}


def sample(services, samples):
    for service in services:
        one = service.measure()
        samples[service.wire].append(one)
        told = ", ".join(f"{MEASURES[name][0].split(',')[0].lower()} {one[name] / MEASURES[name][1]:,.0f}" for name in MEASURES)
        say(f"  {service.wire}: {one['opened']:,.0f} streams so far; {told}")


# --- the report -------------------------------------------------------------------------------------------------------------------


def report(directory, results):
    lines = [
        "# Soak",
        "",
        "Written by `python3 src/bench/soak.py`: the service under load and faults, measured whenever all load had stopped. It is flat where the mean "
        "of the second half of the measurements is not above that of the first by more than the allowance.",
        "",
    ]
    for kind, title in (("mixed", "Mixed load with faults"), ("cycles", "Connect, echo, close")):
        for wire, run in results.get(kind, {}).items():
            about = run["machine"]
            lines += [f"## {title}, {wire} wire", "", f"On {about['date']}, {run['took']}: {run['opened']:,.0f} streams in {len(run['samples'])} measurements. "
                      f"{about['processor']}, {about['memory']}, {about['kernel']}; {about['options']}, memory of {CONTAINER_MEMORY}.", ""]  # fmt: skip
            if run["done"]:
                lines += ["Done: " + ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in sorted(run["done"].items())) + ".", ""]
            lines += ["| at rest | first half | second half | highest | |", "| --- | ---: | ---: | ---: | --- |"]
            for name, (text, unit, _, _) in MEASURES.items():
                one = run["judged"][name]
                values = " | ".join(f"{one[part] / unit:,.{1 if unit > 1 else 0}f}" for part in ("first", "second", "highest"))
                lines.append(f"| {text} | {values} | {'flat' if one['flat'] else '**rises**'} |")
            told = [f"{count:,} × {name}" for name, count in sorted(run["failures"].items(), key=lambda item: -item[1])[:10]]
            lines += ["", f"Failures: {'; '.join(told) if told else 'none'}. Errors in the log: {run['logErrors']}.", ""]
    (directory / "soak.md").write_text("\n".join(lines).rstrip() + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="of mixed load (default 60)")
    parser.add_argument("--cycles", type=int, help="connects and closes so often instead")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    build()
    base = free_port(4)
    target = Process("target", [WORK / "target", base])
    services = []
    try:
        target.wait_for_port(base)
        services = [Service("handed-off")]
        began = time.monotonic()
        if options.cycles:
            kind, (samples, counts) = "cycles", cycles(services, base, options.cycles)
        else:
            kind, (samples, counts) = "mixed", mixed(services, base, options.minutes)
        took = f"{(time.monotonic() - began) / 60:.0f} minutes"
        file = options.out / "soak.json"
        results = json.loads(file.read_text()) if file.exists() else {}
        well = True
        for service in services:
            errors = service.log_errors()
            run = {"machine": machine(), "took": took, "opened": samples[service.wire][-1]["opened"], "judged": judged(samples[service.wire]),
                   "samples": samples[service.wire], "logErrors": len(errors), **counts[service.wire]}  # fmt: skip
            results.setdefault(kind, {})[service.wire] = run
            rising = [MEASURES[name][0] for name, one in run["judged"].items() if not one["flat"]]
            well = well and not rising and not errors and not run["failures"]
            say(f"{service.wire}: {'rises: ' + ', '.join(rising) if rising else 'flat'}; {sum(run['failures'].values())} failures, {len(errors)} errors in the log")
            for text in [*errors[:5], *list(run["failures"])[:20]]:
                say(f"  {text}")
            if rising:
                say(f"  most objects: {samples[service.wire][-1]['most']}")
    finally:
        for service in services:
            service.process.stop()
        target.stop()
    options.out.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, indent=1) + "\n")
    report(options.out, results)
    say(f"written: {options.out / 'soak.md'}")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
