#!/usr/bin/env python3
"""Runs CPython's own test.test_socket with its sockets on the service.

    run_test_socket.py --url http://127.0.0.1:8080 --token spx_… [--unix] [--only GLOB …] [--report FILE]

Every test class of the installed test.test_socket runs, in a process of its own, twice: first on the real ``_socket`` (the control), then
on the service. A test counts as failed if it passes on real sockets and does not pass here; being skipped only here is a failure
too. What is left out is in EXCLUDED, each with its reason.

The service has to let its caller bind any loopback and wildcard address, with any port, and connect to those.
Exit status: 0 all passed, 1 something failed, 2 it could not be run. URL and token default to SOCKET_PROXY_URL and SOCKET_PROXY_TOKEN.
"""

import argparse
import collections
import concurrent.futures
import fnmatch
import json
import os
import subprocess
import sys
import tempfile
import time

# "Class" or "Class.test", as globs -> why it says nothing about a socket of the service.
EXCLUDED = {
    "*CAN*": "AF_CAN",
    "ISOTPTest": "AF_CAN",
    "J1939Test": "AF_CAN",
    "*RDS*": "AF_RDS",
    "*QIPCRTR*": "AF_QIPCRTR",
    "*VSOCK*": "AF_VSOCK",
    "*Bluetooth*": "AF_BLUETOOTH",
    "*HyperV*": "AF_HYPERV",
    "TIPC*": "AF_TIPC",
    "LinuxKernelCryptoAPI": "AF_ALG",
    "*UDPLITE*": "UDP-Lite, a transport beside TCP and UDP",
    "*SCTP*": "SCTP, a transport beside TCP and UDP",
    "TestLinuxAbstractNamespace": "AF_UNIX by names that are no text",
    "TestUnixDomain.testUnencodableAddr": "AF_UNIX by a path that is no text",
    "*SCMRights*": "SCM_RIGHTS passes descriptors of this process",
    "SendRecvFdsTests": "SCM_RIGHTS passes descriptors of this process",
    "*RFC3542Ancillary*": "ancillary data is not in the contract",
    "GeneralModuleTests.test_sethostname": "renames the machine, and no socket takes part",
    "GeneralModuleTests.test_socket_type": "that the C type cannot be changed",
}

# Left out without --unix.
UNIX = {"*Unix*": "AF_UNIX by path, which the service allows for listed paths only: see --unix"}

# Tests that race with themselves -> how; one of these that fails is run again, up to RACY_RUNS times in all.
RACY = {
    "NetworkConnectionAttributesTest.testSourceAddress": "the test's clean-up may close the client before its getsockname",
}
RACY_RUNS = 5

_CHILD = "--child"


def main():
    if len(sys.argv) > 1 and sys.argv[1] == _CHILD:
        return child(*sys.argv[2:])
    options = arguments()
    started = time.monotonic()
    try:
        classes = list_tests()
    except subprocess.CalledProcessError:
        print("test.test_socket is not there: install libpython3-testsuite", file=sys.stderr)
        return 2
    excluded = {}
    chosen = []
    for name, tests in classes.items():
        rest = []
        for test in tests:
            reason = exclusion(name, test, options.unix)
            if reason:
                excluded[f"{name}.{test}"] = reason
            elif not options.only or any(matches(pattern, name, test) for pattern in options.only):
                rest.append(test)
        if rest:
            chosen.append((name, rest))
    environment = {**os.environ, "SOCKET_PROXY_URL": options.url, "SOCKET_PROXY_TOKEN": options.token or ""}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        control = dict(zip([name for name, _ in chosen], pool.map(lambda one: run("real", *one, options.timeout, environment), chosen)))
        measured = dict(zip([name for name, _ in chosen], pool.map(lambda one: run("service", *one, options.timeout, environment), chosen)))
    for name, tests in chosen:
        for test in tests:
            runs = 1
            while f"{name}.{test}" in RACY and measured[name][test][0] == "failed" and runs < RACY_RUNS:
                measured[name].update(run("service", name, [test], options.timeout, environment))
                runs += 1
    report = judge(chosen, control, measured, excluded)
    report["seconds"] = round(time.monotonic() - started, 1)
    show(report)
    if options.report:
        with open(options.report, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
    return 1 if report["failed"] or report["violations"] or not report["passed"] else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default=os.environ.get("SOCKET_PROXY_URL", "http://127.0.0.1:8080"))
    parser.add_argument("--token", default=os.environ.get("SOCKET_PROXY_TOKEN"))
    parser.add_argument("--only", action="append", metavar="GLOB", help="Class or Class.test, as a glob; may be repeated")
    parser.add_argument("--unix", action="store_true", help="AF_UNIX too: the service allows all paths below the temporary directory")
    parser.add_argument("--jobs", type=int, default=1, help="test classes at a time (default 1)")
    parser.add_argument("--timeout", type=float, default=180, help="seconds for one class (default 180)")
    parser.add_argument("--report", metavar="FILE", help="write the report there as JSON too")
    return parser.parse_args()


