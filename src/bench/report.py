"""Makes the tables and charts of docs/benchmarks/ out of the medians."""

import html

ORDER = ["socket-proxy", "websockify", "node ws", "haproxy (raw TCP)", "direct"]
WEBSOCKET_PEERS = ["websockify", "node ws"]
COLORS = {"socket-proxy": "#2563eb", "websockify": "#9ca3af", "node ws": "#6b7280", "haproxy (raw TCP)": "#d97706", "direct": "#d1d5db"}


def write(directory, results, titles):
    scenarios = results["scenarios"]
    lines = ["# Benchmarks", "", *_machine(results), ""]
    sections = [
        ("Throughput", [name for name in scenarios if name.startswith(("upload", "download"))], _throughput),
        ("Latency and set-up", [name for name in scenarios if name.startswith(("ping", "setup"))], _rates),
        ("Datagrams", [name for name in scenarios if name.startswith("udp")], _datagrams),
    ]
    for title, names, table in sections:
        if names:
            lines += [f"## {title}", "", *table(scenarios, names, titles), ""]
    if any(name.startswith("rest") for name in scenarios):
        lines += ["## REST calls", "", *_calls(scenarios, titles), ""]
    if results.get("idle"):
        lines += ["## Idle connections", "", *_idle(results["idle"]), ""]
    if results.get("start"):
        start = results["start"]
        lines += ["## Start-up", "", f"From exec to the first healthy answer, plain jar, no AOT cache: {start['seconds']:.2f} s, "
                  f"{start['cpuSeconds']:.1f} CPU seconds.", ""]  # fmt: skip
    charts = [
        ("upload.svg", "Upload, MB/s (more is better)", "upload", "MBps"),
        ("upload-cpu.svg", "Upload, CPU seconds per GB (less is better)", "upload", "cpuPerGB"),
        ("download.svg", "Download, MB/s (more is better)", "download", "MBps"),
        ("ping.svg", "Pings a second (more is better)", "ping", "perSecond"),
        ("setup.svg", "Connections set up a second (more is better)", "setup", "perSecond"),
    ]
    drawn = []
    for file, title, prefix, key in charts:
        names = [name for name in scenarios if name.startswith(prefix)]
        if names:
            (directory / file).write_text(_chart(title, names, scenarios, key))
            drawn.append(f"![{title}]({file})")
    if drawn:
        lines += ["## Charts", "", *[line for chart in drawn for line in (chart, "")]]
    (directory / "README.md").write_text("\n".join(lines).rstrip() + "\n")


def _machine(results):
    machine = results["machine"]
    missing = f" Not installed, so not measured: {', '.join(results['missing'])}." if results["missing"] else ""
    return [
        f"Written by `python3 src/bench/bench.py` on {machine['date']}: medians of {results['rounds']} rounds of {results['seconds']:g} s in which the "
        f"systems took turns, all on loopback of one machine.{missing}",
        "",
        f"- {machine['processor']}, {machine['memory']}, {machine['kernel']}",
        f"- {machine['java']}, {machine['options']}",
        f"- {machine['haproxy']}; {machine['websockify']}; {machine['node']}",
        "",
        "The service authenticates every connection, asks its policy, logs and counts; the peers do none of that. haproxy relays raw TCP, without "
        "WebSocket, and *direct* is the load generator on the target itself: both are limits, not peers. Generator, target and system share the "
        "cores, so MB/s move with what else the machine does; CPU seconds per GB, of the system alone, are steadier. Differences below 20% "
        "mean nothing.",
    ]


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _table(head, rows):
    return [_row(head), _row(["---"] + ["---:"] * (len(head) - 1)), *map(_row, rows)]


def _present(scenarios, names):
    return [system for system in ORDER if any(system in scenarios[name] for name in names)]


def _value(scenarios, name, system, key):
    return scenarios[name].get(system, {}).get(key)


def _number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def _ratio(scenarios, name, key, others):
    own = _value(scenarios, name, "socket-proxy", key)
    rest = [value for value in (_value(scenarios, name, other, key) for other in others) if value]
    return "–" if not own or not rest else f"{own / max(rest):.2f}×"


def _throughput(scenarios, names, titles):
    systems = _present(scenarios, names)
    measured = [system for system in systems if system != "direct"]
    return [
        "MB/s:", "",
        *_table(["", *systems, "to the best WebSocket peer", "to haproxy"],
                [[titles[name], *[_number(_value(scenarios, name, s, "MBps")) for s in systems],
                  _ratio(scenarios, name, "MBps", WEBSOCKET_PEERS), _ratio(scenarios, name, "MBps", ["haproxy (raw TCP)"])] for name in names]),
        "", "CPU seconds per GB:", "",
        *_table(["", *measured, "to haproxy"],
                [[titles[name], *[_number(_value(scenarios, name, s, "cpuPerGB"), 2) for s in measured],
                  _ratio(scenarios, name, "cpuPerGB", ["haproxy (raw TCP)"])] for name in names]),
    ]  # fmt: skip


