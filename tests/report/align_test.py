"""Functions of the original stand beside those of the port."""

from absl.testing import absltest

from report import align, unit

SOURCE = '''\
"""A model."""
import tensorflow as tf

WIDTH = 8


# Two layers.
def build_encoder(width=WIDTH):
    return tf.keras.Sequential([tf.keras.layers.Dense(width)])


class VAE(tf.keras.Model):
    """Doc."""

    def __init__(self):
        super().__init__()

    @tf.function
    def call(self, x):
        return x

    def train_step(self, data):
        return {}


if __name__ == "__main__":
    build_encoder()
'''

PORT = '''\
"""A model."""
from flax import nnx

WIDTH = 8


# Two layers.
class BuildEncoder(nnx.Module):
    def __init__(self, in_features, width=WIDTH, *, rngs):
        self.dense = nnx.Linear(in_features, width, rngs=rngs)

    def __call__(self, x):
        return self.dense(x)


class VAE(nnx.Module):
    """Doc."""

    def __init__(self, *, rngs):
        pass

    def __call__(self, x):
        return x


def train_step(model, optimizer, metrics, data):
    return {}


def helper():
    pass


if __name__ == "__main__":
    BuildEncoder(3, rngs=nnx.Rngs(0))
'''


def _first_lines(chunks, text):
    lines = text.split("\n")
    return [next(x for x in lines[c.start - 1 : c.end] if x.strip()) for c in chunks]


class AlignTest(absltest.TestCase):
    def test_every_line_is_in_one_chunk(self):
        for text in (
            SOURCE,
            PORT,
            "",
            "\n\n",
            "x = 1",
            "# only\n# comments\n",
            "class A: pass\n",
            "a\x0cb = 1\nc = 2\n",
        ):
            with self.subTest(text[:20]):
                lines = [n for c in align.chunks(text) for n in range(c.start, c.end + 1)]
                self.assertEqual(lines, list(range(1, unit.line_count(text) + 1)))

    def test_comments_and_decorators_go_with_what_follows(self):
        starts = _first_lines(align.chunks(SOURCE), SOURCE)
        self.assertIn("# Two layers.", starts)
        self.assertIn("    @tf.function", starts)

    def test_rows(self):
        rows = align.align(align.chunks(SOURCE), align.chunks(PORT))
        self.assertEqual(
            [row.title for row in rows],
            [
                "imports",
                "code WIDTH",
                "build_encoder → BuildEncoder",
                "VAE",
                "VAE.__init__",
                "VAE.call → VAE.__call__",
                "VAE.train_step → train_step",
                "helper",
                "main",
            ],
        )
        encoder = rows[2]
        self.assertLen(encoder.right, 3)

    def test_every_chunk_is_shown_once(self):
        left, right = align.chunks(SOURCE), align.chunks(PORT)
        rows = align.align(left, right)
        self.assertEqual([c for row in rows for c in row.left], left)
        self.assertCountEqual([c for row in rows for c in row.right], right)

    def test_no_guess_takes_what_belongs_to_another(self):
        rows = align.align(
            align.chunks("def a_model():\n    pass\n"), align.chunks("class B:\n    def call(self): pass\n")
        )
        self.assertEqual([(len(r.left), len(r.right)) for r in rows], [(0, 1), (0, 1), (1, 0)])

    def test_a_file_that_does_not_parse_is_one_chunk(self):
        self.assertLen(align.chunks("def f(:\n  pass\n"), 1)

    def test_code_is_found_by_what_it_binds(self):
        left = align.chunks("import a\nPAD = 0\nLIMIT: int = 3\n")
        right = align.chunks("import b\nLinear = b.partial()\n\nPAD = 0\n")
        rows = align.align(left, right)
        self.assertEqual([(len(row.left), len(row.right)) for row in rows], [(1, 1), (1, 1)])
        self.assertEqual(rows[1].left[0].defines, {"PAD", "LIMIT"})


if __name__ == "__main__":
    absltest.main()
