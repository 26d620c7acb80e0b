"""Price models against outside facts, and what is refused as one."""

from collections.abc import Mapping
from typing import Any

import pytest

from billing.domain import pricemodels as models
from tests.billing.data import vectors
from tests.billing.outside import dec, ids


def _model(wish: Mapping[str, Any]) -> models.Model:
    """The model of a vector, through the words of a price book."""
    kind = wish["model"]
    tiers = [
        {"up_to": t["to"], "unit": t.get("unit", 0), "flat": t.get("flat", 0),
         "rate": str(dec(t.get("rate_percent", 0)) / 100)}
        for t in wish.get("tiers", ()) if "to" in t
    ]  # fmt: skip
    blocks = [
        {"size": t["block"], "price": t["price"], "most": t["max_blocks"]}
        for t in wish.get("tiers", ())
        if "block" in t
    ]
    words: Mapping[str, Mapping[str, Any]] = {
        "standard": {"kind": "standard", "unit": wish.get("unit_price")},
        "standard_with_minimum": {"kind": "standard", "unit": 1, "minimum": wish.get("minimum")},
        "volume": {"kind": "volume", "tiers": tiers},
        "graduated": {"kind": "graduated", "tiers": tiers},
        "graduated_percentage": {"kind": "graduated", "tiers": tiers},
        "package": {
            "kind": "package", "price": wish.get("package_price"),
            "size": wish.get("package_size"), "free": wish.get("free_units"),
        },
        "tiered_blocks_top_tier": {"kind": "blocks", "tiers": blocks, "top_only": True},
        "tiered_blocks_all_tiers": {"kind": "blocks", "tiers": blocks},
    }  # fmt: skip
    return models.read(words[kind])


@pytest.mark.parametrize("vector", vectors("pricing_models"), ids=ids)
def test_price_models(vector: dict[str, Any]) -> None:
    wish, wanted = vector["inputs"], vector["expected"]
    model = _model(wish)

    assert model.amount(dec(wish.get("units", wish.get("usage_amount")))) == dec(wanted["amount"])
    if "true_up" in wanted:
        assert isinstance(model, models.WithMinimum)
        assert model.true_up(dec(wish["usage_amount"])) == dec(wanted["true_up"])


def test_no_units_cost_nothing_and_a_share_begins_above_what_is_free() -> None:
    tiers = [{"up_to": "10", "flat": "5"}, {"up_to": None, "unit": "1"}]

    assert models.read({"kind": "volume", "tiers": tiers}).amount(dec(0)) == 0
    assert models.read({"kind": "graduated", "tiers": tiers}).amount(dec(0)) == 0
    share = models.read({"kind": "percentage", "rate": "0.03", "fixed": "2", "free": "100"})
    assert [share.amount(dec(n)) for n in (0, 100, 200)] == [0, 0, 5]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"kind": "guess"}, "kind"),
        ({"kind": "standard", "unit": "-1"}, "unit"),
        ({"kind": "standard", "unit": "NaN"}, "unit"),
        ({"kind": "standard", "unit": True}, "unit"),
        ({"kind": "standard", "unit": "1e99"}, "unit"),
        ({"kind": "standard", "unit": "1", "units": "2"}, "unknown: units"),
        ({"kind": "package", "price": "1", "size": "0"}, "size"),
        ({"kind": "volume", "tiers": []}, "tiers"),
        ({"kind": "volume", "tiers": ["x"]}, "tiers"),
        ({"kind": "volume", "tiers": [{"up_to": "5"}]}, "no end"),
        ({"kind": "volume", "tiers": [{"up_to": None}, {"up_to": None}]}, "no end"),
        ({"kind": "graduated", "tiers": [{"up_to": "0"}, {"up_to": None}]}, "above the one"),
        ({"kind": "blocks", "tiers": [{"size": "1", "price": "1", "most": 0}]}, "most"),
    ],
)
def test_a_model_that_means_nothing_is_refused(words: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        models.read(words)
