"""The foreign conventions that we speak, by name."""

from collections.abc import Mapping

from devices.domain.conventions.convention import Convention

CONVENTIONS: Mapping[str, Convention] = {}
