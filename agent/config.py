"""Reads the one file that says who is asked, how, and at what price."""

from __future__ import annotations

import pathlib
import tomllib
from decimal import Decimal
from typing import Annotated, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field

from parity.errors import BadInputError

#: What is used where the user names no other.
OWN = pathlib.Path(__file__).parent / "models.toml"
_Money = Annotated[str, Field(pattern=r"^\d+(\.\d+)?$")]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Service(_Table):
    """Where requests go. `key` names an environment variable."""

    kind: Literal["gemini", "vertex"] = "gemini"
    key: str = "GEMINI_API_KEY"
    base_url: str = ""
    project: str = ""
    location: str = ""
    stream: bool = True


class Sending(_Table):
    """How one request is sent."""

    model: str
    temperature: float = 0.2
    max_output_tokens: Annotated[int, Field(gt=0)] = 8192
    timeout: Annotated[float, Field(gt=0)] = 120.0
    attempts: Annotated[int, Field(gt=0)] = 5
    longest_pause: Annotated[float, Field(ge=0)] = 60.0
    parallel: Annotated[int, Field(gt=0)] = 2


class Judge(_Table):
    """Who audits a finished port; by default another model than the one that answered."""

    model: str = ""
    temperature: float = 0.0


class Limits(_Table):
    """What one run may use up; None for no limit."""

    calls: int | None = None
    tokens: int | None = None
    cost: _Money | None = None
    seconds: float | None = None


class Price(_Table):
    """US dollars per million tokens."""

    input: _Money
    output: _Money


class Config(_Table):
    """All of it."""

    service: Service = Service()
    request: Sending
    judge: Judge = Judge()
    budget: Limits = Limits()
    prices: dict[str, Price] = {}

    def cost(self, input_tokens: int, output_tokens: int) -> Decimal:
        """What tokens of the model that is asked cost; 0 where it has no price."""
        price = self.prices.get(self.request.model)
        if price is None:
            return Decimal(0)
        return (input_tokens * Decimal(price.input) + output_tokens * Decimal(price.output)) / 1_000_000

    def for_judge(self) -> Config:
        """The same, to ask the judge."""
        changed = {"model": self.judge.model or self.request.model, "temperature": self.judge.temperature}
        return self.model_copy(update={"request": self.request.model_copy(update=changed)})


def read(path: pathlib.Path) -> Config:
    """Reads a file. Raises `BadInputError` with its name where it does not fit."""
    try:
        config = Config.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInputError(f"can't be read: {error}", str(path)) from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        raise BadInputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", str(path)) from None
    for model in (config.request.model, config.for_judge().request.model):
        if config.budget.cost is not None and model not in config.prices:
            raise BadInputError(
                f"limits the cost, and has no prices for the model {model}; give them, or take `cost` out of [budget]",
                str(path),
            )
    return config
