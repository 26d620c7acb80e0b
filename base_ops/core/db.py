"""Transactions that survive being a deadlock's victim, or having read too early."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction

from base_ops.core import errors, statements

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Stale(Exception):
    """What was read before locking had changed when the lock was there; looking again helps.

    Mixed into the error that the caller sees when even the last attempt came too late.
    """


RETRYABLE = frozenset({"40P01", "55P03", "40001"})  # deadlock, lock timeout, serialization failure
ATTEMPTS = 5


class Contended(errors.Unavailable):
    """The rows stayed locked through every attempt."""

    code, title_zh, title_en = "contended", "系统繁忙,请重试", "Busy, please try again"


def in_transaction(work: Callable[[], T]) -> T:
    """Run `work` in one transaction, again when it was a deadlock's victim or read too early.

    `work` must have no effect outside the database. Inside an open transaction it runs once.
    Statements (`statements.ask`) wait for each other until it is done.

    Raises:
        Contended: the rows stayed locked through all attempts.
        Stale: what `work` raised at the last attempt.
    """
    if transaction.get_connection().in_atomic_block:
        with statements.gathered():
            return work()
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic(), statements.gathered(commits=True):
                return work()
        except OperationalError as exc:
            if sqlstate(exc) not in RETRYABLE:
                raise
            logger.warning("db.retry", extra={"attempt": attempt, "sqlstate": sqlstate(exc)})
            time.sleep(random.uniform(0.005, 0.02) * 2**attempt)  # noqa: S311 - jitter
        except Stale:
            if attempt == ATTEMPTS - 1:
                raise
            logger.info("db.stale", extra={"attempt": attempt})
    raise Contended("the rows stayed locked by others")


def sqlstate(exc: BaseException) -> str:
    """PostgreSQL's five-character code behind a Django database error, or ""."""
    return getattr(exc.__cause__, "sqlstate", None) or ""
