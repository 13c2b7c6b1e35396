"""Tests what capture records of originals, and which it refuses."""

import json
import os
import pathlib
from typing import Any
from unittest import mock

from absl.testing import absltest, parameterized

from parity import capture, isolation
from parity.errors import BadInputError
from parity.unit import Request

_DATA = pathlib.Path(__file__).parent / "testdata"


def run(test: absltest.TestCase, file: str, entry: str, spec: str = "float32[4,6]", keras: str = "3", **more: Any):
    """The trace of one original, without an oracle unless a level is given."""
    out = pathlib.Path(test.create_tempdir())
    request = Request(str(_DATA / file), entry=entry, specs=(spec,), **{"level": "none", **more})
    capture.capture(request, str(out), keras=keras)
    return json.loads((out / "trace.json").read_text())


def text_at(file: str, site: dict[str, Any]) -> str:
    """The source that a site spans, in one line."""
    lines = (_DATA / file).read_text().splitlines()[site["line"] - 1 : site["end_line"]]
    lines[-1] = lines[-1][: site["end_column"]]
    lines[0] = lines[0][site["column"] :]
    return " ".join(line.strip() for line in lines)


class TraceTest(parameterized.TestCase):
    maxDiff = None

    def test_subclassed_model(self):
        trace = run(self, "parts.py", "Parts(width=5)")
        objects = trace["objects"]
        root = objects[trace["root"]]
        self.assertEqual((root["class"], root["base"], root["user"]), ("Parts", "tf.keras.Model", True))
        self.assertEqual((root["site"], root["args"]), ([], {"width": 5}))
        self.assertEqual(trace["call"], "model(*inputs, training=False)")
        self.assertEqual(trace["outputs"], {"shape": [4, 2], "dtype": "float32"})
        blocks = [objects[number] for number in root["attrs"]["blocks"]]
        self.assertCountEqual(root["attrs"], ["blocks", "heads", "tail"])
        self.assertCountEqual(root["attrs"]["heads"], ["a", "b"])
        self.assertEqual([block["args"]["units"] for block in blocks], [5, 6])

        first, second = (objects[blocks[0]["attrs"][name]] for name in ("first", "second"))
        made = [text_at("parts.py", site) for site in first["site"]]
        self.assertEqual(made, ["Block(width)", 'dense(units, activation="relu")', "layers.Dense( units, **kwargs, )"])
        self.assertEqual(first["class"], "tf.keras.layers.Dense")
        self.assertEqual(first["args"]["units"], 5)
        self.assertEqual([text_at("parts.py", call["site"]) for call in first["calls"]], ["self.first(x)"])
        self.assertEqual(second["site"][-2]["function"], "Block.build")
        self.assertEqual(second["args"]["units"], 6)

        (gain,) = blocks[1]["variables"]
        self.assertEqual((gain["attr"], gain["shape"], gain["trainable"]), ("gain", [5 + 1], True))
        heads = {name: objects[number] for name, number in root["attrs"]["heads"].items()}
        self.assertEqual(heads["a"]["site"][-1]["function"], "Parts.__init__.<locals>.<dictcomp>")
        self.assertNotEqual(heads["a"]["variables"][0]["index"], heads["b"]["variables"][0]["index"])
        tail = objects[root["attrs"]["tail"]]
        self.assertEqual(tail["class"], "tf.keras.Sequential")
        self.assertLen(tail["attrs"]["layers"], 3)
        self.assertEqual([call["method"] for call in root["calls"]], ["encode", "call"])

        indices = [v["index"] for entry in objects for v in entry["variables"]]
        self.assertCountEqual(indices, range(len(indices)))

    def test_functional_model(self):
        trace = run(self, "parts.py", "build_graph()")
        objects = trace["objects"]
        root = objects[trace["root"]]
        self.assertEqual(root["class"], "tf.keras.Functional")
        dense = [entry for entry in objects if entry["class"] == "tf.keras.layers.Dense"]
        self.assertLen(dense, 2)
        self.assertEqual(dense[0]["site"][-1]["invocation"], dense[1]["site"][-1]["invocation"])
        symbolic, concrete = dense[1]["calls"]
        self.assertEqual(text_at("parts.py", symbolic["site"]), "layers.Dense(width)(x)")
        self.assertEqual(symbolic["inputs"], [{"shape": [None, 4], "dtype": "float32"}])
        self.assertIsNone(concrete["site"])
        self.assertEqual(concrete["inputs"], [{"shape": [4, 4], "dtype": "float32"}])
        names = [v["attr"] for entry in objects for v in entry["variables"] if "Norm" in entry["class"]]
        self.assertEqual(names[:4], ["gamma", "beta", "moving_mean", "moving_variance"])
        (add,) = [entry for entry in objects if entry["class"] == "tf.keras.layers.Add"]
        self.assertEqual(add["site"], [])

    def test_module_and_plain_class(self):
        trace = run(self, "parts.py", "Scale(6)", level="step")
        outer, inner = trace["objects"]
        self.assertEqual(
            (outer["class"], outer["base"], inner["class"], inner["base"]), ("Scale", "tf.Module", "Counter", "object")
        )
        self.assertEqual(text_at("parts.py", inner["site"][-1]), "Counter(size)")
        self.assertEqual(outer["attrs"], {"inner": inner["id"]})
        self.assertEqual([v["trainable"] for v in outer["variables"] + inner["variables"]], [False, True])
        self.assertEqual(text_at("parts.py", inner["calls"][0]["site"]), "self.inner(x)")

    def test_falls_back_to_keras_2(self):
        trace = run(self, "keras2.py", "build()", "float32[4,5]", keras="auto", level="step")
        self.assertStartsWith(trace["keras"], "tf_keras 2.")
        self.assertEqual(trace["objects"][trace["root"]]["class"], "tf.keras.Functional")

    @parameterized.parameters(("forward", False), ("gradients", True))
    def test_falls_back_to_onednn(self, level, onednn):
        trace = run(self, "dilated.py", "Dilated()", "float32[4,8,8,3]", level=level)
        self.assertEqual(trace["onednn"], onednn)


