"""The three files of a report: what they say, that they are safe, and that they are always the same."""

import html.parser
import json
import pathlib

from absl.testing import absltest

from report import report, unit

SOURCE = """\
import tensorflow as tf


def scale(x):
    name = "<script>alert(1)</script>"
    return tf.raw_ops.Foo(
        x=x, name=name)
"""
PORT = SOURCE
RESIDUALS = {
    "version": 1,
    "residuals": [
        {
            "file": "m.py", "line": 6, "column": 11, "end_line": 7, "end_column": 23, "symbol": "tf.raw_ops.Foo",
            "reason": "no rule for <b>it</b>", "function": "scale",
        }
    ],
    "notes": [{"file": "m.py", "line": 4, "column": 0, "note": "a difference"}],
    "functions": {"total": 1, "ported": 0},
    "lines": {"in": 7, "out": 7},
}  # fmt: skip
CERTIFICATE = {
    "version": 1,
    "unit": "m",
    "verdict": "failed",
    "asked": "step",
    "reached": "forward",
    "keras": "3.15.1",
    "optimizer": None,
    "checks": [
        {
            "level": "gradients", "name": "seed 0: kernel", "max_abs": float("nan"), "max_rel": 1.0, "tolerance": 1e-6,
            "passed": False, "detail": "NaN at [0, 1]",
        },
        {
            "level": "forward", "name": "seed 0: output", "max_abs": 1e-7, "max_rel": 2e-7, "tolerance": 3e-6,
            "passed": True, "detail": "",
        },
    ],
    "residuals": [],
    "notes": [],
    "oracle": {"mutants": 12, "caught": 11},
}  # fmt: skip
WEIGHTS = {
    "version": 1,
    "weights": [{"source": 0, "path": "m/kernel", "target": "dense.kernel", "steps": [["transpose", [1, 0]]]}],
}
TRACE = {"version": 1, "source": "m.py", "objects": [{"id": 0, "variables": [{"index": 0, "shape": [3, 5]}]}]}


class _Page(html.parser.HTMLParser):
    """Collects tags, references and text."""

    VOID = ("meta", "link", "br")

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        attributes = dict(attrs)
        self.ids += [attributes["id"]] if "id" in attributes else []
        self.links += [attributes[k] for k in ("href", "src") if k in attributes]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.text.append(data)


class ReportTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir().full_path)

    def write(self, name="out", **changes):
        """Runs the step and returns the folder with its output."""
        files = {
            "source": ("m.py", SOURCE), "module": ("m_jax.py", PORT), "weights_map": ("w.json", WEIGHTS),
            "residuals": ("r.json", RESIDUALS), "certificate": ("c.json", CERTIFICATE), "trace": ("t.json", TRACE),
        }  # fmt: skip
        args = []
        for key, (file, content) in files.items():
            content = changes.get(key, content)
            path = self.folder / file
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
            args += ["--" + key, str(path)]
        self.assertEqual(report.main([*args, "--source_uri", "models/m.py", "--out", str(self.folder / name)]), 0)
        return self.folder / name

    def page(self, **changes):
        found = _Page()
        text = (self.write(**changes) / "report.html").read_text(encoding="utf-8")
        found.feed(text)
        found.close()
        self.assertEmpty(found.open)
        return found

    def test_same_bytes_every_time(self):
        first, second = self.write("a"), self.write("b")
        for name in ("report.html", "report.json", "report.sarif"):
            self.assertEqual((first / name).read_bytes(), (second / name).read_bytes(), name)

    def test_page_is_well_formed_and_needs_nothing_else(self):
        page = self.page()
        self.assertNotIn("script", page.tags)
        self.assertLen(page.ids, len(set(page.ids)))
        for link in page.links:
            self.assertTrue(link == "data:," or link.removeprefix("#") in page.ids, link)

    def test_page_shows_source_as_text(self):
        page = self.page()
        self.assertNotIn("b", page.tags)
        self.assertIn("<script>alert(1)</script>", "".join(page.text))

    def test_page_shows_what_is_known(self):
        text = " ".join(" ".join(self.page().text).split())
        for part in ("A check failed", "0 of 1", "m.py:6:12", "no rule for <b>it</b>", "a difference", "1 of 1 failed",
                     "NaN at [0, 1]", "nan", "11 of 12", "3 × 5", "transpose [1, 0]", "dense.kernel"):  # fmt: skip
            self.assertIn(part, text)

    def test_page_of_a_unit_with_nothing_to_say(self):
        page = self.page(
            weights_map={"weights": []},
            residuals={"residuals": [], "notes": []},
            certificate={"verdict": "unverified"},
            trace={},
        )
        self.assertIn("Ported in full, not verified", page.text)

    def test_every_verdict_has_words(self):
        self.assertEqual(set(unit.VERDICTS), {"verified", "failed", "residuals", "unverified"})

    def test_json_is_strict(self):
        def refuse(constant):
            raise AssertionError(constant)

        out = self.write()
        for name in ("report.json", "report.sarif"):
            json.loads((out / name).read_text(encoding="utf-8"), parse_constant=refuse)
        summary = json.loads((out / "report.json").read_text(encoding="utf-8"))
        self.assertEqual(summary["verdict"], "failed")
        self.assertEqual(summary["alignment"][1], {"name": "scale", "source": [[2, 7]], "module": [[2, 7]]})

    def test_sarif(self):
        log = json.loads((self.write() / "report.sarif").read_text(encoding="utf-8"))
        self.assertEqual(log["version"], "2.1.0")
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual([r["ruleId"] for r in run["results"]], ["residual", "check-failed", "note"])
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
            self.assertIn(result["level"], ("error", "warning", "note"))
            self.assertNotEmpty(result["message"]["text"])
            place = result["locations"][0]["physicalLocation"]
            self.assertEqual(place["artifactLocation"]["uri"], "models/m.py")
            self.assertGreaterEqual(place["region"]["startLine"], 1)
        region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
        self.assertEqual(region, {"startLine": 6, "startColumn": 12, "endLine": 7, "endColumn": 24})

    def test_sarif_result_stays_the_same_when_code_above_it_moves(self):
        moved = json.loads(json.dumps(RESIDUALS))
        moved["residuals"][0].update(line=8, end_line=9)
        prints = [
            json.loads((out / "report.sarif").read_text())["runs"][0]["results"][0]["partialFingerprints"]
            for out in (self.write("a"), self.write("b", residuals=moved, source="#\n#\n" + SOURCE))
        ]
        self.assertEqual(prints[0], prints[1])


if __name__ == "__main__":
    absltest.main()
