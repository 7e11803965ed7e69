"""What a call may cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_executor.adapters.prices import FlatPrices, PublishedPrices
from goalrunner_executor.budget import LONGEST_REPLY, SHORTEST_REPLY, allow, estimate_input
from goalrunner_executor.exits import LimitReached
from goalrunner_executor.settings import ExecutorSettings
from goalrunner_executor.spend import Spend, Tokens
from goalrunner_shared.errors import PermanentError


def cost(tokens: Tokens) -> float:
    return FlatPrices().cost("scripted", tokens)


@given(tokens=st.integers(0, 500_000), limit=st.floats(0, 5), spent=st.floats(0, 5))
def test_a_call_that_is_allowed_never_costs_more_than_is_left(tokens: int, limit: float, spent: float) -> None:
    try:
        allowance = allow(input_tokens=tokens, limit_usd=limit, spent_usd=spent, cost=cost, path="goals/x.md")
    except LimitReached:
        assert spent + cost(Tokens(cache_write=tokens, output=SHORTEST_REPLY)) > limit - 1e-6
        return
    assert SHORTEST_REPLY <= allowance.max_tokens <= LONGEST_REPLY
    assert allowance.cut == (allowance.max_tokens < LONGEST_REPLY)
    assert spent + allowance.reserve_usd <= limit + 1e-9
    assert allowance.reserve_usd >= cost(Tokens(input=tokens, output=allowance.max_tokens))


def test_without_a_limit_the_reply_may_be_long() -> None:
    allowance = allow(input_tokens=10**6, limit_usd=None, spent_usd=99, cost=cost, path="goals/x.md")
    assert (allowance.max_tokens, allowance.cut) == (LONGEST_REPLY, False)


def test_the_sentence_says_where_to_raise_it() -> None:
    with pytest.raises(LimitReached) as caught:
        allow(input_tokens=10, limit_usd=0.5, spent_usd=0.4999, cost=cost, path="goals/x.md")
    assert caught.value.reason == (
        "stopped by budget: $0.50 per run, $0.50 spent; raise budget.per_run_usd in goals/x.md"
    )


def test_what_was_measured_is_not_guessed_again() -> None:
    assert estimate_input(1000) == 500
    assert estimate_input(1100, known_size=1000, known_tokens=260) == 310
    assert estimate_input(900, known_size=1000, known_tokens=260) == 260


def test_the_default_model_has_a_price_with_its_cache() -> None:
    model = ExecutorSettings(bus="b", bucket="b", repository="r").model
    prices = PublishedPrices()
    plain = prices.cost(model, Tokens(input=1000, output=100))
    assert 0 < plain < 1
    assert prices.cost(model, Tokens(input=500, cache_read=500, output=100)) < plain
    assert prices.cost(model, Tokens(input=500, cache_write=500, output=100)) > plain


def test_an_unknown_price_is_refused_by_name() -> None:
    with pytest.raises(PermanentError, match="claude-nobody-knows"):
        PublishedPrices().cost("claude-nobody-knows", Tokens())


def test_spend_moves_from_reserved_to_spent() -> None:
    reserved = Spend(cost_usd=0.1).reserve(0.5, model="m")
    assert reserved.settle(0.2, Tokens(input=5, cache_read=5, output=7)) == Spend(
        cost_usd=0.3, tokens_in=10, tokens_out=7, model="m"
    )
    assert reserved.assume_spent().cost_usd == 0.6
    assert reserved.release().assume_spent().cost_usd == 0.1
