"""Adds up what the test programs of some build folders reported: prints what failed, and as the last
line `N passed, N failed`. Exit 1 if anything failed or nothing ran."""
import json
import pathlib
import re
import sys

# cmocka's and unittest's own closing lines; a program with neither counts as one test.
COUNTED = (re.compile(r"^\[==========\] .*?(\d+) test\(s\) run", re.M),
           re.compile(r"^Ran (\d+) tests? in", re.M))
FAILED = (re.compile(r"^\[  FAILED  \] .*?(\d+) test\(s\), listed below", re.M),
          re.compile(r"^FAILED \((?:failures=(\d+))?(?:, )?(?:errors=(\d+))?", re.M))


def total(patterns, text):
    return sum(int(number) for pattern in patterns for match in pattern.finditer(text)
               for number in match.groups() if number)


passed = failed = 0
for folder in sys.argv[1:]:
    log = pathlib.Path(folder) / "meson-logs/testlog.json"
    if not log.exists():
        print(f"{folder}: no test ran")
        failed += 1
        continue
    for line in log.read_text().splitlines():
        test = json.loads(line)
        output = test.get("stdout", "") + test.get("stderr", "")
        ran = total(COUNTED, output) or 1
        bad = 0
        if test["result"] not in ("OK", "EXPECTEDFAIL"):
            bad = max(1, total(FAILED, output))
            print(f"---- {folder}: {test['name']}: {test['result']}\n{output[-6000:]}")
        passed += max(0, ran - bad)
        failed += bad
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
