"""Limits under which a stranger's template runs: what it may touch, how much it may do.

A template is code from a device that anyone may have put on the bus. It is checked when compiled
(length, nesting, no macros, no recursion, nothing from outside) and runs on a budget: loops,
operators, calls and containers are charged for, by size, and CPU time is watched. Nothing inside
can grow faster than it is charged, so no template takes long or much memory, whatever it says.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from jinja2 import Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from devices.domain.conventions.homeassistant.reach import METHODS

MAX_SOURCE = 8 * 1024
MAX_NODES = 1_500
MAX_DEPTH = 40
MAX_STEPS = 20_000
MAX_TEXT = 64 * 1024
MAX_ITEMS = 4_096
MAX_BITS = 2_048  # of a whole number
CPU_S = 0.25
_WIDE = re.compile(r"\d{4,}|\*")  # in a format: a width that makes text out of nothing


class TooMuch(SecurityError):
    """The template wants more than a template may."""


class Budget:
    """What one run may still spend; `missing` notes the first undefined value that was printed."""

    __slots__ = ("_steps", "_until", "missing")

    def __init__(self) -> None:
        self._steps = MAX_STEPS
        self._until = time.thread_time() + CPU_S
        self.missing = ""

    def spend(self, steps: int) -> None:
        """Charge; raises TooMuch when it is used up."""
        self._steps -= steps
        if self._steps < 0:
            raise TooMuch("the template does too much")
        if time.thread_time() > self._until:
            raise TooMuch("the template takes too long")


_budget: ContextVar[Budget] = ContextVar("template_budget")


@contextmanager
def budget() -> Iterator[Budget]:
    """A fresh budget for one run."""
    mine = Budget()
    token = _budget.set(mine)
    try:
        yield mine
    finally:
        _budget.reset(token)


def spend(steps: int = 1) -> None:
    """Charge the run in progress; outside of one nothing may run."""
    current = _budget.get(None)
    if current is None:
        raise TooMuch("no run in progress")
    current.spend(steps)


class Missing(Undefined):
    """An undefined value: false, prints as nothing, and says so; anything else is an error."""

    def __str__(self) -> str:
        """Nothing, but noted."""
        if current := _budget.get(None):
            current.missing = current.missing or self._undefined_message
        return ""


def measured(value: Any) -> Any:
    """The value, charged by its size; refused when it is too large or too deep to be data."""
    spend(1 + _size(value, MAX_DEPTH) // 16)
    return value


def _size(value: Any, depth: int) -> int:
    match value:
        case str() | bytes():
            if len(value) > MAX_TEXT:
                raise TooMuch("the text grows too long")
            return len(value) // 16
        case bool() | float() | None:
            return 1
        case int():
            if value.bit_length() > MAX_BITS:
                raise TooMuch("the number grows too large")
            return 1
        case dict() | list() | tuple() | set() | frozenset():
            return _size_of_all(value, depth)
        case range():
            return min(len(value), MAX_ITEMS + 1)
        case _:
            return 1


def _size_of_all(value: Any, depth: int) -> int:
    if len(value) > MAX_ITEMS or depth == 0:
        raise TooMuch("the list or object grows too large")
    total = len(value)
    for item in value.items() if isinstance(value, dict) else value:
        total += _size(item, depth - 1)
        if total > MAX_ITEMS * 4:
            raise TooMuch("the list or object grows too large")
    return total


def looped(iterable: Any) -> Iterator[Any]:
    """The items, each charged."""
    if isinstance(iterable, Undefined):
        iter(iterable)
    for count, item in enumerate(iterable):
        if count >= MAX_ITEMS:
            raise TooMuch("the loop is too long")
        spend(4)
        yield item


def joined(parts: list[Any]) -> str:
    """`a ~ b`, bounded."""
    texts = [str(part) for part in map(measured, parts)]
    if sum(map(len, texts)) > MAX_TEXT:
        raise TooMuch("the text grows too long")
    return "".join(texts)


def check_format(text: str) -> None:
    """Refuse a format that makes long text out of nothing."""
    if len(text) > 1_000 or _WIDE.search(text):
        raise TooMuch("the format is too wide")


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    """What an output prints; needing the context keeps anything from running while compiling."""
    return value if isinstance(value, Undefined) else measured(value)


class _Guard(NodeTransformer):
    """Wraps what can grow or repeat; refuses what could do so unseen."""

    def __init__(self) -> None:
        self._count = 0
        self._depth = 0

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        """Count, refuse, go on."""
        self._count += 1
        self._depth += 1
        if self._count > MAX_NODES or self._depth > MAX_DEPTH:
            raise TooMuch("the template is too long or nested too deep")
        if isinstance(node, _FORBIDDEN):
            raise TooMuch(f"a template may not use {type(node).__name__.lower()}")
        result = super().visit(node, *args, **kwargs)
        self._depth -= 1
        return result

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - named by Jinja
        """Its items are measured and charged."""
        if node.recursive:
            raise TooMuch("a template may not use recursive loops")
        self.generic_visit(node)
        node.iter = _call("_looped", _call("_measured", node.iter))
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Assign:  # noqa: N802 - named by Jinja
        """What is kept is measured."""
        self.generic_visit(node)
        node.node = _call("_measured", node.node)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - named by Jinja
        """Bounded."""
        self.generic_visit(node)
        return _call("_joined", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Filter(self, node: nodes.Filter) -> nodes.Node:  # noqa: N802 - named by Jinja
        """Its result is measured; its input too where it is all walked through."""
        self.generic_visit(node)
        if node.node is None:
            raise TooMuch("a template may not use filter blocks")
        node.node = _call("_measured", node.node) if node.name in _GREEDY else node.node
        return _call("_measured", node)


_FORBIDDEN = (
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.With,
    nodes.Block,
    nodes.Include,
    nodes.Import,
    nodes.FromImport,
    nodes.Extends,
    nodes.AssignBlock,
    nodes.ExtensionAttribute,
    nodes.InternalName,
)
_GREEDY = frozenset({"join", "string", "tojson", "to_json", "list", "sort", "map", "format"})


def _call(name: str, node: nodes.Node) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja without reach, on a budget."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(
        self,
        filters: Mapping[str, Callable[..., Any]],
        tests: Mapping[str, Callable[..., Any]],
        globals_: Mapping[str, Any],
    ) -> None:
        super().__init__(
            undefined=Missing, finalize=_finalize, autoescape=False, optimized=False, cache_size=0
        )
        self.filters = {
            **filters,
            "_measured": measured,
            "_looped": looped,
            "_joined": joined,
        }
        self.tests = dict(tests)
        self.globals = dict(globals_)

    def compiled(self, source: str) -> Any:
        """A template to render within `budget`.

        Raises:
            TooMuch: it is too long, too deep, or uses what is not allowed.
            TemplateSyntaxError: it is no template, or names an unknown filter or test.
        """
        if len(source) > MAX_SOURCE:
            raise TooMuch("the template is too long")
        tree = _Guard().visit(self.parse(source))
        code = self.compile(tree, "<template>", "<template>")
        return self.template_class.from_code(self, code, self.make_globals(None))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Only data, and a few harmless methods of texts, objects, lists and times."""
        allowed = METHODS.get(type(obj).__name__)
        if type(obj).__name__ == "Namespace":
            return not attr.startswith("_")
        return allowed is not None and attr in allowed

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """As it is: Jinja would rewrite the traceback, at a hundred times the cost."""
        raise

    def wrap_str_format(self, value: Any) -> None:
        """No `format` methods: a width in one makes text out of nothing."""

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator, refused where its result would be huge."""
        spend()
        if operator == "**":
            _check_power(left, right)
        elif operator == "*":
            _check_product(left, right)
        elif operator == "%" and isinstance(left, str):
            check_format(left)
        return measured(super().call_binop(context, operator, left, right))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """A function or method, charged and measured."""
        spend(4)
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        if isinstance(owner, str):
            _check_text_method(owner, name, args)
        if name == "strftime" and args:
            check_format(str(args[0]))
        return measured(super().call(context, obj, *args, **kwargs))


def _check_power(base: Any, exponent: Any) -> None:
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and base.bit_length() * max(exponent, 0) > MAX_BITS:
        raise TooMuch("the number grows too large")


def _check_product(left: Any, right: Any) -> None:
    for text, times in ((left, right), (right, left)):
        if isinstance(times, int) and isinstance(text, str | bytes | list | tuple):
            limit = MAX_TEXT if isinstance(text, str | bytes) else MAX_ITEMS
            if len(text) * max(times, 0) > limit:
                raise TooMuch("the text or list grows too long")


def _check_text_method(text: str, name: str, args: tuple[Any, ...]) -> None:
    if name == "zfill" and args and isinstance(args[0], int) and args[0] > 1_000:
        raise TooMuch("the text grows too long")
    if name == "replace" and len(args) > 1 and isinstance(args[1], str):
        check_replace(text, str(args[0]), args[1])
    if name == "join" and args:
        measured(args[0])
        if len(text) * len(args[0]) > MAX_TEXT:
            raise TooMuch("the text grows too long")


def check_replace(text: str, old: str, new: str) -> None:
    """Refuse a replacement that makes long text out of little."""
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise TooMuch("the text grows too long")
