"""What a call may cost: pure arithmetic before the call."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from goalrunner_executor.exits import LimitReached
from goalrunner_executor.spend import Tokens

LONGEST_REPLY = 16_000
SHORTEST_REPLY = 512
# English has about four bytes a token, code three, digits and hex two: two never promises too much.
BYTES_PER_TOKEN = 2

Cost = Callable[[Tokens], float]


@dataclass(frozen=True)
class Allowance:
    """How long the reply may be, what the call costs at most, and whether the budget made it shorter."""

    max_tokens: int
    reserve_usd: float
    cut: bool


def estimate_input(size: int, *, known_size: int = 0, known_tokens: int = 0) -> int:
    """Tokens of a request of `size` bytes, at most: what was measured before, and a careful guess of the rest."""
    return known_tokens + math.ceil(max(0, size - known_size) / BYTES_PER_TOKEN)


def allow(*, input_tokens: int, limit_usd: float | None, spent_usd: float, cost: Cost, path: str) -> Allowance:
    """The next call within the run's limit; LimitReached where no useful reply can be paid any more."""
    longest = _longest_reply(input_tokens, None if limit_usd is None else limit_usd - spent_usd, cost)
    if longest < SHORTEST_REPLY:
        raise budget_reached(limit_usd or 0.0, spent_usd, path)
    reserve = cost(Tokens(cache_write=input_tokens, output=longest))
    return Allowance(max_tokens=longest, reserve_usd=reserve, cut=longest < LONGEST_REPLY)


def _longest_reply(input_tokens: int, left_usd: float | None, cost: Cost) -> int:
    if left_usd is None:
        return LONGEST_REPLY
    # Input may be written to the provider's cache, which is its dearest form.
    before = cost(Tokens(cache_write=input_tokens))
    whole = cost(Tokens(cache_write=input_tokens, output=LONGEST_REPLY))
    if whole <= left_usd:
        return LONGEST_REPLY
    return math.floor((left_usd - before) / (whole - before) * LONGEST_REPLY)


def budget_reached(limit_usd: float, spent_usd: float, path: str) -> LimitReached:
    """The sentence that names the limit, what is spent, and where to raise it."""
    return LimitReached(
        f"stopped by budget: ${limit_usd:.2f} per run, ${spent_usd:.2f} spent; raise budget.per_run_usd in {path}"
    )
