"""Tests users' own rules: how they are added, and that only those that hold are certified."""

import pathlib
import textwrap

from absl.testing import absltest, parameterized

from codemods import rule_files
from codemods.engine import rule as rules
from codemods.port import Port
from codemods.rule_files import RuleFileError
from parity.rule_oracle import certify

HERE = pathlib.Path(__file__).parent
GOOD = str(HERE / "rules" / "exclusive_sum.py")
HEAD = """
import jax
import jax.numpy as jnp
from jax import lax

from codemods.engine.rule import constant, f32, inline, rule, sample

"""
#: Xlogy: the gradient by x is log(y), also where x is 0.
SAMPLES = "samples=[sample(f32(4, 3), f32(4, 3, low=0.5))]"


class RulesTest(parameterized.TestCase):
    def file(self, body: str) -> str:
        """A rule file with this after the usual imports."""
        path = pathlib.Path(self.create_tempdir()) / "some_rules.py"
        path.write_text(HEAD + textwrap.dedent(body))
        return str(path)

    def problems(self, body: str) -> str:
        """What is wrong with the one rule of a file."""
        added = rule_files.add([self.file(body)])
        self.addCleanup(rule_files.remove, added)
        return "\n".join(certify.certify(added[0]).problems)

    def test_applies_at_every_site(self):
        source = (HERE / "summed.py").read_text()
        self.assertNotEmpty(Port(source, "summed.py", None).unit.residuals)
        added = rule_files.add([GOOD])
        port = Port(source, "summed.py", None)
        rule_files.remove(added)
        self.assertEmpty(port.unit.residuals)
        self.assertIn("return jnp.cumsum(x, -1) - x", port.source)
        self.assertIn("jnp.flip(jnp.cumsum(jnp.flip(h, 1), 1), 1) * 0.5", port.source)
        self.assertNotEmpty(Port(source, "summed.py", None).unit.residuals)

    def test_a_good_one_is_certified(self):
        (added,) = rule_files.add([GOOD])
        self.addCleanup(rule_files.remove, [added])
        found = certify.certify(added)
        self.assertEmpty(found.problems)
        self.assertEqual((found.mutants, found.killed + found.same), (25, 25))
        self.assertGreater(found.cases["agrees"], 20)

    @parameterized.named_parameters(
        ("value", "jnp.where(x == 0, 0.0, x * jnp.log(y) + 1e-3)", "sample"),
        ("gradient", "lax.stop_gradient(x) * jnp.log(y)", "gradient"),
        ("dtype", "(x * jnp.log(y)).astype(jnp.float16)", "float16"),
        ("edge", "x * jnp.log(y) / jnp.where(x == 0, 1.0, 1.0) * jnp.sign(y)", "sample|nan|zero|empty|scalar"),
        ("shape", "jnp.sum(x * jnp.log(y))", "shape|sample"),
        ("raises", "x.nothing", "AttributeError"),
    )
    def test_wrong(self, code, reason):
        found = self.problems(
            f"""
            @rule("tf.raw_ops.Xlogy", {SAMPLES})
            def xlogy(x, y, name=None):
                return {code}
            """
        )
        if code.endswith("jnp.sign(y)"):  # the same where y > 0: nothing but mutants of it can be told
            self.assertNotEmpty(found)
        else:
            self.assertRegex(found, reason)

    def test_samples_that_tell_nothing(self):
        found = self.problems(
            """
            @rule("tf.raw_ops.Cumsum", samples=[sample(f32(1, 3), axis=0)])
            def cumsum(x, axis, exclusive=False, reverse=False, name=None):
                return jnp.cumsum(x, axis)
            """
        )
        self.assertNotEmpty(found)

    @parameterized.named_parameters(
        ("signature", f'@rule("tf.raw_ops.Xlogy", {SAMPLES})\ndef f(x, z, name=None):\n    return x', "its parameters are"),
        ("samples", '@rule("tf.raw_ops.Xlogy")\ndef f(x, y, name=None):\n    return x', "it has no samples"),
        ("symbol", '@rule("tf.raw_ops.Nope", samples=[sample(f32(2))])\ndef f(x):\n    return x', "no such symbol"),
        ("sample", '@rule("tf.raw_ops.Xlogy", samples=[sample("a", 1)])\ndef f(x, y, name=None):\n    return x', "does not take a"),
    )  # fmt: skip
    def test_unfit(self, code, reason):
        self.assertIn(reason, self.problems(code))

    @parameterized.named_parameters(
        ("raises", "1 / 0", "raised when imported: ZeroDivisionError"),
        (
            "twice",
            '@rule("tf.nn.relu")\ndef f(x):\n    return x',
            "raised when imported: ValueError: two rules for tf.nn.relu",
        ),
        ("none", "x = 1", "holds no rule"),
        ("constant", 'constant("tf.raw_ops.Nope", "1")', "holds a constant, tf.raw_ops.Nope"),
    )
    def test_that_can_not_be_added(self, code, reason):
        before = {name: dict(getattr(rules, name)) for name in ("RULES", "METHODS", "CONSTANTS", "OBJECTS", "INLINED")}
        with self.assertRaisesRegex(RuleFileError, r"some_rules.py:\d+: " + reason):
            rule_files.add([self.file(code)])
        self.assertEqual({name: dict(getattr(rules, name)) for name in before}, before)


if __name__ == "__main__":
    absltest.main()
