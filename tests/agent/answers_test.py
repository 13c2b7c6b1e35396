"""Tests how answers are kept: hashing, schema, and what is said of files that were changed."""

import json
import pathlib

from absl.testing import absltest, parameterized

from agent import answers
from agent.canonical import canonical, digest
from agent.errors import AnswerError, EditError
from agent.records import Cause, Request, Subject
from agent.reply import parsed
from tests.agent import made


def request(**changes) -> Request:
    """A request about one statement."""
    fields = {
        "function": "Running.call", "definition": "x = f()", "region": "x = f()", "line": 0, "column": 0,
        "causes": (Cause(symbol="tf.f", text="f()", line=0, column=4),), **changes,
    }  # fmt: skip
    return Request(subject=Subject(**fields), reasons=("no rule",))


class CanonicalTest(absltest.TestCase):
    def test_order_and_script_do_not_matter(self):
        self.assertEqual(canonical({"b": 1, "a": "é"}), '{"a":"\\u00e9","b":1}')
        self.assertEqual(digest({"b": [1], "a": None}), digest({"a": None, "b": [1]}))
        self.assertNotEqual(digest({"a": 1}), digest({"a": "1"}))

    def test_no_number_without_a_value(self):
        with self.assertRaises(ValueError):
            canonical(float("nan"))

    def test_the_key_holds_what_is_asked_alone(self):
        first = request()
        same = first.model_copy(update={"reasons": ("other words",), "facts": ("a fact",)})
        self.assertEqual(first.subject.key, same.subject.key)
        self.assertNotEqual(first.subject.key, request(region="y = f()").subject.key)
        # As in files of today: a change of it makes every answer that is kept useless.
        self.assertEqual(first.subject.key[:16], "93176367f0c36c09")


class FilesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = pathlib.Path(self.create_tempdir())
        self.answer = made.answer(request())
        (self.path,) = answers.write(self.folder, [self.answer])

    def test_reads_what_it_wrote(self):
        self.assertEqual(answers.load(self.path, "ask"), self.answer)
        self.assertEqual(self.path.name, f"Running.call-{self.answer.key[:12]}.json")
        self.assertEqual(answers.files(self.folder), [self.path])

    @parameterized.parameters(
        (lambda d: d.update(raw=d["raw"].replace("cumsum", "cumprod")), "was edited after it was recorded"),
        (lambda d: d["edit"][0].update(replace="h"), "was edited after it was recorded"),
        (lambda d: d["origin"].update(name="somebody"), "was edited after it was recorded"),
        (lambda d: d["request"]["subject"].update(region="z"), "was edited after it was recorded"),
        (lambda d: d.update(key="0" * 64), "was edited after it was recorded"),
        (lambda d: d.pop("usage"), "is not a recorded answer: usage: Field required"),
        (lambda d: d.update(more=1), "is not a recorded answer: more: Extra inputs are not permitted"),
        (lambda d: d.update(version=2), "is not a recorded answer: version"),
    )
    def test_a_changed_file_is_named_with_what_to_run(self, change, reason):
        content = json.loads(self.path.read_text())
        change(content)
        self.path.write_text(json.dumps(content))
        with self.assertRaisesRegex(AnswerError, rf"{self.path}: {reason}.*run:? `?ask"):
            answers.load(self.path, "ask")

    def test_no_json(self):
        self.path.write_text("{")
        with self.assertRaisesRegex(AnswerError, "is not a recorded answer: the whole: Invalid JSON"):
            answers.load(self.path, "ask")

    def test_an_edit_that_is_not_the_replys(self):
        other = made.answer(request(), made.reply(replace="h")).edit
        answers.write(self.folder, [self.answer.model_copy(update={"edit": other}).sealed()])
        with self.assertRaisesRegex(AnswerError, "holds another edit than its reply"):
            answers.load(self.path, "ask")

    def test_two_of_one_request(self):
        copy = self.folder / "z.json"
        copy.write_text(self.path.read_text())
        with self.assertRaisesRegex(AnswerError, r"z.json: answers the same request as .*Running"):
            answers.load_all([self.path, copy], "ask")


class ReplyTest(parameterized.TestCase):
    @parameterized.parameters("", " \n")
    def test_json_alone_or_fenced(self, tail):
        plain = made.reply()
        fenced = f"Here it is:\n```json\n{plain}```\nDone."
        self.assertEqual(parsed(plain + tail), parsed(fenced + tail))

    @parameterized.parameters(
        ("", "the reply is empty"),
        ('{"edits": [{"search": "a", "repl', "the reply is not the JSON asked for"),
        ("Sure! Use jnp.cumsum.", "the reply is not the JSON asked for"),
        ('{"edits": [{"search": "", "replace": "b"}]}', "edits.0.search"),
        ('{"edits": [], "refusal": "no such op"}', "the reply has no edits: no such op"),
        ('{"edits": [{"search": "a", "replace": 3}]}', "edits.0.replace"),
    )
    def test_says_what_is_wrong(self, raw, reason):
        with self.assertRaisesRegex(EditError, reason):
            parsed(raw)


if __name__ == "__main__":
    absltest.main()
