#!/usr/bin/env python3
"""Fuzzes what reads a stranger's bytes, with Jazzer: each method marked @FuzzTest below src/test/java, one after the other.

    python3 src/fuzz/fuzz.py [--seconds 20] [--minutes N] [--only NAME[,NAME…]] [--except NAME[,NAME…]]

--seconds is for each target, --minutes for all of them together. Needs a JDK 25 and Maven. Where it runs as root each target is in a network
namespace of its own, so that nothing it makes up leaves the machine.

What was tried and reached something new is kept in target/fuzz, and the next run begins with it. An input that fails a target is written
where its regression inputs are, src/test/resources/…/<Class>Inputs/<method>/, from where `mvn verify` tries it again. Exits with 1 then.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORK = ROOT / "target/fuzz"
sys.path.insert(0, str(ROOT / "src/bench"))

from programs import java  # noqa: E402


def targets():
    """(class, method) of each fuzz test."""
    found = []
    for path in sorted((ROOT / "src/test/java").rglob("*.java")):
        name = ".".join(path.relative_to(ROOT / "src/test/java").with_suffix("").parts)
        found += [(name, method) for method in re.findall(r"@FuzzTest\s+void (\w+)\(", path.read_text())]
    return found


def class_path():
    file = WORK / "classpath"
    command = ["mvn", "-B", "-q", "-ntp", "test-compile", "dependency:build-classpath", "-Dmdep.includeScope=test", f"-Dmdep.outputFile={file}"]
    subprocess.run(command, cwd=ROOT, check=True)
    return os.pathsep.join([str(ROOT / "target/test-classes"), str(ROOT / "target/classes"), file.read_text().strip()])


def isolated():
    """What a command begins with so that it has no network, where that can be had."""
    command = ["unshare", "--net"]
    can = os.getuid() == 0 and shutil.which("unshare") and subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode == 0
    return command if can else []


def instrumentation(name):
    """What makes classes tell the fuzzer that an input reached something new."""
    # Not records: the virtual machine crashes where it looks at the components of one that was instrumented.
    records = {record for path in (ROOT / "src").rglob("*.java") for record in re.findall(r"\brecord (\w+)\s*[(<]", path.read_text())}
    classes = [path.relative_to(root) for root in (ROOT / "target/classes", ROOT / "target/test-classes") for path in root.rglob("*.class")]
    excluded = ":".join(".".join(path.with_suffix("").parts) for path in classes if re.split(r"[$]", path.stem)[-1] in records)
    packages = ["io.socketproxy.**"] + (["tools.jackson.core.**"] if name.startswith("io.socketproxy.rest.") else [])
    return [f"--instrument={','.join(packages)}", f"--instrumentation_excludes={excluded}", f"--custom_hook_excludes={excluded}"]


def fuzz(name, method, seconds, path):
    """Runs one target; how many inputs it has tried, and whether all was well."""
    short = f"{name.rpartition('.')[2]}.{method}"
    corpus = WORK / "corpus" / short
    corpus.mkdir(parents=True, exist_ok=True)
    command = [
        *isolated(), java(), "-Xmx1g", "-XX:+EnableDynamicAgentLoading", "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
        "--add-opens=java.base/sun.nio.ch=ALL-UNNAMED", "-cp", path, "com.code_intelligence.jazzer.Jazzer", f"--target_class={name}",
        f"--target_method={method}", f"--reproducer_path={WORK}", *instrumentation(name), "--disabled_hooks=com.code_intelligence.jazzer.sanitizers.**",
        f"-max_total_time={seconds}", "-timeout=10", "-max_len=2048", "-rss_limit_mb=0", "-print_final_stats=1", corpus,
    ]  # fmt: skip
    log = WORK / f"{short}.log"
    began = time.monotonic()
    with open(log, "wb") as out:
        done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=seconds + 600)
    text = log.read_text(errors="replace")
    tried = max([int(number) for number in re.findall(r"^(?:Done |#|stat::number_of_executed_units:\s*)(\d+)", text, re.M)], default=0)
    well = done.returncode == 0 and tried > 0
    print(f"{short:42} {tried:12,} inputs in {time.monotonic() - began:5.0f} s{'' if well else '  FAILED'}", flush=True)
    if not well:
        found = re.search(r"^(== Java Exception|.*ERROR: libFuzzer).*", text, re.M)
        print(text[found.start() if found else -4000 :][:4000])
        print(f"{short}: see {log}", flush=True)
    return tried, well


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=20, help="for each target (default 20)")
    parser.add_argument("--minutes", type=float, help="for all targets together, in place of --seconds")
    parser.add_argument("--only", default="", help="targets by class, method or the beginning of Class.method")
    parser.add_argument("--except", dest="but", default="", help="not these, by the beginning of Class.method")
    options = parser.parse_args()
    only = [name for name in options.only.split(",") if name]
    but = tuple(name for name in options.but.split(",") if name)
    chosen = [
        (name, method)
        for name, method in targets()
        if not only or any(one == method or f"{name.rpartition('.')[2]}.{method}".startswith(one) for one in only)
        if not (but and f"{name.rpartition('.')[2]}.{method}".startswith(but))
    ]
    if not chosen:
        sys.exit("no such target")
    seconds = max(1, int(options.minutes * 60 / len(chosen))) if options.minutes else options.seconds
    WORK.mkdir(parents=True, exist_ok=True)
    path = class_path()
    results = [fuzz(name, method, seconds, path) for name, method in chosen]
    failed = sum(not well for _, well in results)
    print(f"{sum(tried for tried, _ in results):,} inputs, {failed} of {len(results)} targets failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