def _rates(scenarios, names, titles):
    systems = _present(scenarios, names)
    latency = [name for name in names if name.startswith("ping")]
    return [
        "A second:", "",
        *_table(["", *systems, "to the best WebSocket peer", "to haproxy"],
                [[titles[name], *[_number(_value(scenarios, name, s, "perSecond")) for s in systems],
                  _ratio(scenarios, name, "perSecond", WEBSOCKET_PEERS), _ratio(scenarios, name, "perSecond", ["haproxy (raw TCP)"])] for name in names]),
        "", "Microseconds, median / 99th percentile:", "",
        *_table(["", *systems, "median, to haproxy"],
                [[titles[name], *[f"{_number(_value(scenarios, name, s, 'p50Micros'))} / {_number(_value(scenarios, name, s, 'p99Micros'))}" for s in systems],
                  _ratio(scenarios, name, "p50Micros", ["haproxy (raw TCP)"])] for name in latency]),
    ]  # fmt: skip


def _datagrams(scenarios, names, titles):
    systems = _present(scenarios, names)
    return _table(
        ["", *[f"{system}, datagrams/s" for system in systems], *[f"{system}, lost" for system in systems]],
        [[titles[name], *[_number(_value(scenarios, name, s, "perSecond")) for s in systems],
          *[f"{100 * (_value(scenarios, name, s, 'lost') or 0):.2f}%" for s in systems]] for name in names],
    )  # fmt: skip


def _calls(scenarios, titles):
    rows = []
    yardstick = scenarios.get("rest-bare", {}).get("bare", {}).get("perSecond")
    for name in [name for name in scenarios if name.startswith("rest")]:
        for run in scenarios[name].values():
            relative = f"{run['perSecond'] / yardstick:.2f}×" if yardstick else "–"
            rows.append([titles[name], _number(run["perSecond"]), relative, _number(run["cpuMicrosPerOperation"]), _number(run["p50Micros"]), _number(run["p99Micros"])])
    return ["16 keep-alive connections, one call at a time on each:", "",
            *_table(["", "calls/s", "to the yardstick", "CPU µs per call", "median µs", "99th percentile µs"], rows)]  # fmt: skip


def _idle(idle):
    rows = []
    for system in ORDER:
        if system in idle:
            run = idle[system]
            heap = f"{run['heap'] / 1024:.1f}" if "heap" in run else "–"
            rows.append([system, str(run["connections"]), f"{run['memory'] / 1024:.1f}", heap, f"{run['memory'] * 2000 / 1048576:.1f}"])
    return ["What they add to a process that has served more than twice as many before. A JVM takes their live heap from the room that it has "
            "for garbage, so that its memory may grow by less.", "",
            *_table(["", "connections", "KiB of memory each (PSS)", "KiB of live heap each", "MiB for 2,000"], rows)]  # fmt: skip


def _chart(title, names, scenarios, key):
    """Horizontal bars, grouped by scenario; readable on light and dark pages."""
    systems = [system for system in _present(scenarios, names) if not (key == "cpuPerGB" and system == "direct")]
    largest = max((_value(scenarios, name, system, key) or 0) for name in names for system in systems) or 1
    bar, gap, left, width = 14, 14, 130, 520
    height = 64 + len(names) * (len(systems) * bar + gap)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 90} {height}" role="img" aria-label="{html.escape(title)}" '
        'font-family="system-ui, sans-serif" font-size="11">',
        "<style>text{fill:#1f2937}@media(prefers-color-scheme:dark){text{fill:#e5e7eb}}</style>",
        f'<text x="0" y="16" font-size="14" font-weight="600">{html.escape(title)}</text>',
    ]
    x = 0
    for system in systems:
        parts.append(f'<rect x="{x}" y="28" width="10" height="10" fill="{COLORS[system]}"/><text x="{x + 14}" y="37">{html.escape(system)}</text>')
        x += 30 + 7 * len(system)
    y = 56
    for name in names:
        parts.append(f'<text x="{left - 8}" y="{y + len(systems) * bar / 2 + 4}" text-anchor="end">{html.escape(name)}</text>')
        for system in systems:
            value = _value(scenarios, name, system, key)
            if value is not None:
                length = max(1, width * value / largest)
                shown = f"{value:,.2f}" if largest < 50 else f"{value:,.0f}"
                parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 3}" fill="{COLORS[system]}"/>'
                             f'<text x="{left + length + 5:.1f}" y="{y + bar - 5}" font-size="10">{shown}</text>')  # fmt: skip
            y += bar
        y += gap
    return "\n".join([*parts, "</svg>"]) + "\n"
