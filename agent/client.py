"""The client of the model service. The one file that calls out, and the one that reads a key."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import httpx2
import tenacity
from google import genai
from google.genai import errors, types

from agent.budget import Budget, BudgetError, TimeSpent
from agent.config import Config
from agent.questions import Question
from agent.records import Origin, Usage
from agent.replies import NoReply, Replied
from parity.errors import BadInputError

_BUSY = (408, 429, 500, 502, 503, 504)


class Client:
    """Answers requests by a model."""

    def __init__(self, config: Config, budget: Budget, sleep: Callable[[float], None] = time.sleep):
        """`sleep`: pauses between attempts; for tests.

        Raises:
          BadInputError: there is no key.
        """
        self.config, self.budget = config, budget
        self.origin = Origin(kind="model", name=config.request.model)
        self._key = os.environ.get(config.service.key, "")
        options = types.HttpOptions(
            base_url=config.service.base_url or None,
            # Where structured output is, as of the library's release that is locked.
            api_version="v1beta" if config.service.kind == "gemini" else None,
            timeout=int(config.request.timeout * 1000),
            # One layer repeats, and it knows of Retry-After and of the budget.
            retry_options=types.HttpRetryOptions(attempts=1),
        )
        if config.service.kind == "vertex":
            service = config.service
            self._client = genai.Client(
                vertexai=True, project=service.project or None, location=service.location or None, http_options=options
            )
        else:
            if not self._key:
                raise BadInputError(
                    f"there is no key: set {config.service.key} in the environment of this command, "
                    "or give --prompts_dir to answer by files"
                )
            self._client = genai.Client(vertexai=False, api_key=self._key, http_options=options)
        self._retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(config.request.attempts),
            wait=self._pause,
            retry=tenacity.retry_if_exception(_may_pass),
            reraise=True,
            sleep=sleep,
        )

    @property
    def identity(self) -> Any:
        """What a reply depends on beside the prompt."""
        sending = self.config.request
        return [self.origin.name, sending.temperature, sending.max_output_tokens]

    def reply(self, question: Question) -> Replied:
        """A reply of the model. Raises `NoReply`; `BudgetError` where nothing more may be asked."""
        try:
            return self._retrying.copy()(self._send, question)
        except BudgetError:
            raise
        except (errors.APIError, httpx2.HTTPError, ValueError) as error:
            raise NoReply(f"the service gave no reply: {self._said(error)}") from None

    def _send(self, question: Question) -> Replied:
        """One call, counted."""
        self.budget.take_call()
        sending = self.config.request
        config = types.GenerateContentConfig(
            temperature=sending.temperature,
            max_output_tokens=sending.max_output_tokens,
            response_mime_type="application/json",
            response_json_schema=question.schema,
        )
        parts: list[str] = []
        counts = None
        try:
            if self.config.service.stream:
                for chunk in self._client.models.generate_content_stream(
                    model=sending.model, contents=question.text, config=config
                ):
                    parts.append(_text(chunk))
                    counts = chunk.usage_metadata or counts
            else:
                whole = self._client.models.generate_content(model=sending.model, contents=question.text, config=config)
                parts.append(_text(whole))
                counts = whole.usage_metadata
        finally:  # what came before a connection broke was paid for, too
            given = (counts.prompt_token_count or 0) if counts else 0
            made = ((counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0)) if counts else 0
            cost = format(self.config.cost(given, made), "f")
            usage = Usage(calls=1, input_tokens=given, output_tokens=made, cost=cost)
            self.budget.spend(usage)
        return Replied("".join(parts), usage, self.origin)

    def _pause(self, state: tenacity.RetryCallState) -> float:
        """Seconds to the next attempt: what the service asks for, else twice as long each time."""
        longest = self.config.request.longest_pause
        error = state.outcome.exception() if state.outcome is not None else None
        asked = _retry_after(error)
        pause = min(asked if asked is not None else 2.0 ** (state.attempt_number - 1), longest)
        left = self.budget.seconds_left
        if left is not None and pause >= left:
            raise TimeSpent(f"the service asks to wait {pause:g} s, and the budget has {left:.0f} s left")
        return pause

    def _said(self, error: Exception) -> str:
        """What an error says, in one line, without the key."""
        said = f"{type(error).__name__}: {error}"
        if isinstance(error, errors.APIError):
            said = f"{error.code} {error.status or ''}: {error.message or ''}"
        if self._key:
            said = said.replace(self._key, "[key]")
        return " ".join(said.split())[:300]


def _text(response: types.GenerateContentResponse) -> str:
    """The text of a reply, without thoughts and whatever else may be in it."""
    candidates = response.candidates or []
    content = candidates[0].content if candidates else None
    return "".join(part.text or "" for part in (content.parts or [] if content else []) if not part.thought)


def _may_pass(error: BaseException) -> bool:
    """Is it worth to send the same again?"""
    if isinstance(error, errors.APIError):
        return error.code in _BUSY
    return isinstance(error, httpx2.TransportError)


def _retry_after(error: BaseException | None) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None)
    value = headers.get("Retry-After") if headers is not None else None
    try:
        return max(0.0, float(value)) if value is not None else None
    except ValueError:  # a date
        return None
