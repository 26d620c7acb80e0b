"""Templates of strangers: what they may say, and what they cannot do to us."""

import time

import pytest

from devices.domain.conventions.homeassistant import patterns
from devices.domain.conventions.homeassistant.templates import BadTemplate, Payload, compiled

AT = 1_780_000_000_000


def reads(source: str, value: str | bytes = "{}") -> str:
    return compiled(source).reads(Payload.of(value), now_ms=AT)


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("{{ value_json.state }}", '{"state":"ON"}', "ON"),
        ('{{ value_json["a b"] }}', '{"a b":true}', "True"),
        ("{{ value_json.a.b }}", '{"a":{"b":1.50}}', "1.5"),
        ("{{ value_json.items.x }}", '{"items":{"x":1}}', None),
        ("{{ value_json['items'].x }}", '{"items":{"x":1}}', "1"),
        ("{{ value_json.a }}", '{"a":null}', "None"),
        ("{{ value | int(7) }}", "x", "7"),
        ("{{ value | float }}", "x", None),
        ("{{ value | round(1) }}", "2.25", "2.2"),
        ("{{ '5.5' | float | round(0, 'ceil') }}", "", "6"),
        ("{{ value | multiply }}", "1", None),
        ("{{ value_json | to_json }}", '{"a": [1, 2]}', '{"a":[1,2]}'),
        ("{{ (value | from_json).a }}", '{"a":3}', "3"),
        ("{{ iif(value == 'x', 'yes', 'no') }}", "x", "yes"),
        ("{{ value | regex_replace('[0-9]+', '#') }}", "a12b3", "a#b#"),
        ("{{ value is match('ab.') }}", "abc", "True"),
        ("{{ value | regex_findall_index('[0-9]+', 1) }}", "a12b3", "3"),
        ("{{ value | timestamp_custom('%H:%M') }}", "0", "08:00"),
        ("{{ value | timestamp_custom('%H:%M', false) }}", "0", "00:00"),
        ("{{ as_datetime(value).year }}", "2026-05-01T00:00:00+08:00", "2026"),
        ("{{ as_timestamp('1970-01-01T08:00:00+08:00') }}", "", "0.0"),
        ("{{ now().strftime('%Y') }}", "", "2026"),
        ("{% set ns = namespace(n=0) %}{% for i in value_json %}{% set ns.n = ns.n + i %}"
         "{% endfor %}{{ ns.n }}", "[1,2,3]", "6"),
        ("{{ value_json | map('int') | sum }}", '["1","2"]', "3"),
        ("{{ value | bitwise_and(6) }}", "7", None),
        ("{{ value | int | bitwise_and(6) }}", "7", "6"),
        ("{{ value_json.missing | default('none') }}", "{}", "none"),
        ("{{ value_json.missing }}", "{}", None),
        ("{{ value_json.missing.deeper }}", "{}", None),
        ("{{ 'a' if value_json.missing else 'b' }}", "{}", "b"),
        ("no template at all", "", "no template at all"),
        ("{{ value | round(0, 'floor') }}", "2.7", "2"),
        ("{{ value | round(1, 'half') }}", "2.3", "2.5"),
        ("{{ value | round(0, 'common', 5) }}", "x", "5"),
        ("{{ value | round(99) }}", "1", None),
        ("{{ value | bool }}", "on", "True"),
        ("{{ value | bool }}", "off", "False"),
        ("{{ value | bool }}", "maybe", None),
        ("{{ value | bool('?') }}", "maybe", "?"),
        ("{{ value is is_number }}", "1e3", "True"),
        ("{{ value | is_number }}", "warm", "False"),
        ("{{ value_json.x | is_defined }}", "{}", None),
        ("{{ iif(none, 1, 2, 3) }}", "", "3"),
        ("{{ value | from_json('bad') }}", "{", "bad"),
        ("{{ value | from_json }}", "{", None),
        ("{{ value | regex_search('B', ignorecase=true) }}", "abc", "True"),
        ("{{ as_datetime(value) }}", "no time", "None"),
        ("{{ as_datetime(0).isoformat() }}", "", "1970-01-01T00:00:00+00:00"),
        ("{{ as_timestamp(value) }}", "no time", None),
        ("{{ as_timestamp(value, 0) }}", "no time", "0"),
        ("{{ as_local(as_datetime(0)).hour }}", "", "8"),
        ("{{ 0 | timestamp_local }}", "", "1970-01-01T08:00:00+08:00"),
        ("{{ 0 | timestamp_utc }}", "", "1970-01-01T00:00:00+00:00"),
        ("{{ value | timestamp_custom('%H', true, '-') }}", "x", "-"),
        ("{{ value | timestamp_local('-') }}{{ value | timestamp_utc('-') }}", "x", "--"),
        ("{{ strptime('2026-05', '%Y-%m').month }}", "", "5"),
        ("{{ strptime('x', '%Y', 'no') }}", "", "no"),
        ("{{ pack(258, '>H') | unpack('>H') }}", "", "258"),
        ("{{ pack(258, '>H') | unpack('>I') }}", "", "None"),
        ("{{ pack('x', '>H') }}", "", "None"),
        ("{{ 7 | clamp(1, 5) }} {{ 5 | bitwise_or(2) }}", "", "5 7"),
        ("{{ [1] | contains(1) }} {{ 3 | ordinal }} {{ 12 | ordinal }}", "", "True 3rd 12th"),
        ("{{ 4 | sqrt }} {{ 'x' | sqrt(0) }} {{ 100 | log(10) }} {{ 0 | log(10, 9) }}", "",
         "2.0 0 2.0 9"),
        ("{{ [{'a': 1}, {'a': 2}] | join('-', attribute='a') }}", "", "1-2"),
        ("{{ '%.1f' | format(2) }} {{ 'aXb' | replace('X', '-') }}", "", "2.0 a-b"),
        ("{{ 'a' | center(5) | length }}", "", "5"),
        ("{{ {'a': '播'} | tojson }}", "", '{"a": "播"}'),
        ("{{ today_at('12:30').minute }} {{ utcnow().year }}", "", "30 2026"),
    ],
)  # fmt: skip
def test_a_template_says_what_it_says_elsewhere(source: str, value: str, said: str | None) -> None:
    if said is None:
        with pytest.raises(BadTemplate):
            reads(source, value)
    else:
        assert reads(source, value) == said


