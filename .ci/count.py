"""Counts test cases from Bazel's event file, and others: `count.py EVENTS BAZEL_STATUS [PASSED FAILED]`.

Each test target's last attempt writes a test.xml per shard. A target that has none, or that was
not built, counts as one case. The last line printed is `N passed, N failed`.
"""

from __future__ import annotations

import json
import pathlib
import sys
import urllib.parse
import xml.etree.ElementTree as ET


def cases(path: pathlib.Path) -> tuple[int, int, int] | None:
    """Passed, failed and skipped cases of one test.xml; None where it can't be read."""
    try:
        tree = ET.parse(path)
    except (OSError, ET.ParseError):
        return None
    passed = failed = skipped = 0
    for case in tree.iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def main() -> int:
    results: dict[tuple[str, int, int], tuple[int, bool, str | None]] = {}
    overall: dict[str, str] = {}
    for line in pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").splitlines():
        try:
            event = json.loads(line)
        except json.JSONDecodeError:  # Bazel was stopped while it wrote
            continue
        if "testResult" in event:
            key, result = event["id"]["testResult"], event["testResult"]
            where = (key["label"], key.get("run", 1), key.get("shard", 1))
            files = {f["name"]: urllib.parse.urlparse(f.get("uri", "")) for f in result.get("testActionOutput", [])}
            xml = urllib.parse.unquote(files["test.xml"].path) if "test.xml" in files else None
            attempt = key.get("attempt", 1)
            if where not in results or attempt >= results[where][0]:
                results[where] = (attempt, result.get("status") in ("PASSED", "FLAKY"), xml)
        elif "testSummary" in event:
            overall[event["id"]["testSummary"]["label"]] = event["testSummary"]["overallStatus"]

    passed = failed = skipped = 0
    for _, ok, xml in results.values():
        counted = cases(pathlib.Path(xml)) if xml else None
        good, bad, left = counted or (0, 0, 0)
        if ok and not good + bad + left:
            good = 1
        if not ok and not bad:
            bad = 1
        passed, failed, skipped = passed + good, failed + bad, skipped + left
    with_result = {label for label, _, _ in results}
    unbuilt = sorted(label for label, status in overall.items() if status != "PASSED" and label not in with_result)
    failed += len(unbuilt)
    for label in unbuilt:
        print(f"not run: {label} ({overall[label]})")
    bazel_status = int(sys.argv[2])
    if bazel_status and not failed:
        print(f"bazel ended with {bazel_status}")
        failed = 1
    others = [int(number) for number in sys.argv[3:5]] or [0, 0]
    passed, failed = passed + others[0], failed + others[1]
    print(f"{len(with_result) + len(unbuilt)} test targets, {skipped} cases skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