def matches(pattern, name, test):
    return fnmatch.fnmatchcase(name, pattern) or fnmatch.fnmatchcase(f"{name}.{test}", pattern)


def exclusion(name, test, unix):
    patterns = EXCLUDED if unix else {**EXCLUDED, **UNIX}
    return next((reason for pattern, reason in patterns.items() if matches(pattern, name, test)), None)


def list_tests():
    """The installed test.test_socket: class name -> test names."""
    listing = subprocess.run([sys.executable, __file__, _CHILD, "list"], check=True, stdout=subprocess.PIPE)
    return json.loads(listing.stdout)


def run(kind, name, tests, timeout, environment):
    """Runs tests of one class in a process: {test: (outcome, detail)}, and under the key None the violations of the contract."""
    results = {}
    running = None
    with tempfile.TemporaryDirectory(prefix="test_socket-") as directory:
        out = os.path.join(directory, "results")
        log_path = os.path.join(directory, "log")
        with open(log_path, "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", __file__, _CHILD, kind, out, name, *tests],
                cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
            try:
                status = f"ended with {process.wait(timeout)}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = f"did not end within {timeout:g} s"
        if os.path.exists(out):
            with open(out, encoding="utf-8") as file:
                for line in file:
                    event = json.loads(line)
                    if event["event"] == "start":
                        running = event["test"]
                    elif event["event"] == "violations":
                        results[None] = event["list"]
                    else:
                        results[event["test"]] = (event["event"], event["detail"])
                        running = None
        with open(log_path, encoding="utf-8", errors="replace") as file:
            tail = file.read()[-2000:]
    for test in tests:
        if test not in results:
            detail = f"the process {status}" + (f" in {running}" if running != test and running else "") + f"\n{tail}"
            results[test] = ("failed", detail)
    return results


def judge(chosen, control, measured, excluded):
    report = {"python": sys.version.split()[0], "run": 0, "passed": 0, "failed": 0, "skipped": 0, "alsoFailsOnRealSockets": 0}
    report["excluded"] = excluded
    report["classes"] = {}
    report["failures"] = []
    report["failuresOnRealSockets"] = []
    report["violations"] = []
    for name, tests in chosen:
        counts = collections.Counter()
        for test in tests:
            real, real_detail = control[name][test]
            here, detail = measured[name][test]
            if real == "failed":
                verdict = "alsoFailsOnRealSockets"
                report["failuresOnRealSockets"].append({"test": f"{name}.{test}", "detail": real_detail})
            elif real == "skipped":
                verdict = "skipped"
            elif here == "passed":
                verdict = "passed"
            else:
                verdict = "failed"
                why = f"skipped, though it runs on real sockets: {detail}" if here == "skipped" else detail
                report["failures"].append({"test": f"{name}.{test}", "detail": why})
            counts[verdict] += 1
            report[verdict] += 1
            report["run"] += verdict in ("passed", "failed")
        report["classes"][name] = dict(counts)
        report["violations"] += measured[name].get(None, [])
    return report


