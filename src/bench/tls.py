#!/usr/bin/env python3
"""TLS beside haproxy doing the same: to the target, and at the front door. Prints a table in Markdown; takes some four minutes.

The load generator speaks no TLS: in front of a front door a haproxy of its own adds it, and behind whoever goes to the target another one takes
it off. Only the CPU of who is measured counts. AES-128-GCM, TLS 1.3, a P-256 certificate, medians of three rounds in turns.
Needs a JDK 25, Maven, gcc, openssl and haproxy.
"""

import statistics
import subprocess

from bench import load
from programs import TARGETS, TOKEN, WORK, Process, build, free_port, service_command
from systems import System, haproxy

ROUNDS = 3
SECONDS = 3
CLIENT = "ssl verify none ciphersuites TLS_AES_128_GCM_SHA256 ssl-min-ver TLSv1.3"
SCENARIOS = [
    {"name": "up, 16 KiB, 16 connections", "mode": "up", "target": "sink", "frame": 16384, "value": "cpuPerGB"},
    {"name": "down, 16 connections", "mode": "down", "target": "source", "value": "cpuPerGB"},
    {"name": "connect, echo, close", "mode": "rate", "value": "cpuMicrosPerOperation"},
]


def certificate():
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", WORK / "tls.key", "-out", WORK / "tls.crt"], check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    (WORK / "tls.pem").write_text((WORK / "tls.crt").read_text() + (WORK / "tls.key").read_text())


def service(name, *more):
    port = free_port()
    process = Process(name, service_command(port) + list(more))
    process.wait_for_port(port, 60)
    return port, process


def ports(first):
    return [f"127.0.0.1:{first + offset}" for offset in range(len(TARGETS))]


def main():
    build()
    certificate()
    started = []
    try:
        base = free_port(4)
        started.append(Process("target", [WORK / "target", base]))
        started[-1].wait_for_port(base)
        ends, peer, client, front, before = (free_port(4) for _ in range(5))
        server = f"ssl crt {WORK / 'tls.pem'} ciphersuites TLS_AES_128_GCM_SHA256 ssl-min-ver TLSv1.3"
        ends_tls = haproxy("tls-ends", "haproxy", ends, server, ports(base))
        started.append(ends_tls)
        to_target = haproxy("tls-to-target", "haproxy", peer, "", [f"{where} {CLIENT}" for where in ports(ends)])
        started.append(to_target)
        plain_port, plain = service("service-to-target", f"--socket-proxy.tls.trust={WORK / 'tls.crt'}")
        started.append(plain)
        bundle = "--spring.ssl.bundle.pem.server.keystore"
        tls_port, secured = service(
            "service-front", "--server.ssl.bundle=server", f"{bundle}.certificate=file:{WORK / 'tls.crt'}", f"{bundle}.private-key=file:{WORK / 'tls.key'}",
        )  # fmt: skip
        started.append(secured)
        started.append(haproxy("client-of-service", "haproxy", client, "", [f"127.0.0.1:{tls_port} {CLIENT}"]))
        front_tls = haproxy("tls-front", "haproxy", front, server, ports(base))
        started.append(front_tls)
        started.append(haproxy("client-of-haproxy", "haproxy", before, "", [f"{where} {CLIENT}" for where in ports(front)]))
        header = ["-H", f"Authorization: Bearer {TOKEN}"]

        def over(port, host, first, more=""):
            return lambda target, datagrams=False: ["-p", port, "-u", f"/api/v1/connect?host={host}&port={first + target - base}{more}", *header]

        def raw(first):
            return lambda target, datagrams=False: ["-r", "-p", first + target - base]

        pairs = {
            "to the target": (System("socket-proxy", [plain], over(plain_port, "localhost", ends, "&tls=true")), System("haproxy", [to_target], raw(peer))),
            "at the front": (System("socket-proxy", [secured], over(client, "127.0.0.1", base)), System("haproxy", [front_tls], raw(before))),
        }
        print("| | | socket-proxy | haproxy | ratio |\n|---|---|---|---|---|")
        for place, pair in pairs.items():
            for scenario in SCENARIOS:
                load(pair[0], scenario, base, 10, warm=True)
                values = ([], [])
                for _ in range(ROUNDS):
                    for system, into in zip(pair, values):
                        result = load(system, scenario, base, SECONDS)
                        into.append(result[scenario["value"]] if result else float("nan"))
                ours, theirs = (statistics.median(each) for each in values)
                unit = "s/GB" if scenario["value"] == "cpuPerGB" else "µs"
                print(f"| {place} | {scenario['name']} | {ours:.3g} {unit} | {theirs:.3g} {unit} | {ours / theirs:.2f} |", flush=True)
    finally:
        for process in reversed(started):
            process.stop()


if __name__ == "__main__":
    main()
