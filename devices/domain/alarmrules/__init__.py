"""Alarm rules as data: read, checked, and what a measurement means by one. Pure."""

from devices.domain.alarmrules.book import Book, Subject
from devices.domain.alarmrules.judging import Pending, Verdict, judge
from devices.domain.alarmrules.reading import Fault, Known, read
from devices.domain.alarmrules.rules import Escalation, Kind, Rule, Scope

__all__ = [
    "Book",
    "Escalation",
    "Fault",
    "Kind",
    "Known",
    "Pending",
    "Rule",
    "Scope",
    "Subject",
    "Verdict",
    "judge",
    "read",
]
