"""Tests an original and its hand-made port: verified as it is, and not with any of the known bugs."""

import json
import pathlib
import sys
from typing import Any

from absl.testing import absltest

from parity import capture, mutate, mutations, oracle_file, verify
from parity.unit import Request

_DATA = pathlib.Path(__file__).parent / "testdata"
_ATTENTION = [(f"attention/{a}/{w}", f"attention.{b}.{w}", []) for a, b in
              (("query", "query"), ("key", "key"), ("value", "value"), ("attention_output", "out"))
              for w in ("kernel", "bias")]  # fmt: skip
_GATES = [1, 0, 2]  # update, reset, candidate in Keras; reset, update, candidate in Flax
_WEIGHTS = [
    ("conv/kernel", "conv.kernel", []),
    ("conv/bias", "conv.bias", []),
    ("norm/gamma", "norm.scale", []),
    ("norm/beta", "norm.bias", []),
    ("norm/moving_mean", "norm.mean", []),
    ("norm/moving_variance", "norm.var", []),
    *((f"hidden_{i}/{w}", f"hidden.{i}.{w}", []) for i in range(2) for w in ("kernel", "bias")),
    *_ATTENTION,
    ("scale/gamma", "scale.scale", []),
    ("scale/beta", "scale.bias", []),
    ("gru/gru_cell/kernel", "gru.cell.dense_i.kernel", [["blocks", 1, _GATES]]),
    ("gru/gru_cell/recurrent_kernel", "gru.cell.dense_h.kernel", [["blocks", 1, _GATES]]),
    ("gru/gru_cell/bias", "gru.cell.dense_i.bias", [["take", 0, 0], ["blocks", 0, _GATES]]),
    ("gru/gru_cell/bias", "gru.cell.dense_h.bias", [["take", 0, 1], ["blocks", 0, _GATES]]),
    ("top/kernel", "top.kernel", []),
    ("top/bias", "top.bias", []),
]
_STEP = {
    "name": "fit",
    "setup": "optimizer = nnx.Optimizer(model, optax.adam(0.001, eps=1e-7), wrt=nnx.Param)\n"
    "metrics = nnx.MultiMetric(loss=nnx.metrics.Average('loss'))",
    "call": "train_step(model, optimizer, metrics, *batch)",
}


class PairTest(absltest.TestCase):
    folder: pathlib.Path
    trace: dict[str, Any]
    map: dict[str, Any]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / "pair"
        request = Request(str(_DATA / "tower.py"), entry="Tower()", specs=("float32[4,16,16,3]",), level="trajectory")
        capture.capture(request, str(cls.folder), keras="3")
        cls.trace = json.loads((cls.folder / "trace.json").read_text())
        variables = [v for entry in cls.trace["objects"] for v in entry["variables"]]
        index = {v["path"].removeprefix("tower/"): v["index"] for v in variables}
        cls.map = {
            "version": 1,
            "module": "tower_jax.py",
            "entry": "Tower(rngs=nnx.Rngs(0))",
            "call": "model(*inputs, training=False)",
            "mode": True,
            "optimizer": "optax.adam(0.001, eps=1e-7)",
            "train_steps": [_STEP],
            "weights": [{"source": index[s], "path": s, "target": t, "steps": steps} for s, t, steps in _WEIGHTS],
        }
        (cls.folder / "weights_map.json").write_text(json.dumps(cls.map))

    def verify(self, **changes: Any) -> dict[str, Any]:
        path = self.folder / "changed_map.json"
        path.write_text(json.dumps({**self.map, **changes}))
        trace, oracle = (str(self.folder / name) for name in ("trace.json", "oracle.safetensors"))
        return verify.verify(str(_DATA / "tower_jax.py"), str(path), trace, oracle, "trajectory")

    def test_the_port_is_verified(self):
        self.assertEqual(self.trace["optimizer"]["expression"], "tf.keras.optimizers.Adam(0.001)")
        line = (_DATA / "tower.py").read_text().splitlines()[self.trace["optimizer"]["line"] - 1]
        self.assertIn("keras.optimizers.Adam(learning_rate)", line)
        certificate = self.verify()
        self.assertEqual(certificate["verdict"], "verified", verify.table(certificate))
        self.assertEqual(certificate["reached"], "trajectory")
        self.assertEqual(certificate["oracle"]["truth"], "float64")
        names = [check["name"] for check in certificate["checks"]]
        self.assertIn("seed 1, scale 3, training: state", names)
        self.assertTrue(any("slot velocity" in name for name in names))
        self.assertNotIn("tensorflow", sys.modules)

    def test_wrong_gates_fail(self):
        entries = [
            dict(entry, steps=[]) if entry["target"].endswith("dense_i.kernel") else entry
            for entry in self.map["weights"]
        ]
        certificate = self.verify(weights=entries)
        self.assertEqual((certificate["verdict"], certificate["reached"]), ("failed", "shapes"))

    def test_a_missing_optimizer_fails(self):
        certificate = self.verify(optimizer=None)
        self.assertEqual((certificate["verdict"], certificate["reached"]), ("failed", "gradients"))

    def test_the_training_step_is_checked(self):
        (step,) = self.trace["train_steps"]
        self.assertEqual(step["setup"], "model.compile(tf.keras.optimizers.Adam(0.001), 'mse')")
        own = [check for check in self.verify()["checks"] if "own step" in check["name"]]
        self.assertLen(own, 5, own)  # weights, state, two slots, what it returns
        wrong = dict(_STEP, call=_STEP["call"].replace("train_step", "wrong_step"))
        failed = [check["name"] for check in self.verify(train_steps=[wrong])["checks"] if not check["passed"]]
        self.assertTrue(any("own step, fit: slot momentum" in name for name in failed), failed)
        self.assertTrue(all("own step" in name for name in failed), failed)

    def test_a_training_step_that_is_not_checked_is_noted(self):
        for steps in ([], [{"name": "fit", "reason": "its loss has no port"}]):
            certificate = self.verify(train_steps=steps)
            self.assertEqual(certificate["verdict"], "verified")
            notes = [note["note"] for note in certificate["notes"]]
            self.assertTrue(any(note.startswith("the unit's own training step fit is not checked") for note in notes))

    def test_every_known_bug_is_caught(self):
        source = (_DATA / "tower_jax.py").read_text()
        oracle = oracle_file.read(str(self.folder / "oracle.safetensors"))
        missed, kinds = [], set()
        epsilons = mutate.mutants(source, self.map, [mutations.norm_epsilon], per_kind=4)
        others = [mutation for mutation in mutations.MUTATIONS if mutation is not mutations.norm_epsilon]
        for mutant in [*epsilons, *mutate.mutants(source, self.map, others, per_kind=1)]:
            result = mutate.caught(mutant, "tower_jax.py", self.trace, oracle)
            self.assertIsNotNone(result, f"{mutant.kind} does not run")
            kinds.add(mutant.kind)
            if not result:
                missed.append(f"{mutant.kind}: {mutant.what}")
        self.assertEmpty(missed)
        # The tower takes no epsilon as a parameter; mutants_test has a unit that does.
        wanted = {mutation.__name__ for mutation in mutations.MUTATIONS} - {"activation", "default_epsilon"}
        self.assertEmpty(wanted - kinds)


if __name__ == "__main__":
    absltest.main()
