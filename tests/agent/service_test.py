"""Tests how asking ends, whatever a scripted service says: right, wrong, never right, broken, hostile.

Ports are made in this process, which hostile code does not reach: it is refused before. What is run for real, in the
sandbox, is in `hostile_test` and `asking_test`.
"""

import os
import pathlib
from typing import Any, cast
from unittest import mock

from absl.testing import absltest, parameterized

from agent import budget, config, fill
from agent.asking import Asking, Outcome
from agent.client import Client
from agent.errors import EditError
from agent.journal import Journal
from agent.replay import Unit, replay
from tests.agent import made
from tests.agent.service import Service, Turn

RIGHT = made.reply()
WRONG = made.reply(replace="jnp.cumsum(h, axis=-1)")

UNLIMITED = config.Limits()


class Trials:
    """Ports for real; takes the one right answer for verified."""

    tied = {"network": True, "files": True}

    def port(self, answers):
        """As `agent.trials.Trials.port`; the place is the port's text."""
        result = replay(Unit(made.MODEL, None, None), {answer.key: answer for answer in answers})
        return fill.state(result), result.port.source

    def verify(self, place):
        """Only the right answer passes."""
        if made.RIGHT not in place:
            raise EditError("verify", "FAILED forward: seed 0: off by 1.2")
        return {"reached": "step"}


class ServiceTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.dict(os.environ, {"GEMINI_API_KEY": "planted-key-4711"}))
        self.folder = pathlib.Path(self.create_tempdir())

    def ask(self, service: Service, tries: int = 3, limits: config.Limits = UNLIMITED) -> Outcome:
        """Asks the service about the model."""
        settings = config.Config(
            service=config.Service(base_url=service.url),
            request=config.Sending(model="scripted", timeout=2.0, attempts=3),
            budget=limits,
            prices={"scripted": config.Price(input="1", output="10")},
        )
        client = Client(settings, budget.Budget(limits), lambda seconds: None)
        return Asking(cast(Any, Trials()), Journal(client, self.folder), tries).run([])

    def test_right_at_once(self):
        with Service([Turn(RIGHT)]) as service:
            outcome = self.ask(service)
        (answer,) = outcome.answers.values()
        self.assertEqual((outcome.verified, outcome.open), ("step", []))
        self.assertEqual((answer.origin.kind, answer.origin.name), ("model", "scripted"))
        self.assertEqual((answer.usage.calls, answer.usage.cost), (1, "0.002"))
        self.assertTrue(answer.is_sealed)

    def test_wrong_twice_then_right(self):
        unknown = made.reply(replace="jnp.cumsums(h)")
        with Service([Turn(unknown), Turn(WRONG), Turn(RIGHT)]) as service:
            outcome = self.ask(service)
        (answer,) = outcome.answers.values()
        self.assertEqual((outcome.verified, answer.usage.calls, answer.usage.input_tokens), ("step", 3, 3000))
        prompts = [body["contents"][0]["parts"][0]["text"] for _, body in service.requests]
        self.assertNotIn("That failed", prompts[0])
        self.assertIn("there is no `jnp.cumsums`", prompts[1])
        self.assertIn("FAILED forward: seed 0: off by 1.2", prompts[2])

    @parameterized.parameters(
        (WRONG, "3 replies, the last failed the check `verify`: FAILED forward"),
        ("I can't do that.", "failed the check `form`: the reply is not the JSON asked for"),
        (RIGHT[: len(RIGHT) // 2], "failed the check `form`: the reply is not the JSON asked for"),
        (made.reply(search="import tensorflow"), "failed the check `applies`"),
        (made.reply(replace="tf.cumsum(h, exclusive=True)"), "uses `tf.cumsum`"),
        (made.reply(replace="__import__('tensorflow').cumsum(h)"), "uses `__import__`"),
        (made.reply(replace="open('model_test.py', 'w').write('')"), "uses `open`"),
        (made.reply(replace="__import__('socket').create_connection(('1.1.1.1', 80))"), "uses `__import__`"),
        ('{"edits": [], "refusal": "no counterpart"}', "the reply has no edits: no counterpart"),
    )
    def test_never_right(self, raw, reason):
        with Service([Turn(raw)], repeat=True) as service:
            outcome = self.ask(service)
        self.assertEmpty(outcome.answers)
        self.assertIsNone(outcome.verified)
        self.assertEqual(outcome.open[0][0].request.subject.function, "Running.call")
        self.assertIn(reason, outcome.open[0][1])
        self.assertEqual(outcome.open[1][1], "waits for Running")
        self.assertEqual(len(service.requests), 3)

    def test_stopped_and_gone_on_without_paying_twice(self):
        with Service([Turn(WRONG), Turn(status=401)]) as service:
            outcome = self.ask(service)
        self.assertIn("the service gave no reply: 401", outcome.open[0][1])
        with Service([Turn(RIGHT)]) as service:
            outcome = self.ask(service)
        self.assertEqual(outcome.verified, "step")
        self.assertLen(service.requests, 1)
        (answer,) = outcome.answers.values()
        self.assertEqual(answer.usage.calls, 2)

    def test_budget(self):
        with Service([Turn(WRONG)], repeat=True) as service:
            outcome = self.ask(service, limits=config.Limits(calls=2))
        self.assertIn("the budget of 2 calls is used up", outcome.open[0][1])
        self.assertEmpty(outcome.answers)

    def test_the_key_is_nowhere(self):
        with Service([Turn(WRONG), Turn(RIGHT)]) as service:
            outcome = self.ask(service)
        kept = "".join(path.read_text() for path in self.folder.rglob("*") if path.is_file())
        self.assertIn("cumsum", kept)
        said = kept + str(outcome) + "".join(answer.model_dump_json() for answer in outcome.answers.values())
        self.assertNotIn("planted", said + "".join(str(body) for _, body in service.requests))
        self.assertEqual(set(service.keys), {"planted-key-4711"})


if __name__ == "__main__":
    absltest.main()
