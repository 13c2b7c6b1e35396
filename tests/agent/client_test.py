"""Tests the client against a scripted service on loopback: what it sends, and how each trouble ends."""

import logging
import os
import pathlib
import time
from unittest import mock

from absl.testing import absltest, parameterized

from agent import budget, config, questions
from agent.client import Client
from agent.journal import Journal
from agent.records import Cause, OpenRequest, Request, Subject
from agent.replies import NoReply
from parity.errors import BadInputError
from tests.agent import made
from tests.agent.service import Service, Turn

KEY = "planted-key-4711"
REQUEST = OpenRequest(
    request=Request(
        subject=Subject(
            function="f", definition="x = tf.f()", region="x = tf.f()", line=0, column=0,
            causes=(Cause(symbol="tf.f", text="tf.f()", line=0, column=4),),
        ),
        reasons=("no rule",),
    ),
    file="f.py",
    line=1,
)  # fmt: skip
QUESTION = questions.edit(REQUEST, None)
RIGHT = Turn(made.reply())

UNLIMITED = config.Limits()


class ClientTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(os.environ, {"GEMINI_API_KEY": KEY}))
        self.pauses: list[float] = []

    def client(self, service: Service, stream: bool = True, limits: config.Limits = UNLIMITED, **sending) -> Client:
        settings = config.Config(
            service=config.Service(base_url=service.url, stream=stream),
            request=config.Sending(**{"model": "scripted", "timeout": 2.0, "attempts": 3, **sending}),
            budget=limits,
            prices={"scripted": config.Price(input="1", output="10")},
        )
        return Client(settings, budget.Budget(limits), self.pauses.append)

    @parameterized.parameters(True, False)
    def test_asks(self, stream):
        with Service([RIGHT]) as service:
            replied = self.client(service, stream).reply(QUESTION)
        self.assertEqual(replied.raw, made.reply())
        self.assertEqual((replied.origin.kind, replied.origin.name), ("model", "scripted"))
        self.assertEqual((replied.usage.input_tokens, replied.usage.output_tokens), (1000, 100))
        self.assertEqual(replied.usage.cost, "0.002")
        ((path, body),) = service.requests
        method = "streamGenerateContent?alt=sse" if stream else "generateContent"
        self.assertEqual(path, f"/v1beta/models/scripted:{method}")
        self.assertIn("x = tf.f()", body["contents"][0]["parts"][0]["text"])
        self.assertEqual(body["generationConfig"]["responseMimeType"], "application/json")
        schema = next(v for k, v in body["generationConfig"].items() if "schema" in k.lower())
        self.assertIn("edits", schema["properties"])
        self.assertEqual(service.keys, [KEY])

    @parameterized.parameters(True, False)
    def test_waits_as_long_as_it_is_told(self, stream):
        busy = Turn(status=429, headers={"Retry-After": "7"})
        with Service([busy, Turn(status=503), RIGHT]) as service:
            self.assertEqual(self.client(service, stream).reply(QUESTION).raw, made.reply())
        self.assertEqual(self.pauses, [7.0, 2.0])

    def test_gives_up_after_its_attempts(self):
        with (
            Service([Turn(status=500)], repeat=True) as service,
            self.assertRaisesRegex(NoReply, "the service gave no reply: 500 UNAVAILABLE: by the script"),
        ):
            self.client(service).reply(QUESTION)
        self.assertLen(service.requests, 3)

    @parameterized.parameters(400, 401, 403, 404)
    def test_does_not_repeat_what_can_not_pass(self, status):
        with (
            Service([Turn(status=status)], repeat=True) as service,
            self.assertRaisesRegex(NoReply, f"no reply: {status}"),
        ):
            self.client(service).reply(QUESTION)
        self.assertLen(service.requests, 1)

    @parameterized.parameters(True, False)
    def test_does_not_hang(self, stream):
        with Service([Turn(hang=30), RIGHT]) as service:
            started = time.monotonic()
            replied = self.client(service, stream, timeout=1.0).reply(QUESTION)
        self.assertLess(time.monotonic() - started, 15)
        self.assertEqual(replied.raw, made.reply())

    def test_half_a_reply_is_asked_for_again(self):
        with Service([Turn(made.reply(), cut=True), RIGHT]) as service:
            self.assertEqual(self.client(service).reply(QUESTION).raw, made.reply())

    @parameterized.parameters(True, False)
    def test_no_reply_in_what_is_no_protocol(self, stream):
        with Service([Turn(body="<html>busy</html>")], repeat=True) as service, self.assertRaises(NoReply):
            replied = self.client(service, stream).reply(QUESTION)
            if not replied.raw:
                raise NoReply("empty")

    @parameterized.parameters(
        (config.Limits(calls=2), budget.CallsSpent, 2),
        (config.Limits(tokens=2000), budget.TokensSpent, 2),
        (config.Limits(cost="0.003"), budget.MoneySpent, 2),
        (config.Limits(seconds=0.0), budget.TimeSpent, 0),
    )
    def test_budgets(self, limits, error, calls):
        with Service([RIGHT], repeat=True) as service:
            client = self.client(service, limits=limits)
            with self.assertRaises(error):
                for _ in range(5):
                    client.reply(QUESTION)
        self.assertLen(service.requests, calls)

    def test_time_that_is_not_there_is_not_waited(self):
        with (
            Service([Turn(status=429, headers={"Retry-After": "50"})], repeat=True) as service,
            self.assertRaisesRegex(budget.TimeSpent, "asks to wait 50 s"),
        ):
            self.client(service, limits=config.Limits(seconds=20.0)).reply(QUESTION)

    def test_without_a_key(self):
        with (
            mock.patch.dict(os.environ, {"GEMINI_API_KEY": ""}),
            Service([]) as service,
            self.assertRaisesRegex(BadInputError, "set GEMINI_API_KEY .* or give --prompts_dir"),
        ):
            self.client(service)

    def test_the_key_is_in_no_log_and_no_message(self):
        with self.assertLogs(level=logging.DEBUG) as logs, Service([Turn(status=401), RIGHT]) as service:
            logging.getLogger().setLevel(logging.DEBUG)
            logging.debug("at least one")
            client = self.client(service)
            with self.assertRaises(NoReply) as caught:
                client.reply(QUESTION)
            client.reply(QUESTION)
        self.assertNotIn(KEY, "".join(logs.output) + str(caught.exception) + repr(client) + repr(vars(client.budget)))

    def test_a_reply_is_paid_for_once(self):
        folder = pathlib.Path(self.create_tempdir())
        with Service([RIGHT]) as service:
            first = Journal(self.client(service), folder).reply(QUESTION)
            again = Journal(self.client(service), folder)
            self.assertEqual(again.reply(QUESTION), first)
            self.assertEqual(again.reused, 1)
        self.assertLen(service.requests, 1)
        self.assertNotIn(KEY, "".join(p.read_text() for p in folder.rglob("*.json")))
        again.forget([REQUEST.name])
        self.assertFalse(folder.exists())


class ImportsTest(absltest.TestCase):
    def test_one_file_calls_out(self):
        folder = pathlib.Path(__file__).parents[2] / "agent"
        files = [path for path in sorted(folder.rglob("*.py")) if "google" in path.read_text()]
        self.assertEqual([path.name for path in files], ["client.py"])


class ConfigTest(parameterized.TestCase):
    def test_own_file(self):
        found = config.read(config.OWN)
        self.assertIn(found.request.model, found.prices)

    @parameterized.parameters(
        ("[request]\nmodel = 3", r"models.toml: request.model: Input should be a valid string"),
        ("[request]\nmodel = 'm'\nkey = 'secret'", r"models.toml: request.key: Extra inputs"),
        (
            "[request]\nmodel = 'm'\n[budget]\ncost = '1'",
            r"models.toml: limits the cost, and has no prices for the model m",
        ),
        ("[request", r"models.toml: can't be read"),
    )
    def test_says_what_is_wrong(self, text, reason):
        path = pathlib.Path(self.create_tempdir(), "models.toml")
        path.write_text(text)
        with self.assertRaisesRegex(BadInputError, reason):
            config.read(path)


if __name__ == "__main__":
    absltest.main()
