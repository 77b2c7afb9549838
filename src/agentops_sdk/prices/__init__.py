"""Prices: what a call costs, your own prices, and updates of the price table on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentops_sdk._lazy import make_lazy

if TYPE_CHECKING:
    from agentops_sdk.prices.pricing import Callback as Callback
    from agentops_sdk.prices.pricing import Price as Price
    from agentops_sdk.prices.pricing import alias as alias
    from agentops_sdk.prices.pricing import clear as clear
    from agentops_sdk.prices.pricing import cost as cost
    from agentops_sdk.prices.pricing import load as load
    from agentops_sdk.prices.pricing import set as set  # noqa: A004 - reads as prices.set(...)
    from agentops_sdk.prices.pricing import set_callback as set_callback
    from agentops_sdk.prices.pricing import update as update
    from agentops_sdk.prices.pricing import warm_tokenizers as warm_tokenizers

__all__ = ["Callback", "Price", "alias", "clear", "cost", "load", "set", "set_callback", "update", "warm_tokenizers"]
make_lazy(
    __name__,
    {"pricing": "Callback Price alias clear cost load set set_callback update warm_tokenizers"},
    renamed={"Cost": "Price"},
)