def show(report):
    for name, counts in report["classes"].items():
        print(f"{name:45} " + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    for failure in report["failures"]:
        print(f"\nFAILED {failure['test']}\n{failure['detail']}")
    for failure in report["failuresOnRealSockets"]:
        print(f"\nNOT COUNTED, FAILS ON REAL SOCKETS {failure['test']}\n{failure['detail']}")
    if report["violations"]:
        print("\nANSWERS THAT BREAK THE CONTRACT")
        for violation, count in collections.Counter(report["violations"]).most_common():
            print(f"{count:4} × {violation}")
    reasons = collections.Counter(report["excluded"].values())
    print("\nleft out: " + "; ".join(f"{count} {reason}" for reason, count in reasons.items()))
    print(
        f"test.test_socket of Python {report['python']} on the service: {report['run']} run, {report['passed']} passed, {report['failed']} failed;"
        f" {report['skipped']} skipped as on real sockets, {report['alsoFailsOnRealSockets']} fail on real sockets too,"
        f" {len(report['excluded'])} left out; {len(report['violations'])} answers break the contract; {report['seconds']} s"
    )


# --- the process that runs tests ---------------------------------------------------------------------------------------------------


def child(kind, out=None, name=None, *tests):
    remote = None
    if kind == "service":
        sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
        import service as remote
        import remote_socket

        remote_socket.install(remote.Service(os.environ["SOCKET_PROXY_URL"], os.environ.get("SOCKET_PROXY_TOKEN")))
    import unittest

    import test.support

    # As regrtest does without -u: the network outside is not asked for. And as it does with --timeout: these are the times after which
    # a test gives up, and some tests fill a connection with thousands of small sends, which are as many requests here.
    test.support.use_resources = []
    test.support.LOOPBACK_TIMEOUT = 60.0
    import test.test_socket as module

    if kind == "list":
        loader = unittest.TestLoader()
        listing = {
            name: loader.getTestCaseNames(thing)
            for name, thing in vars(module).items()
            if isinstance(thing, type) and issubclass(thing, unittest.TestCase) and thing.__module__ == module.__name__
        }
        json.dump({name: tests for name, tests in listing.items() if tests}, sys.stdout)
        return 0

    with open(out, "w", encoding="utf-8", buffering=1) as file:

        def emit(event, **more):
            file.write(json.dumps({"event": event, **more}) + "\n")

        class Result(unittest.TestResult):
            trouble = ()
            reason = None

            def startTest(self, test):
                super().startTest(test)
                self.trouble = []
                self.reason = None
                emit("start", test=test.id().rpartition(".")[2])

            def addError(self, test, err):
                text = self._exc_info_to_string(err, test)
                if isinstance(test, unittest.TestCase):
                    self.trouble.append(text)
                else:  # set-up or tear-down of the class or module
                    print(text, file=sys.stderr)

            addFailure = addError

            def addSubTest(self, test, subtest, err):
                if err is not None:
                    self.addError(test, err)

            def addSkip(self, test, reason):
                self.reason = reason

            def addUnexpectedSuccess(self, test):
                self.trouble.append("unexpected success")

            def stopTest(self, test):
                outcome = "failed" if self.trouble else "skipped" if self.reason is not None else "passed"
                emit(outcome, test=test.id().rpartition(".")[2], detail="\n".join(self.trouble) or self.reason or "")
                # Python 3.12.1 skips a class without starting its tests.
                self.trouble, self.reason = (), None
                super().stopTest(test)

        result = Result()
        unittest.TestSuite(map(getattr(module, name), tests)).run(result)
        if remote is not None:
            emit("violations", list=remote.violations)
    return 0


if __name__ == "__main__":
    sys.exit(main())