class RefusalTest(parameterized.TestCase):
    @parameterized.parameters(
        ("Log()", "float32[4,6]", r"refused.py:\d+: the original gives NaN in the output"),
        ("Unused()", "float32[4,6]", r"refused.py:\d+: the oracle can't see weight \S*idle/kernel"),
        ("Constant()", "float32[4,6]", r"refused.py:\d+: the output of the original is constant"),
        (
            "Unused()",
            "float32[4]",
            r"refused.py:\d+: model\(\*inputs\) raised ValueError: Input 0 .* expected min_ndim=2",
        ),
        (
            "Needy(0)",
            "float32[4,6]",
            r"refused.py:\d+: the entry 'Needy\(0\)' raised ValueError: units must be positive",
        ),
        ("(Log(), Log())", "float32[4,6]", r"refused.py:1: the entry gives a tuple; say how what is in it is called"),
        ("Idle()", "float32[4,6]", r"refused.py:\d+: the entry 'Idle\(\)': name 'Idle' is not defined"),
        ("Log", "float32[4,6]", r"refused.py:7: the entry gives the class Log, not an object of it; write Log\("),
        (
            "Counting()",
            "float32[4,6]",
            r"refused.py:\d+: the output of the original is another when it is called again",
        ),
        ("Log(", "float32[4,6]", r"--entry 'Log\(' is not an expression: '\(' was never closed"),
    )
    def test_says_why(self, entry, spec, reason):
        out = os.path.join(self.create_tempdir(), "out")
        request = Request(str(_DATA / "refused.py"), entry=entry, specs=(spec,))
        with self.assertRaisesRegex(BadInputError, reason) as caught:
            capture.capture(request, out, keras="3")
        self.assertNotIn("\n", str(caught.exception))
        self.assertFalse(os.path.exists(out))

    def test_stops_in_time(self):
        path = pathlib.Path(self.create_tempdir(), "endless.py")
        path.write_text("import tensorflow as tf\nwhile True:\n    pass\n")
        with self.assertRaisesRegex(BadInputError, "took longer than 1 s; give --timeout more"):
            capture.capture(Request(str(path), entry="f", specs=("float32[1]",)), "/nonexistent", timeout=1)

    @parameterized.parameters(
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'$"),
        ("from . import sizes", "ImportError: attempted relative import .*; give --package_root"),
        ("open('/nonexistent')", "FileNotFoundError: .*; files are not there when the original is run"),
    )
    def test_what_is_missing_is_not_looked_for_twice(self, line, reason):
        path = pathlib.Path(self.create_tempdir(), "lost.py")
        path.write_text(f"import tensorflow as tf\n{line}\n")
        runs = self.enter_context(mock.patch.object(isolation, "run_limited", wraps=isolation.run_limited))
        with self.assertRaisesRegex(BadInputError, f"lost.py:2: raised when imported: {reason}"):
            capture.capture(Request(str(path), entry="f", specs=("float32[1]",)), "/nonexistent")
        self.assertLen(runs.mock_calls, 1)

    def test_command_line(self):
        self.assertEqual(capture.main(["--source=x.py", "--entry=f", "--example=e.py", "--out=o"]), 2)


if __name__ == "__main__":
    absltest.main()
