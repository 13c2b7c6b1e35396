"""Which entry of the policy a symbol falls under."""

from __future__ import annotations

from codemods.engine.handled import HANDLED
from codemods.policy import host, refusals, refused_keras, refused_tensors
from codemods.policy.entries import ENTRIES, Entry, Host, Refused

assert all((host, refusals, refused_keras, refused_tensors))  # they fill the table


def entry_of(symbol: str) -> Entry | None:
    """The entry for a canonical symbol: its own, else the one of the nearest name above it."""
    if symbol in ENTRIES:
        return ENTRIES[symbol]
    parts = symbol.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        above = ".".join(parts[:cut])
        if f"{above}.*" in ENTRIES:
            return ENTRIES[f"{above}.*"]
    return None


def host_entry(symbol: str) -> Host | None:
    """The entry, where the symbol stays as host code."""
    entry = entry_of(symbol)
    return entry if isinstance(entry, Host) else None


def reason(symbol: str) -> str:
    """Why a symbol that neither a rule nor a pass covers is left, in one sentence for a residual."""
    elsewhere = [one.only for one in HANDLED.get(symbol, ()) if one.only]
    if elsewhere:
        return f"ported only {'; or '.join(dict.fromkeys(elsewhere))}"
    entry = entry_of(symbol)
    if isinstance(entry, Refused):
        return entry.text
    if isinstance(entry, Host):
        return f"host code within a model: do it before the data reaches the model; {entry.recipe}"
    return f"no rule for {symbol} yet"
