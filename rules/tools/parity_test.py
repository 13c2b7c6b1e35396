"""The test of a unit: the port does what the recorded original does. Needs no TensorFlow."""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
from collections.abc import Sequence
from xml.etree import ElementTree

from cli import errors, summary
from parity.errors import NoDeviceError
from rules.tools import certify, elapsed, unit_files

#: Set where a runner is known to have its device: a test that finds none fails.
REQUIRED = "JAXPORT_REQUIRE_DEVICE"


def main(argv: Sequence[str]) -> int:
    """Runs the test; 0 where the unit is ported in full and every check passes, or where there is no such device."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("manifest")
    parser.add_argument("--accelerator", default="cpu")
    options = parser.parse_args(argv)
    unit = unit_files.read(options.manifest)
    files = {name: str(path) for name, path in unit.files.items()}
    try:
        found = certify.certify(
            unit.unit, unit.level, files["module"], files["weights_map"], files["residuals"], files.get("trace"),
            files.get("oracle"), options.accelerator,
        )  # fmt: skip
    except NoDeviceError as e:
        return _skipped(unit.unit, options.accelerator, str(e))
    except (errors.BadInputError, OSError, ValueError) as e:
        print(e)
        return errors.BAD_INPUT
    shown = unit.in_package(unit.module_name)
    for check in found["checks"]:
        print(summary.check_line(check))
    print(summary.text(unit.source, shown, found, unit.value("residuals"), {}, elapsed.since_start()))
    if "tensorflow" in sys.modules:
        print(f"{shown}: TensorFlow was imported, which a port does not need")
        return 1
    return summary.exit_code(found)


def _skipped(unit: str, accelerator: str, reason: str) -> int:
    """Says so where people and Bazel look: on the terminal, and in test.xml."""
    if os.environ.get(REQUIRED):
        print(f"{unit}: {reason}; {REQUIRED} is set")
        return 1
    print(f"{unit}: skipped: {reason}")
    xml = os.environ.get("XML_OUTPUT_FILE")
    if xml:
        name = f"{unit} on {accelerator}"
        suite = ElementTree.Element("testsuite", name=name, tests="1", skipped="1")
        case = ElementTree.SubElement(suite, "testcase", name=name, status="notrun")
        ElementTree.SubElement(case, "skipped", message=reason)
        pathlib.Path(xml).write_bytes(ElementTree.tostring(suite, xml_declaration=True, encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
