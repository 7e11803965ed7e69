"""What tokens cost, from the data that genai-prices ships: nothing is asked over the network."""

from goalrunner_executor.spend import Tokens
from goalrunner_shared.errors import PermanentError


class PublishedPrices:
    """The list prices of Anthropic's models."""

    def cost(self, model: str, tokens: Tokens) -> float:
        from genai_prices import Usage, calc_price

        usage = Usage(
            input_tokens=tokens.all_input,
            output_tokens=tokens.output,
            cache_read_tokens=tokens.cache_read,
            cache_write_tokens=tokens.cache_write,
        )
        try:
            return float(calc_price(usage, model_ref=model, provider_id="anthropic").total_price)
        except LookupError as error:
            raise PermanentError(
                f"the price of the model {model} is unknown, so it is not called; name another in agent.model"
            ) from error


class FlatPrices:
    """The fake: two dollars a million tokens in, ten a million out, and one model that nobody knows."""

    UNKNOWN = "nobody-knows"

    def cost(self, model: str, tokens: Tokens) -> float:
        if model == self.UNKNOWN:
            raise PermanentError(f"the price of the model {model} is unknown, so it is not called")
        return (2 * tokens.all_input + 10 * tokens.output) / 1_000_000