def test_binary_data_is_unpacked() -> None:
    template = compiled("{{ value | unpack('>H') }}")

    assert template.reads(Payload(b"\x01\x02"), now_ms=AT) == "258"


HEAVY = (
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in range(4000) %}{% for j in range(4000) %}x{% endfor %}{% endfor %}",
    "{{ 'a' * 10**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ 2 ** (10**9) }}",
    "{{ 9**9**9**9**9**9 }}",
    "{{ '%999999999d' % 1 }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ '%999999999s' | format('a') }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'ab' | replace('', 'x' * 60000) }}",
    "{{ ('a' * 60000).replace('a', 'b' * 60000) }}",
    "{{ ('x' * 60000).join(['a'] * 4000) }}",
    "{{ (['x' * 60000] * 4000) | join }}",
    "{% set n = namespace(x='aaaaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}"
    "{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    "{{ n.x }}",
    "{% set n = namespace(x=2) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{{ value | regex_match('(a+)+$') }}",
    "{{ value | regex_match('(a|aa)+$') }}",
    "{{ value | regex_match('a*a*a*a*a*b') }}",
    "{{ value | regex_match('(?:a?){60}a{60}') }}",
    "{{ value | regex_search('(.*)\\\\1') }}",
    "{{ value | regex_match('" + "a{0,64}" * 12 + "b') }}",
    "{{ value | regex_match('" + "(a|ab)" * 30 + "c') }}",
    "{{ value | regex_match('(ab|a){60}d') }}",
    "{{ pack(1, '999999999x') }}",
    "{{ 5 | round(999999999, 'ceil') }}",
    "{{ now().strftime('%9999999d') }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "[" * 900 + "]" * 900 + " }}",
    "{{ " + "1+" * 3000 + "1 }}",
    "{{ 1 " + "if 1 else 1 " * 1000 + "}}",
    "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "x" * 9000 + "{{ value }}",
)
REACHING = (
    "{{ ''.__class__.__mro__ }}",
    "{{ value_json.__class__ }}",
    "{{ [].__class__.__base__.__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ range.__init__.__globals__ }}",
    "{{ now.__globals__ }}",
    "{{ self.__init__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ dict.__subclasses__() }}",
    "{{ loop.__class__ }}",
    "{{ [1] | map('attr', '__class__') | list }}",
    "{{ ([1] | map(attribute='__class__') | list)[0].x }}",
    "{{ lipsum(5) }}",
    "{{ cycler }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{{ value_json.update({'a': 1}) }}",
    "{{ states('light.x') }}",
)


@pytest.mark.parametrize("source", HEAVY)
def test_a_heavy_template_is_refused_at_once(source: str) -> None:
    begun = time.thread_time()
    with pytest.raises(BadTemplate):
        reads(source, "a" * 200)
    assert time.thread_time() - begun < 1


@pytest.mark.parametrize("source", REACHING)
def test_a_template_reaches_nothing_but_its_data(source: str) -> None:
    with pytest.raises(BadTemplate):
        reads(source, '{"a": 1}')


@pytest.mark.parametrize(
    "pattern",
    [
        "a*a*b",
        "a?" * 8 + "a*b",
        "(a|ab)" * 8 + "c",
        ".*?x.*?y",
        "a*+b",
        "((((a?)?)?)?)a*b",
        "a{3}b?",
    ],
)
def test_an_allowed_pattern_is_quick_on_the_longest_text_it_may_see(pattern: str) -> None:
    allowed = patterns.compiled(pattern)
    begun = time.thread_time()

    for text in ("a" * allowed.longest, "ab" * (allowed.longest // 2), "x" * allowed.longest):
        allowed.compiled.findall(allowed.fits(text))

    assert time.thread_time() - begun < 2
    with pytest.raises(patterns.BadPattern):
        allowed.fits("a" * (allowed.longest + 1))


def test_one_run_does_not_spend_the_budget_of_the_next() -> None:
    template = compiled("{% for i in range(2000) %}x{% endfor %}")

    for _ in range(20):
        assert len(template.reads(Payload.of(""), now_ms=AT)) == 2000
