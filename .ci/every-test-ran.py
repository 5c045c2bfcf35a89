"""Reads JUnit XML reports: fails, naming them, if a test was skipped or if a test class under src/test/java ran no test."""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

sources = pathlib.Path("src/test/java")

total = 0
skipped = []
classes = set()
for report in sorted(path for directory in sys.argv[1:] for path in pathlib.Path(directory).glob("TEST-*.xml")):
    for case in ElementTree.parse(report).iter("testcase"):
        total += 1
        reason = case.find("skipped")
        # A class that is disabled as a whole shows as one nameless test.
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        if reason is not None:
            skipped.append(f"{name}: {reason.get('message') or (reason.text or 'no reason given').strip().splitlines()[0]}")
        # Of a nested class, or of one that runs several times, the class that has the file.
        classes.add(re.split(r"[$\[]", case.get("classname"))[0])

# A class whose @BeforeAll gives up leaves no trace of its tests in the reports.
silent = [
    name
    for path in sorted(sources.rglob("*.java"))
    if re.search(r"(Test|IT)$", path.stem)
    if not re.search(r"^(public )?abstract (sealed )?class", path.read_text(), re.MULTILINE)
    if (name := ".".join(path.relative_to(sources).with_suffix("").parts)) not in classes
]

for line in skipped:
    print(f"skipped: {line}", file=sys.stderr)
for name in silent:
    print(f"ran no test: {name}", file=sys.stderr)
if skipped or silent:
    sys.exit(1)
print(f"{total} tests in {len(classes)} classes ran, none was skipped")
