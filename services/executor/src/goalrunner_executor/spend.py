"""What a run has cost so far."""

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Tokens:
    """What a call used; `input` is what was neither read from nor written to the provider's cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def all_input(self) -> int:
        return self.input + self.cache_read + self.cache_write


class Spend(BaseModel):
    """Money and tokens of a run; `reserved_usd` belongs to a call whose end has not been seen."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    cost_usd: float = 0.0
    reserved_usd: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    model: str | None = None

    def reserve(self, usd: float, *, model: str) -> Self:
        """Before a call: what it may cost at most."""
        return self.model_copy(update={"reserved_usd": usd, "model": model})

    def settle(self, usd: float, tokens: Tokens) -> Self:
        """After a call: what it did cost."""
        return self.model_copy(
            update={
                "cost_usd": round(self.cost_usd + usd, 9),
                "reserved_usd": 0.0,
                "tokens_in": self.tokens_in + tokens.all_input,
                "tokens_out": self.tokens_out + tokens.output,
            }
        )

    def release(self) -> Self:
        """After a call that the model's provider has refused and does not charge."""
        return self.model_copy(update={"reserved_usd": 0.0})

    def assume_spent(self) -> Self:
        """A call whose end nobody has seen counts in full."""
        return self.model_copy(update={"cost_usd": round(self.cost_usd + self.reserved_usd, 9), "reserved_usd": 0.0})
