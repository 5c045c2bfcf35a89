"""The systems that are measured beside each other: the service, its peers, and none at all."""

import os
import shutil
import subprocess

from programs import HERE, TARGETS, TOKEN, WORK, Process, free_port, image_options, java, service_command


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


def haproxy(name, program, first, bind, servers):
    """A haproxy at adjacent ports; `bind` is how it listens, `servers` has where each port goes, and how."""
    sections = [
        "global\n  nbthread %d\n  maxconn 5000\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h" % os.cpu_count()
    ]
    for offset, server in enumerate(servers):
        sections.append(f"listen l{offset}\n  bind 127.0.0.1:{first + offset} {bind}\n  server target {server}")
    configuration = WORK / f"{name}.cfg"
    configuration.write_text("\n".join(sections) + "\n")
    process = Process(name, [program, "-db", "-f", configuration])
    process.wait_for_port(first)
    return process


def start_haproxy(base):
    program = shutil.which("haproxy") or ("/usr/sbin/haproxy" if os.path.exists("/usr/sbin/haproxy") else None)
    if not program:
        return None
    first = free_port(4)
    process = haproxy("haproxy", program, first, "", [f"127.0.0.1:{base + offset}" for offset in TARGETS.values()])
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
