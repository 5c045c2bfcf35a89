#!/usr/bin/env python3
"""Measures the service beside its peers, in turn on one machine, and writes docs/benchmarks/.

    python3 src/bench/bench.py [--rounds 3] [--seconds 3] [--only NAME[,NAME…]] [--out DIR]

Needs a JDK 25, Maven, gcc and, for the peers, what Debian's packages nodejs, npm, haproxy, websockify and python3-numpy install; a peer that is
missing is left out and named. All traffic stays on loopback. The systems take turns scenario by scenario (A B C A B C …); each figure is
the median of the rounds. The service runs with the JVM options of its image, src/docker/java.options.

CPU seconds per GB are those of the system alone, read from /proc; on a machine that other work disturbs they are steadier than MB/s.
"""

import argparse
import json
import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import report
from programs import ROOT, TARGETS, WORK, Process, build, cpu_seconds, descendants, free_port, java, machine, say, service_command
from systems import STARTERS, System


# --- scenarios --------------------------------------------------------------------------------------------------------------------

STREAMS = [
    *[
        {"name": f"upload-{label}-{count}", "mode": "up", "target": "sink", "frame": frame, "connections": count,
         "title": f"Upload, frames of {label}, {count} connection{'s' if count > 1 else ''}"}
        for label, frame in (("1K", 1024), ("16K", 16384), ("64K", 65536))
        for count in (1, 16)
    ],
    *[
        {"name": f"download-{count}", "mode": "down", "target": "source", "connections": count,
         "title": f"Download, {count} connection{'s' if count > 1 else ''}"}
        for count in (1, 16)
    ],
    *[
        {"name": f"ping-{count}", "mode": "ping", "target": "echo", "frame": 64, "connections": count,
         "title": f"Ping of 64 bytes, {count} connection{'s' if count > 1 else ''}"}
        for count in (1, 64)
    ],
    {"name": "setup", "mode": "rate", "target": "echo", "connections": 16,
     "title": "Set-up: connect, one echo, close; 16 at a time"},
]  # fmt: skip

DATAGRAMS = [
    {"name": f"udp-{size}", "mode": "udp", "target": "echo", "frame": size, "connections": 4, "datagrams": True,
     "title": f"Datagrams of {size} bytes to an echo and back, 4 × 32 in flight"}
    for size in (64, 1024)
]  # fmt: skip

CALLS = [
    {"name": "rest-bare", "mode": "rest", "kind": "get", "path": "/bare", "system": "bare", "title": "GET of a bare Spring MVC endpoint (the yardstick)"},
    {"name": "rest-socket", "mode": "rest", "kind": "socket", "system": "socket-proxy", "title": "POST /sockets and DELETE, in turn"},
    {"name": "rest-data", "mode": "rest", "kind": "data", "system": "socket-proxy", "title": "POST …/send and …/recv of 64 bytes, in turn"},
    {"name": "rest-getaddrinfo", "mode": "rest", "kind": "get", "path": "/api/v1/getaddrinfo?host=127.0.0.1&port=80&type=SOCK_STREAM",
     "system": "socket-proxy", "title": "GET /getaddrinfo of a numeric host"},
]  # fmt: skip

IDLE_CONNECTIONS = 2000


# --- measuring ----------------------------------------------------------------------------------------------------------------------


def load(system, scenario, base, seconds, warm=False):
    """One run: what load told, or None where it failed."""
    command = [WORK / "load", scenario["mode"], "-t", seconds, "-c", scenario.get("connections", 16), "-C", base]
    if "frame" in scenario:
        command += ["-f", scenario["frame"]]
    if "kind" in scenario:
        command += ["-k", scenario["kind"]]
    command += system.address(base + TARGETS[scenario.get("target", "echo")], scenario.get("datagrams", False))
    if "path" in scenario:
        command += ["-u", scenario["path"]]
    if system.pids:
        command += ["-P", system.pids]
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds + 60)
    if done.returncode:
        say(f"  {system.name}: {scenario['name']}: {done.stderr.strip()[:300]}")
        return None
    result = json.loads(done.stdout)
    if not warm:
        say(f"  {system.name:18} {result['MBps']:8.1f} MB/s {result['perSecond']:9.0f}/s  {result['cpuPerGB']:.3f} CPU-s/GB"
            f"  p50 {result['p50Micros']:.0f} µs p99 {result['p99Micros']:.0f} µs")  # fmt: skip
    return result


def takes_part(system, scenario):
    if "system" in scenario:
        return system.name == scenario["system"]
    if scenario.get("datagrams"):
        return system.name in ("socket-proxy", "direct")
    return system.name != "bare"


def warm_seconds(scenario):
    """How long the JIT compilers need until a scenario is at its pace."""
    return {"rate": 40, "rest": 10}.get(scenario["mode"], 4)


def measure(systems, scenarios, base, rounds, seconds):
    results = {scenario["name"]: {} for scenario in scenarios}
    # The longest last, since another kind of call makes the JIT compilers compile anew much of what they share.
    for scenario in sorted(scenarios, key=warm_seconds):
        for system in systems:
            if takes_part(system, scenario) and system.name in ("socket-proxy", "bare"):
                load(system, scenario, base, warm_seconds(scenario), warm=True)
    for number in range(rounds):
        for scenario in scenarios:
            say(f"round {number + 1}: {scenario['title']}")
            for system in systems:
                if takes_part(system, scenario):
                    result = load(system, scenario, base, seconds)
                    if result:
                        results[scenario["name"]].setdefault(system.name, []).append(result)
    return {
        name: {
            system: {key: statistics.median(run[key] for run in runs) for key in runs[0] if isinstance(runs[0][key], (int, float))}
            for system, runs in by_system.items()
        }
        for name, by_system in results.items()
    }


