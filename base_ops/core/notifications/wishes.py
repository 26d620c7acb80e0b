"""What a user wants to be told by which channel: the template's default, or their choice."""

from collections.abc import Mapping

from base_ops.core.notifications.templates import Template

IN_APP, EMAIL = "in_app", "email"
PERSONAL = (IN_APP, EMAIL)

Choices = Mapping[str, Mapping[str, bool]]


def wants(choices: Choices, template: Template, channel: str) -> bool:
    """Whether a user with these choices gets notices of this template by this channel.

    Urgent ones always come in the app: they say what cannot be undone later.
    """
    if channel == IN_APP and template.urgent:
        return True
    default = template.email if channel == EMAIL else True
    return choices.get(template.key, {}).get(channel, default)


def subscribed(kinds: list[str], kind: str) -> bool:
    """Whether an endpoint that names these kinds wants this one; no names: all."""
    return not kinds or kind in kinds
