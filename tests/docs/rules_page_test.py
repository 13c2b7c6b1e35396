"""docs/rules.md is what Bazel reads in the rules, and nothing public goes without a word."""

from __future__ import annotations

import pathlib

from absl.testing import absltest

from docs import rules_page

EXTRACTED = pathlib.Path("docs/rules_doc.textproto")


class RulesPageTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.module = rules_page.read(EXTRACTED.read_text(encoding="utf-8"))

    def test_the_page_is_up_to_date(self):
        there = pathlib.Path("docs/rules.md").read_text(encoding="utf-8")
        self.assertMultiLineEqual(rules_page.page(self.module), there, f"run {rules_page.COMMAND}")

    def test_everything_public_is_documented(self):
        missing = []
        for kind, name, parts in (
            ("func_info", "function_name", "parameter"),
            ("rule_info", "rule_name", "attribute"),
            ("provider_info", "provider_name", "field_info"),
        ):
            self.assertIn(kind, self.module)
            for item in self.module[kind]:
                for part in [item, *item.get(parts, [])]:
                    if not part.get("doc_string", [""])[0].strip():
                        missing.append((item[name][0], part.get("name", [""])[0]))
        self.assertEmpty(missing)

    def test_reads_nested_messages_and_escapes(self):
        text = 'a {\n  s: "x\\n\\"y\\" \\303\\251"\n  b {\n    n: 3\n  }\n  b {\n  }\n}\nk: true\n'
        expected = {"a": [{"s": ['x\n"y" é'], "b": [{"n": ["3"]}, {}]}], "k": ["true"]}
        self.assertEqual(rules_page.read(text), expected)

    def test_indented_text_becomes_code(self):
        self.assertEqual(
            rules_page._docs("One.\n\n    a()\n\n    b()\n\nTwo."), ["One.", "```starlark\na()\n\nb()\n```", "Two."]
        )


if __name__ == "__main__":
    absltest.main()
