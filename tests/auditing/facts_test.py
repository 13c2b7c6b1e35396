"""Facts of sources: imports, symbols, and what can't be read."""

import json
import pathlib
import subprocess
import sys

from absl.testing import absltest, parameterized

from auditing import facts_step
from auditing.facts import Facts, Import, facts_of


def symbols(source: str) -> dict[str, int]:
    return {name: uses for name, uses, _ in facts_of("m.py", source.encode()).symbols}


class FactsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("import tensorflow as tf\ny = tf.math.reduce_sum(x) + tf.reduce_sum(x)\n", {"tf.reduce_sum": 2}),
        ("from tensorflow.keras import layers as L\nL.Dense(3)\n", {"tf.keras.layers.Dense": 1}),
        ("from keras.layers import Dense\n\nclass A(Dense):\n    pass\n", {"tf.keras.layers.Dense": 1}),
        (
            "import tensorflow as tf\nK = tf.keras.backend\nK.mean(x)\n",
            {"tf.keras.backend.mean": 1, "tf.keras.backend": 1},
        ),
        ("def f():\n    import tensorflow as tf\n    return tf.abs(x)\n", {"tf.abs": 1}),
        ("import tensorflow.compat.v1 as tf\ntf.abs(x)\n", {"tf.abs": 1}),
        ("import numpy as tf\ntf.abs(x)\n", {}),
        ("import jax\njax.nn.relu(x)\n", {}),
    )
    def test_symbols(self, source: str, expected: dict[str, int]) -> None:
        self.assertEqual(symbols(source), expected)

    def test_first_lines_and_imports(self) -> None:
        found = facts_of("a/m.py", b"import os\nfrom . import near\nimport jax\nimport tensorflow as tf\n")
        self.assertEqual((found.tensorflow, found.jax, found.lines), (4, 3, 4))
        self.assertIn(Import("", "near", 1, 2), found.imports)

    @parameterized.parameters(b"print 'old'\n", b"\xff\xfe", b"x = (\n", b"a\0b\n")
    def test_unreadable_files_have_an_error_with_a_line(self, content: bytes) -> None:
        self.assertRegex(facts_of("m.py", content).error, r"^line \d+: .")

    def test_json_holds_everything_and_is_the_same_each_time(self) -> None:
        found = facts_of("m.py", b"import tensorflow as tf\nfrom b import c\ntf.nn.relu(c)\n")
        self.assertEqual(Facts.from_json(found.to_json()), found)
        with self.assertRaisesRegex(ValueError, "another version"):
            Facts.from_json('{"version": 0}')


class WorkerTest(absltest.TestCase):
    def test_one_worker_reads_many_files_and_survives_errors(self) -> None:
        folder = pathlib.Path(self.create_tempdir().full_path)
        (folder / "a.py").write_text("import jax\n")
        requests = []
        for number, source in enumerate(["a.py", "missing.py", "a.py"]):
            (folder / f"args{number}").write_text(f"{folder / source}\np/{source}\n{folder}/{number}.json\n")
            requests.append(json.dumps({"arguments": [f"@{folder}/args{number}"], "requestId": number}))
        program = [sys.executable, facts_step.__file__, "--persistent_worker"]
        environment = {"PYTHONPATH": ":".join(sys.path)}
        ran = subprocess.run(
            program, input="\n".join(requests), capture_output=True, text=True, env=environment, check=True
        )
        responses = [json.loads(line) for line in ran.stdout.splitlines()]
        self.assertEqual([(r["requestId"], r["exitCode"]) for r in responses], [(0, 0), (1, 1), (2, 0)])
        self.assertIn("missing.py", responses[1]["output"])
        self.assertEqual((folder / "0.json").read_bytes(), (folder / "2.json").read_bytes())
        facts_step.main([str(folder / "a.py"), "p/a.py", str(folder / "alone.json")])
        self.assertEqual((folder / "0.json").read_bytes(), (folder / "alone.json").read_bytes())


if __name__ == "__main__":
    absltest.main()
