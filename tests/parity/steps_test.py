"""Tests units of several models, and functions that train: found, run, and compared with a hand-made port."""

import json
import pathlib
from typing import Any

from absl.testing import absltest

from parity import capture, oracle_file, verify
from parity.unit import Request

_DATA = pathlib.Path(__file__).parent / "testdata"
_ENTRY = "{'forger': forger, 'critic': critic}"
_CALL = "model['critic'](model['forger'](*inputs, training=False))"
_LAYERS = {"kernel": "kernel", "bias": "bias", "gamma": "scale", "beta": "bias"}
_LAYERS |= {"moving_mean": "mean", "moving_variance": "var"}


class StepsTest(absltest.TestCase):
    folder: pathlib.Path
    trace: dict[str, Any]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = pathlib.Path(absltest.TEST_TMPDIR.value) / "steps"
        request = Request(str(_DATA / "rivals.py"), entry=_ENTRY, specs=("float32[6,4]",), call=_CALL)
        capture.capture(request, str(cls.folder), keras="3")
        cls.trace = json.loads((cls.folder / "trace.json").read_text())

    def verify(self, step: dict[str, str]) -> dict[str, Any]:
        weights = []
        for name, number in self.trace["root"].items():
            layers = [self.trace["objects"][i] for i in self.trace["objects"][number]["attrs"]["layers"]]
            places = ["hidden", "norm", "out"] if len(layers) == 3 else ["hidden", "out"]
            for place, layer in zip(places, layers, strict=True):
                for v in layer["variables"]:
                    target = f"{name}.{place}.{_LAYERS[v['name']]}"
                    weights.append({"source": v["index"], "path": v["path"], "target": target, "steps": []})
        port = {
            "version": 1,
            "module": "rivals_jax.py",
            "entry": _ENTRY,
            "call": _CALL,
            "mode": True,
            "optimizer": "optax.adam(1e-3, eps=1e-7)",
            "train_steps": [step],
            "weights": weights,
        }
        (self.folder / "map.json").write_text(json.dumps(port))
        weights_map, trace, oracle = (str(self.folder / f) for f in ("map.json", "trace.json", "oracle.safetensors"))
        return verify.verify(str(_DATA / "rivals_jax.py"), weights_map, trace, oracle, "step")

    def test_roots_are_named(self):
        self.assertEqual(list(self.trace["root"]), ["forger", "critic"])
        self.assertLen(set(self.trace["root"].values()), 2)

    def test_functions_that_train_are_found(self):
        found = ["train_step(batch[0])", "fit_step(model['forger'], batch[0], batch[1], 0.001)"]
        self.assertEqual([step["call"] for step in self.trace["train_steps"]], found)
        self.assertEqual(self.trace["train_steps"][0]["batch"], [{"shape": [6, 5], "dtype": "float32"}])
        notes = "\n".join(oracle_file.read(str(self.folder / "oracle.safetensors")).notes)
        self.assertRegex(notes, r"train_inline \(line \d+\) is not checked: it loops over its data itself")
        self.assertRegex(notes, r"Trainer.step \(line \d+\) is not checked: it is a method of Trainer")

    def test_both_models_and_optimizers_are_compared(self):
        arguments = "forger, critic, forger_optimizer, critic_optimizer, batch[0], rngs=rngs"
        certificate = self.verify({"name": "train_step", "setup": "", "call": f"train_step({arguments})"})
        self.assertEqual(certificate["verdict"], "verified", verify.table(certificate))
        notes = [note["note"] for note in certificate["notes"]]
        self.assertIn("the unit's own training step fit_step is not checked: the port has none", notes)
        own = "\n".join(check["name"] for check in certificate["checks"] if "own step" in check["name"])
        self.assertIn("critic_optimizer: slot momentum", own)
        self.assertIn("forger_optimizer: slot velocity", own)

        certificate = self.verify({"name": "train_step", "setup": "", "call": f"stale_step({arguments})"})
        failed = [check["name"] for check in certificate["checks"] if not check["passed"]]
        self.assertNotEmpty(failed)
        self.assertTrue(all("own step" in name for name in failed), failed)


if __name__ == "__main__":
    absltest.main()
