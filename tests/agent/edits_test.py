"""Tests that places in an edited source are those of the original."""

from absl.testing import absltest
from hypothesis import given, settings
from hypothesis import strategies as st

from codemods.engine.edits import Edit, Edits, Lines
from codemods.engine.outcome import Span

_TEXT = st.text(alphabet="ab \n\r\x0cé", max_size=60)


class EditsTest(absltest.TestCase):
    def test_maps_what_is_kept_and_what_is_new(self):
        text = "a = 1\nb = old(2)\nc = 3\n"
        edits = Edits([Edit("f.py", 2, 4, 2, 10, "new(\n    3,\n)")])
        self.assertEqual(edits.apply("f.py", text), "a = 1\nb = new(\n    3,\n)\nc = 3\n")
        self.assertEqual(edits.original(Span("f.py", 5, 0, 5, 5)), Span("f.py", 3, 0, 3, 5))
        self.assertEqual(edits.original(Span("f.py", 2, 0, 4, 1)), Span("f.py", 2, 0, 2, 10))
        self.assertEqual(edits.original(Span("f.py", 3, 4, 3, 5)), Span("f.py", 2, 4, 2, 10))
        self.assertEqual(edits.original(Span("g.py", 5, 0, 5, 5)), Span("g.py", 5, 0, 5, 5))

    def test_overlap_is_refused(self):
        edits = Edits([Edit("f.py", 1, 0, 1, 3, "x"), Edit("f.py", 1, 2, 1, 4, "y")])
        with self.assertRaisesRegex(ValueError, "f.py:1: two edits of one place"):
            edits.apply("f.py", "abcdef\n")

    @settings(max_examples=300, deadline=None)
    @given(_TEXT, _TEXT, st.data())
    def test_places_outside_an_edit_are_kept(self, text, new, data):
        start = data.draw(st.integers(0, len(text)))
        stop = data.draw(st.integers(start, len(text)))
        lines = Lines(text)
        edits = Edits([Edit("f.py", *lines.place(start), *lines.place(stop), new)])
        edited = edits.apply("f.py", text)
        # A carriage return before a line feed is one line end with it: an edit there may join or part the two.
        if "\r" in text + new:
            return
        self.assertEqual(edited, text[:start] + new + text[stop:])
        after = Lines(edited)
        for offset in range(start):
            span = edits.original(Span("f.py", *after.place(offset), *after.place(offset)))
            self.assertEqual((span.line, span.column), lines.place(offset))
        for offset in range(stop, len(text)):
            place = after.place(offset + len(new) - (stop - start))
            span = edits.original(Span("f.py", *place, *place))
            self.assertEqual((span.line, span.column), lines.place(offset))


if __name__ == "__main__":
    absltest.main()
