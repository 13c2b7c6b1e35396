"""Tests plans: what is in them, how they read, and that what a user changes in one is kept and obeyed."""

import pathlib
import textwrap
from typing import Any, cast

from absl.testing import absltest

from agent import fill, plan_page, plans, replay
from agent.asking import Asking
from agent.questions import Question
from agent.replies import NoReply, Replied
from parity.errors import BadInputError
from tests.agent import made

SHAPES = """
import tensorflow as tf


def halved(x):
    return x / 2.0


def running(x):
    return tf.raw_ops.Cumsum(x=halved(x), axis=0)


def even(x, n=0):
    return odd(x, n - 1) if n else tf.nn.relu(x)


def odd(x, n=1):
    return even(x, n - 1) if n else tf.nn.relu(running(x))


def shadowed(halved):
    return halved + 1.0
"""
MAIN = """
import tensorflow as tf

from shapes import running as total


def first(x):
    return tf.raw_ops.Xdivy(x=total(x), y=x)


def second(x, scale=total):
    return tf.nn.tanh(scale(x))
"""


class Silent:
    """Answers nothing, and keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def reply(self, question: Question) -> Replied:
        self.asked.append(question.name.split("-")[0])
        raise NoReply("nobody is there")


class PlansTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.root = pathlib.Path(self.create_tempdir()).resolve()
        (self.root / "shapes.py").write_text(textwrap.dedent(SHAPES))
        (self.root / "main.py").write_text(textwrap.dedent(MAIN))

    def plan(self, name: str = "main.py") -> plans.Plan:
        """The plan of a file of the package."""
        unit = replay.Unit(self.root / name, None, self.root)
        return fill.plan(unit, replay.replay(unit, {}))

    def test_leaf_to_root_through_files(self):
        plan = self.plan()
        names = plan_page.names(plan)
        numbers = {name: number for number, name in names.items()}
        self.assertLess(numbers["halved"], numbers["running"])
        self.assertLess(numbers["running"], numbers["even, odd"])
        after = {names[c.number]: [names[n] for n in c.after] for c in plan.components}
        self.assertEqual(after["running"], ["halved"])
        self.assertEqual(after["even, odd"], ["running"])
        self.assertEqual(after["second"], ["running"])
        self.assertEqual(after["shadowed"], [])
        states = {d.name: (d.state, d.file) for d in plan.definitions}
        self.assertEqual(states["running"], ("asks", "shapes.py"))
        self.assertEqual(states["second"], ("waits", "main.py"))
        self.assertEqual(states["halved"], ("ported", "shapes.py"))
        (main,) = (file for file in plan.files if file.path == "main.py")
        self.assertEqual(main.imports, ("shapes.py",))

    def test_what_is_left_and_why(self):
        running, first = self.plan().items
        self.assertEqual((running.function, running.symbols), ("running", ("tf.raw_ops.Cumsum",)))
        self.assertIn("use the public function", running.why[0])
        self.assertTrue(any(risk.startswith("3 definitions") for risk in running.risks), running.risks)
        self.assertIn("what it uses is open, too: running", first.risks)
        self.assertEqual(running.settles, "rule")
        self.assertEqual(first.statement, "return tf.raw_ops.Xdivy(x=total(x), y=x)")
        self.assertBetween(running.input_tokens, 400, 1500)

    def test_answers_are_in_it(self):
        unit = replay.Unit(made.MODEL, None, None)
        asked = replay.replay(unit, {}).open[0]
        answer = made.answer(asked.request)
        plan = fill.plan(unit, replay.replay(unit, {answer.key: answer}))
        self.assertEqual([d.state for d in plan.definitions], ["answered", "ported"])
        self.assertEqual([item.state for item in plan.items], ["answered"])
        self.assertEqual((plan.asked, plan.tokens()), ([], (0, 0)))

    def test_reads(self):
        plan = self.plan()
        text = plan_page.as_text(plan)
        self.assertRegex(text, r"2\. asks     running \(shapes.py:\d+\): tf.raw_ops.Cumsum\n")
        self.assertIn("2 to 6 calls", text)
        self.assertRegex(text, r"waits    second .*\[after running\]")
        page = plan_page.as_html(plan)
        self.assertIn("tf.raw_ops.Xdivy", page)
        self.assertNotIn("<script", page)
        self.assertEqual(page, plan_page.as_html(self.plan()))

    def test_code_in_the_page_is_text(self):
        (self.root / "main.py").write_text(
            "import tensorflow as tf\nx = tf.raw_ops.Print(x='<script>alert(1)</script>')\n"
        )
        self.assertIn("&lt;script&gt;", plan_page.as_html(self.plan()))

    def test_what_a_user_changed_is_kept(self):
        plan = self.plan()
        first, second = plan.items
        path = self.root / "plan.json"
        path.write_text(
            plans.dump(plan.model_copy(update={"items": (second, first.model_copy(update={"skip": True}))}))
        )
        new = plans.edited(self.plan(), plans.read(path))
        self.assertEqual([item.key for item in new.items], [second.key, first.key])
        self.assertEqual([item.skip for item in new.items], [False, True])
        self.assertEqual([item.key for item in new.asked], [second.key])

    def test_a_plan_for_other_text_is_refused(self):
        plan = self.plan()
        same = {file.path: file.digest for file in plan.files}
        plans.check_fits(plan, same, "plan.json", "jaxport plan")
        with self.assertRaisesRegex(
            BadInputError, "plan.json: was made for another text of main.py; run `jaxport plan`"
        ):
            plans.check_fits(plan, {**same, "main.py": plans.digest("x = 1")}, "plan.json", "jaxport plan")

    def test_that_is_no_plan(self):
        path = self.root / "plan.json"
        path.write_text(plans.dump(self.plan()).replace('"skip": false', '"skip": "no"', 1))
        with self.assertRaisesRegex(BadInputError, "is no plan: items.0.skip"):
            plans.read(path)

    def test_asking_goes_by_it(self):
        (self.root / "main.py").write_text(
            "import tensorflow as tf\n"
            + "".join(f"\n\ndef f{i}(x):\n    return tf.raw_ops.Cumsum(x=x, axis={i})\n" for i in range(3))
        )
        unit = replay.Unit(self.root / "main.py", None, None)

        class Trials:
            def port(self, answers: Any) -> Any:
                result = replay.replay(unit, {})
                return fill.state(result), None

        plan = self.plan()
        items = [plan.items[2], plan.items[1].model_copy(update={"skip": True}), plan.items[0]]
        silent = Silent()
        asking = Asking(cast(Any, Trials()), silent, 1, plan=plan.model_copy(update={"items": tuple(items)}))
        outcome = asking.run([])
        self.assertEqual(silent.asked, ["f2", "f0"])
        reasons = {request.request.subject.function: reason for request, reason in outcome.open}
        self.assertEqual(reasons["f1"], "skipped by the plan")


if __name__ == "__main__":
    absltest.main()
