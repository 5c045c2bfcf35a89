#!/usr/bin/env python3
"""Measures what a page gets through the browser client beside what it gets from a bare WebSocket to the same service.

    python3 src/bench/page.py [--rounds 5] [--seconds 2]

Needs what bench.py needs, and Chromium, which nothing drives: tools that watch a browser's WebSockets slow them down. The ways take turns; a ratio is
the median of the rounds' ratios. CPU seconds per GB are those of browser and service together, which share the cores with the load generator.
"""

import argparse
import http.server
import json
import shutil
import statistics
import sys
import tempfile
import threading

import programs

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


class Page(http.server.ThreadingHTTPServer):
    """Serves the page, and hears from it."""

    def __init__(self, settings):
        super().__init__(("127.0.0.1", 0), Handler)
        self.settings = settings
        self.pids = []
        self.results = {}
        self.error = None
        self.done = threading.Event()

    def handle_error(self, *_):
        """The browser has gone."""

    def hear(self, path, told):
        if path == "/begin":
            self.begun = programs.cpu_seconds(self.pids)
        elif path == "/end" and told["round"] > 0:
            gigabytes = told["bytes"] / 1e9
            result = {"MBps": told["bytes"] / told["ms"] / 1000, "cpuPerGB": (programs.cpu_seconds(self.pids) - self.begun) / gigabytes}
            self.results.setdefault(told["name"], []).append(result)
            programs.say(f"  {told['name']:18} {result['MBps']:6.0f} MB/s {result['cpuPerGB']:6.2f} CPU-s/GB")
        elif path == "/done":
            self.error = told.get("error")
            self.done.set()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, content_type, content):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        if self.path == "/":
            self.answer("text/html", b'<!doctype html><meta charset="utf-8"><title>Bench</title><script type="module" src="/page.js"></script>')
        elif self.path == "/page.js":
            self.answer("text/javascript", (programs.HERE / "page/page.js").read_bytes())
        elif self.path == "/settings":
            self.answer("application/json", json.dumps(self.server.settings).encode())
        else:
            self.answer("image/png", b"")

    def do_POST(self):
        self.server.hear(self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.answer("application/json", b"{}")

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2)
    options = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not chromium:
        sys.exit("found no Chromium")
    programs.build()
    base = programs.free_port(4)
    port = programs.free_port()
    processes = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        try:
            processes.append(programs.Process("target", [programs.WORK / "target", base]))
            service = programs.Process("page-service", [*programs.service_command(port), "--socket-proxy.security.allowed-origins=*"])
            processes.append(service)
            service.wait_for_port(port, 60)
            page = Page({
                "service": f"http://127.0.0.1:{port}", "token": programs.TOKEN, "source": base + programs.TARGETS["source"],
                "sink": base + programs.TARGETS["sink"], "seconds": options.seconds, "rounds": options.rounds,
            })  # fmt: skip
            threading.Thread(target=page.serve_forever, daemon=True).start()
            browser = programs.Process("chromium", [chromium, *FLAGS, f"--user-data-dir={profile}", f"http://127.0.0.1:{page.server_port}/"])
            processes.append(browser)
            page.pids = [service.pid, browser.pid]
            if not page.done.wait(60 + (options.rounds + 5 / options.seconds + 1) * 5 * (options.seconds + 5)):
                sys.exit("the page is not done in time")
            if page.error:
                sys.exit(page.error)
        finally:
            for process in reversed(processes):
                process.stop()
    print("| | MB/s | CPU s/GB | MB/s, to bare | CPU, bare to it |\n| --- | ---: | ---: | ---: | ---: |")
    for name, results in page.results.items():
        yardstick = page.results[name.partition("-")[0] + "-bare"]

        def median(field, of=results):
            return statistics.median(result[field] for result in of)

        speed = statistics.median(one["MBps"] / other["MBps"] for one, other in zip(results, yardstick))
        cost = statistics.median(other["cpuPerGB"] / one["cpuPerGB"] for one, other in zip(results, yardstick))
        print(f"| {name} | {median('MBps'):,.0f} | {median('cpuPerGB'):.2f} | {speed:.2f}× | {cost:.2f}× |")


if __name__ == "__main__":
    main()
