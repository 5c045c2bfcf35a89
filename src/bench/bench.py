#!/usr/bin/env python3
"""Measures the service beside its peers, in turn on one machine, and writes docs/benchmarks/.

    python3 src/bench/bench.py [--rounds 3] [--seconds 3] [--only NAME[,NAME…]] [--out DIR]

Needs a JDK 25, Maven, gcc and, for the peers, what Debian's packages nodejs, npm, haproxy, websockify and python3-numpy install; a peer that is
missing is left out and named. All traffic stays on loopback. The systems take turns scenario by scenario (A B C A B C …); each figure is
the median of the rounds. The service runs with the JVM options of its image, src/docker/java.options.

CPU seconds per GB are those of the system alone, read from /proc; on a machine that other work disturbs they are steadier than MB/s.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request

import report

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "src/bench"
WORK = ROOT / "target/bench"
TOKEN = "spx_benchmark-on-loopback-only"
TARGETS = {"control": 0, "sink": 1, "source": 2, "echo": 3}


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


# --- processes --------------------------------------------------------------------------------------------------------------------


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


class System:
    """Something that relays: where load goes, and whose CPU counts."""

    def __init__(self, name, processes, address):
        self.name = name
        self.processes = processes
        self.address = address  # target port, datagrams -> arguments of load

    @property
    def pids(self):
        return ",".join(str(process.pid) for process in self.processes)

    def stop(self):
        for process in self.processes:
            process.stop()


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


def start_service(base):
    port = free_port()
    process = Process("socket-proxy", service_command(port))
    process.wait_for_port(port, 60)

    def address(target, datagrams=False):
        path = f"/api/v1/connect?host=127.0.0.1&port={target}{'&type=SOCK_DGRAM' if datagrams else ''}"
        return ["-p", port, "-u", path, "-H", f"Authorization: Bearer {TOKEN}"]

    return System("socket-proxy", [process], address)


def start_bare(base):
    port = free_port()
    jars = [jar for jar in sorted((WORK / "app/lib").glob("*.jar")) if "security" not in jar.name]
    process = Process(
        "bare", [java(), *image_options(), "-cp", os.pathsep.join(map(str, jars)), HERE / "BareEndpoint.java", "--server.address=127.0.0.1",
                 f"--server.port={port}", "--server.tomcat.max-keep-alive-requests=-1", "--spring.threads.virtual.enabled=true"], cwd=WORK,
    )  # fmt: skip
    process.wait_for_port(port, 60)
    return System("bare", [process], lambda target, datagrams=False: ["-p", port])


def start_node(base):
    if not shutil.which("node") or not shutil.which("npm"):
        return None
    relay = WORK / "peers"
    shutil.copytree(HERE / "peers", relay, dirs_exist_ok=True, ignore=shutil.ignore_patterns("node_modules"))
    if not (relay / "node_modules").exists():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=relay, check=True)
    port = free_port()
    process = Process("node", ["node", "ws-relay.mjs", port], cwd=relay)
    process.wait_for_port(port)
    return System("node ws", [process], lambda target, datagrams=False: ["-p", port, "-u", f"/?port={target}"])


def start_websockify(base):
    program = shutil.which("websockify")
    if not program:
        return None
    ports, processes = {}, []
    for name in ("sink", "source", "echo"):
        target = base + TARGETS[name]
        ports[target] = free_port()
        processes.append(Process(f"websockify-{name}", [program, f"127.0.0.1:{ports[target]}", f"127.0.0.1:{target}"]))
        processes[-1].wait_for_port(ports[target])
    return System("websockify", processes, lambda target, datagrams=False: ["-p", ports[target], "-u", "/"])


def start_haproxy(base):
    program = shutil.which("haproxy") or ("/usr/sbin/haproxy" if os.path.exists("/usr/sbin/haproxy") else None)
    if not program:
        return None
    first = free_port(4)
    sections = [
        "global\n  nbthread %d\n  maxconn 5000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h" % os.cpu_count()
    ]
    for name, offset in TARGETS.items():
        sections.append(f"listen {name}\n  bind 127.0.0.1:{first + offset}\n  server target 127.0.0.1:{base + offset}")
    configuration = WORK / "haproxy.cfg"
    configuration.write_text("\n".join(sections) + "\n")
    process = Process("haproxy", [program, "-db", "-f", configuration])
    process.wait_for_port(first)
    return System("haproxy (raw TCP)", [process], lambda target, datagrams=False: ["-r", "-p", first + target - base])


def start_direct(base):
    return System("direct", [], lambda target, datagrams=False: ["-r", "-p", target])


STARTERS = {
    "socket-proxy": start_service,
    "websockify": start_websockify,
    "node ws": start_node,
    "haproxy (raw TCP)": start_haproxy,
    "direct": start_direct,
    "bare": start_bare,
}


# --- measuring ----------------------------------------------------------------------------------------------------------------------


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