def resident(system):
    """Proportional set size of all its processes, in bytes: forked ones share pages."""
    total = 0
    for process in system.processes:
        for pid in descendants(process.pid):
            try:
                found = re.search(r"^Pss:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
            except OSError:
                continue
            total += int(found[1]) * 1024 if found else 0
    return total


def live_heap(system):
    """Bytes of live objects after a full collection, for a JVM; None for others."""
    if system.name != "socket-proxy":
        return None
    told = subprocess.run([java().parent / "jcmd", str(system.processes[0].pid), "GC.class_histogram"], stdout=subprocess.PIPE, text=True)
    found = re.search(r"^Total\s+\d+\s+(\d+)", told.stdout, re.M)
    return int(found[1]) if found else None


def hold_idle(system, base, connections):
    """Opens connections, and answers the process that holds them."""
    command = [WORK / "load", "idle", "-c", connections, "-t", 120, *system.address(base + TARGETS["echo"])]
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    if not process.stdout.readline().startswith("READY"):
        process.wait()
        return None
    return process


def serve(system, base, connections):
    """Opens and closes connections, 50 at a time."""
    for _ in range(connections // 50):
        holder = hold_idle(system, base, 50)
        if holder is None:
            return
        holder.communicate()


def measure_idle(systems, base):
    """What IDLE_CONNECTIONS idle connections cost each system, in bytes for one of them.

    Each has served more than twice as many before, so that no classes, no code and no room for garbage are counted; 50 at a time, since
    some keep what a connection had for the next one.
    """
    results = {}
    for system in systems:
        if system.name in ("direct", "bare"):
            continue
        count = 200 if system.name == "websockify" else IDLE_CONNECTIONS  # a process each
        serve(system, base, count // 2)
        heap = live_heap(system)
        serve(system, base, count * 2)
        time.sleep(2)
        memory = resident(system)
        holder = hold_idle(system, base, count)
        if holder is None:
            continue
        time.sleep(2)
        memory_then, heap_then = resident(system), live_heap(system)
        results[system.name] = {"connections": count, "memory": (memory_then - memory) / count}
        if heap is not None and heap_then is not None:
            results[system.name]["heap"] = (heap_then - heap) / count
        say(f"  {system.name:18} {results[system.name]}")
        holder.communicate()
    return results


def measure_start(rounds):
    """Seconds from exec to the first healthy answer, and the CPU seconds used until then."""
    walls, cpus = [], []
    for _ in range(rounds):
        port = free_port()
        began = time.monotonic()
        process = Process("start", service_command(port))
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/actuator/health/readiness", timeout=5) as answer:
                    if answer.status == 200:
                        break
            except (urllib.error.URLError, OSError):
                time.sleep(0.02)
        walls.append(time.monotonic() - began)
        cpus.append(cpu_seconds([process.pid]))
        process.stop()
    return {"seconds": statistics.median(walls), "cpuSeconds": statistics.median(cpus)}


def verify(systems, base):
    """Each WebSocket system relays 64 MiB byte for byte, or its figures mean nothing."""
    for system in systems:
        if system.name != "bare":
            command = [WORK / "load", "verify", *system.address(base + TARGETS["echo"])]
            done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, text=True)
            say(f"  {system.name:18} {done.stdout.strip()}")
            if done.returncode and system.name == "socket-proxy":
                sys.exit("the service did not relay 64 MiB byte for byte")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="measured time of one run (default 3)")
    parser.add_argument("--only", default="", help="scenarios by name or its beginning; also: idle, start")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]

    def chosen(name):
        return not only or any(name.startswith(one) for one in only)

    build()
    base = free_port(4)
    target = Process("target", [WORK / "target", base])
    target.wait_for_port(base)
    scenarios = [scenario for scenario in STREAMS + DATAGRAMS + CALLS if chosen(scenario["name"])]

    def wanted(name):
        return (chosen("idle") and name != "bare") or any(takes_part(System(name, [], None), scenario) for scenario in scenarios)

    systems, missing = [], []
    try:
        for name, start in STARTERS.items():
            if not wanted(name):
                continue
            system = start(base)
            if system is None:
                say(f"{name} is not installed and is left out")
                missing.append(name)
            else:
                systems.append(system)
        relays = [system for system in systems if system.name != "bare"]
        if any("system" not in scenario for scenario in scenarios):
            say("byte for byte")
            verify(relays, base)
        results = {"machine": machine(), "missing": missing, "rounds": options.rounds, "seconds": options.seconds}
        results["scenarios"] = measure(systems, scenarios, base, options.rounds, options.seconds)
        if chosen("idle"):
            say(f"{IDLE_CONNECTIONS} idle connections")
            results["idle"] = {}
            for system in relays:
                # Started anew: what the load before has left behind would count as theirs.
                system.stop()
                systems[systems.index(system)] = fresh = STARTERS[system.name](base)
                results["idle"].update(measure_idle([fresh], base))
    finally:
        for system in systems:
            system.stop()
        target.stop()
    if chosen("start"):
        say("start-up")
        results["start"] = measure_start(options.rounds)
    titles = {scenario["name"]: scenario["title"] for scenario in STREAMS + DATAGRAMS + CALLS}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    report.write(options.out, results, titles)
    say(f"written: {options.out}")


if __name__ == "__main__":
    main()
