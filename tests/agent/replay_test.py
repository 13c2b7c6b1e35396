"""Tests ports with recorded answers: what is missing, unused, edited or given for other code is told."""

import functools
import json
import pathlib
import shutil
import time

from absl.testing import absltest

from agent import answers, fill
from agent.errors import AnswerError
from agent.records import Answer
from agent.replay import Replayed, Unit, replay
from tests.agent import made


@functools.cache
def asked() -> Replayed:
    """What the model asks without answers."""
    return replay(Unit(made.MODEL, None, None), {})


class ReplayTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.asked = asked()
        self.folder = pathlib.Path(self.create_tempdir())
        self.model = self.folder / "model.py"
        shutil.copyfile(made.MODEL, self.model)

    def running(self) -> Answer:
        """The answer to what `Running` asks."""
        return made.answer(self.asked.open[0].request)

    def fill(self, *given: Answer):
        """The port with these answers, from files."""
        written = answers.write(self.folder / "answers", given)
        return fill.fill(Unit(self.model, None, None), sorted(written), "jaxport ask model.py")

    def test_asks_for_causes_and_says_what_waits(self):
        running, net = self.asked.open
        self.assertEqual([running.request.subject.function, net.request.subject.function], ["Running.call", "Net"])
        self.assertEqual((running.after, net.after), ((), ("Running",)))
        self.assertEqual(running.request.subject.causes[0].text, made.UNKNOWN)

    def test_ports_in_full_with_shapes_through_the_answer(self):
        result = self.fill(self.running())
        self.assertEmpty(result.port.unit.residuals)
        self.assertIn("before = 0.5 * (jnp.cumsum(h, axis=-1) - h)\n", result.port.source)
        self.assertIn("self.out = Linear(8, 3, rngs=rngs)", result.port.source)
        self.assertNotIn("tensorflow", result.port.source)
        (span,) = result.spans()
        self.assertEqual((span["file"], span["line"], span["symbols"]), ("model.py", 18, ["tf.raw_ops.Cumsum"]))
        self.assertEqual(span["origin"], {"kind": "file", "name": "a test"})

    def test_missing_leaves_the_residuals(self):
        result = self.fill()
        self.assertLen(result.port.unit.residuals, 2)
        self.assertIn("class Running(tf.keras.layers.Layer)", result.port.source)

    def test_holds_where_other_code_changes(self):
        self.model.write_text("import os\n\nassert os\n\n\n" + self.model.read_text())
        self.assertEmpty(self.fill(self.running()).port.unit.residuals)

    def test_given_for_other_code(self):
        self.model.write_text(self.model.read_text().replace("axis=-1, ex", "axis=1, ex"))
        with self.assertRaisesRegex(
            AnswerError,
            r"Running.call-\w+.json: the code of Running.call is not what it was given for.* run: jaxport ask",
        ):
            self.fill(self.running())

    def test_unused(self):
        self.model.write_text(
            self.model.read_text().replace(made.UNKNOWN, "tf.math.cumsum(h, axis=-1, exclusive=True)")
        )
        with self.assertRaisesRegex(AnswerError, r"Running.call-\w+.json: nothing in Running.call asks for it"):
            self.fill(self.running())

    def test_that_can_not_be_applied(self):
        with self.assertRaisesRegex(AnswerError, r"json: the answer .* can't be used: there is no `jnp.cumsums`"):
            self.fill(made.answer(self.asked.open[0].request, made.reply(replace="jnp.cumsums(h)")))

    def test_what_rules_can_not_port_stays_a_residual(self):
        raw = made.reply(search=made.UNKNOWN, replace=made.UNKNOWN.replace("reverse=False", "reverse=True"))
        result = self.fill(made.answer(self.asked.open[0].request, raw))
        self.assertLen(result.unsettled, 1)
        residuals = result.port.residuals()["residuals"]
        self.assertEqual((residuals[0]["line"], residuals[0]["symbol"]), (18, "tf.raw_ops.Cumsum"))

    def test_program(self):
        answers.write(self.folder / "answers", [self.running()])
        out = self.folder / "out"
        arguments = [f"--source={self.model}", f"--answers={self.folder}/answers", f"--out={out}"]
        self.assertEqual(fill.main(arguments), 0)
        first = {p.name: p.read_bytes() for p in out.iterdir()}
        self.assertEqual(fill.main(arguments), 0)
        self.assertEqual({p.name: p.read_bytes() for p in out.iterdir()}, first)
        self.assertLen(json.loads(first["residuals.json"])["answers"], 1)
        self.assertEqual(fill.main([*arguments, f"--state={self.folder}/state.json"]), 0)
        self.assertEqual(json.loads((self.folder / "state.json").read_text()), {"open": [], "problems": []})

    def test_many_answers(self):
        """Reading, checking and applying them; the time that it takes is printed."""
        count = 100
        source = "import tensorflow as tf\n" + "".join(
            f"\n\ndef f{i}(x):\n    return tf.raw_ops.Cumsum(x=x, axis=0, exclusive=True)\n" for i in range(count)
        )
        self.model.write_text(source)
        unit = Unit(self.model, None, None)
        open_ = replay(unit, {}).open
        self.assertLen(open_, count)
        raw = made.reply("tf.raw_ops.Cumsum(x=x, axis=0, exclusive=True)", "jnp.cumsum(x, axis=0) - x")
        folder = self.folder / "many"
        written = answers.write(folder, [made.answer(entry.request, raw) for entry in open_])
        started = time.monotonic()
        result = fill.fill(unit, sorted(written), "ask")
        seconds = time.monotonic() - started
        print(f"{count} answers replayed in {seconds:.1f} s")
        self.assertLen(result.applied, count)
        self.assertEmpty(result.port.unit.residuals)


if __name__ == "__main__":
    absltest.main()
