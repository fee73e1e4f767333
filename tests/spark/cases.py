"""Queries that DuckDB and Spark answer alike, and the small relations that they are asked of."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import duckdb

from catalog.spark.macros import MACROS
from catalog.spark.types import spark_type
from catalog.statements import statement

RELATIONS: dict[str, tuple[dict[str, str], list[str]]] = {
    "n": (
        {"k": "INTEGER", "i": "BIGINT", "j": "INTEGER", "d": "DOUBLE", "e": "DOUBLE",
         "m": "DECIMAL(9,2)", "h": "SMALLINT", "f": "BOOLEAN"},
        [
            "(1, 7, 2, 2.5, 0.5, 1.25, 3, true)",
            "(2, -7, 2, -2.5, -1.5, -1.25, -3, false)",
            "(3, 0, 3, 0.0, 3.5, 0.00, 0, null)",
            "(4, null, null, null, null, null, null, null)",
            "(5, 9007199254740993, -3, 1e300, 2.0, 9999999.99, 100, true)",
            "(6, 5, -2, 'nan'::double, 1.0, 2.50, 7, false)",
            "(7, -5, 1, 'inf'::double, -0.0, 0.05, 1, true)",
            "(8, 12, 4, '-inf'::double, 4.499999, -0.05, 2, false)",
            "(9, 12, 5, 1.005, 1e-9, 2.45, 2, false)",
        ],
    ),
    "s": (
        {"k": "INTEGER", "s": "VARCHAR", "p": "VARCHAR", "q": "VARCHAR"},
        [
            "(1, 'hello world', 'o', '12')",
            "(2, '', '', ' 3.5 ')",
            "(3, null, 'x', null)",
            "(4, 'a,b,,c', ',', '1e3')",
            "(5, 'Ärger über 100%', 'er', 'abc')",
            "(6, '  padded\t', 'p', '-7.5')",
            "(7, 'back\\slash_under', '\\', '2.5d')",
            "(8, 'AbAb12ab', 'ab', 'true')",
            "(9, e'two\\nlines', 'l', 'nan')",
            "(11, 'plain', '', '1')",
            "(10, 'it''s $1 \\1 {x}', '$', '9223372036854775807')",
        ],
    ),
    "l": (
        {"k": "INTEGER", "l": "INTEGER[]", "o": "INTEGER[]", "w": "VARCHAR[]", "x": "INTEGER",
         "b": "BOOLEAN[]", "z": "DOUBLE[]", "r": "STRUCT(a INTEGER, c VARCHAR)",
         "m": "MAP(VARCHAR, INTEGER)", "n": "INTEGER[][]"},
        [
            "(1, [3, 1, 2], [1, 9], ['b', 'a'], 1, [true, false], [1.5, -2.5],"
            " {'a': 1, 'c': 'x'}, map {'p': 1, 'q': 2}, [[1], [2, 3]])",
            "(2, [1, null, 3, 1], [3], ['a', null], 3, [true, null], [0.5],"
            " {'a': null, 'c': null}, map {'q': null}, [[4], null])",
            "(3, [], [], [], 2, [], [], null, map {}, [])",
            "(4, null, [1], null, 1, null, null, null, null, null)",
            "(5, [5, 5, 5], [5, null], ['x,y', ''], 5, [false], [1.0, 2.0, 4.0],"
            " {'a': 7, 'c': ''}, map {'r': 5}, [[]])",
        ],
    ),
    "c": (
        {"k": "INTEGER", "t0": "TIMESTAMP", "tz": "TIMESTAMP WITH TIME ZONE", "day": "DATE",
         "till": "TIMESTAMP", "u": "INTEGER", "text": "VARCHAR"},
        [
            "(1, '2024-01-31 23:59:59.123456', '2024-01-31 23:59:59.123456+00', '2024-01-31',"
            " '2024-02-01 00:00:00', 1, '2024-01-05T10:00:00+00:00')",
            "(2, '2024-02-29 00:00:00', '2024-02-29 12:30:00+02', '2024-02-29',"
            " '2023-02-28 11:59:59.5', -3, '2024-01-05 10:00')",
            "(3, '1969-12-31 23:59:58.25', '1969-12-31 23:59:58.25+00', '1969-12-31',"
            " '1970-01-01 00:00:00', 30, 'soon')",
            "(4, null, null, null, null, null, null)",
            "(5, '2000-01-01 12:00:00', '2000-01-01 12:00:00-05', '2000-01-01',"
            " '2000-12-31 23:00:00', 400, '2024-01-05')",
            "(6, '2024-12-30 08:05:03', '2024-07-01 08:05:03+00', '2024-12-30',"
            " '2025-01-05 08:05:02', 0, '2024-01-05 10:00:00.5Z')",
            "(7, '1900-01-07 00:00:00', '1900-01-07 00:00:00+00', '1900-01-07',"
            " '1899-12-31 23:59:59', 12, '')",
        ],
    ),
    "g": (
        {"k": "INTEGER", "g": "VARCHAR", "x": "BIGINT", "y": "DOUBLE", "v": "VARCHAR",
         "o": "INTEGER", "f": "BOOLEAN"},
        [
            "(1, 'a', 3, 1.5, 'c', 2, true)",
            "(2, 'a', 1, 2.5, null, 1, false)",
            "(3, 'a', null, 2.5, 'b', null, true)",
            "(4, 'a', 2, -1.0, 'a', 3, null)",
            "(5, 'b', 5, null, 'z', 1, true)",
            "(6, 'b', -5, null, null, 2, true)",
            "(7, null, 9, 4.0, 'n', 1, false)",
            "(8, 'd', null, null, null, null, null)",
            "(9, 'e', 4, 1.0, 'p', 1, true)",
            "(10, 'e', 4, 1.0, 'q', 2, true)",
            "(11, 'e', 4, 1.0, 'r', 3, true)",
            "(12, 'e', 4, 1.0, 's', 4, true)",
            "(13, 'a', 8, 9.0, 'd', 5, true)",
        ],
    ),
    "j": (
        {"k": "INTEGER", "config": "JSON"},
        [
            """(1, '{"a":{"b":1.5,"c":"x"},"l":[1,2,{"m":7}],"t":true,"i":20}')""",
            """(2, '{"a":null,"l":[],"t":false,"i":-3,"with space":"y"}')""",
            "(3, null)",
            """(4, '{"a":{"b":2,"c":""},"i":2.0}')""",
        ],
    ),
    "a": (
        {"id": "INTEGER", "g": "VARCHAR", "ts": "INTEGER", "va": "VARCHAR"},
        [
            "(1, 'x', 10, 'a1')", "(2, 'x', 20, 'a2')", "(3, 'y', 5, 'a3')",
            "(4, null, 7, 'a4')", "(5, 'x', null, 'a5')", "(6, 'z', 1, 'a6')",
        ],
    ),
    "b": (
        {"id": "INTEGER", "g": "VARCHAR", "ts": "INTEGER", "vb": "DOUBLE"},
        [
            "(1, 'x', 10, 0.5)", "(2, 'x', 15, null)", "(3, 'y', 6, 1.5)",
            "(4, null, 1, 2.5)", "(7, 'x', 25, 3.5)", "(8, 'x', null, 4.5)",
        ],
    ),
    "empty": ({"k": "INTEGER", "x": "BIGINT", "y": "DOUBLE", "v": "VARCHAR", "l": "INTEGER[]"}, []),
    "Odd Names": ({"Key": "INTEGER", "select": "BIGINT", "a`b": "VARCHAR"},
                  ["(1, 2, 'x')", "(2, null, 'y')"]),
}  # fmt: skip
COLUMNS = {name: columns for name, (columns, _) in RELATIONS.items()}


@dataclass(frozen=True)
class Case:
    """One query; `ordered` where the order of its rows is part of the answer."""

    sql: str
    ordered: bool

    def __str__(self) -> str:
        return self.sql[:90]


def _lines(text: str) -> Iterator[str]:
    for line in text.strip().splitlines():
        if line.strip() and not line.strip().startswith("#"):
            yield line.strip()


_NUMBERS = """
i + j
i - j
i * 2
-i
i / j
j / 2
d / e
d / 0
0 / d
i / 0.0
m / 3
i // 2
i // j
-7 // j
i % 3
j % -2
d % 2
mod(i, 5)
j ^ 2
j ** 2
power(e, 2)
m + m
m * m
m - 0.5
m + i
h + 1
h + h
i + 0.5
i + e
j + i
1.0 / 3
1 / 3
2 * 3.5
abs(i)
@j
abs(m)
sign(i)
sign(e)
round(d)
round(e, 1)
round(m, 1)
round(m)
round(i, 0)
round(1.005, 2)
round(d, 2)
round_even(e, 0)
ceil(e)
floor(e)
ceil(m)
floor(m)
floor(i)
trunc(e)
trunc(m)
even(e)
sqrt(abs(e))
cbrt(e)
exp(e)
ln(abs(e) + 1)
log(abs(e) + 1)
log10(abs(e) + 1)
log2(abs(e) + 1)
sin(e)
cos(e)
tan(e)
atan(e)
atan2(e, 2)
sinh(e)
degrees(e)
radians(e)
pi()
greatest(i, j, 3)
least(i, j)
greatest(d, e)
least(e, 0)
xor(j, 3)
j & 6
j | 8
factorial(h::integer % 5 + 5)
isnan(d)
isinf(d)
isfinite(d)
i = j
i > 5
i <> 7
d = d
d > 1e308
d < e
d >= 'nan'::double
m > 1.2
m = 1.25
i > 5.5
i = 7.0
h = 3
i is null
i is not null
f is true
f is not true
i is distinct from j
i is not distinct from null
i between 0 and 7
i not between 0 and 7
i in (7, 12)
i in (7, null)
i not in (7, 12)
not f
f and i > 0
f or i > 0
i > 0 and (f or j > 2)
not (i > 0 and f)
case when i > 0 then 'pos' when i < 0 then 'neg' end
case i when 7 then 1 when 12 then 2.5 else 0 end
case when f then i else d end
if(i > 0, 1, 0)
coalesce(i, j, 0)
coalesce(i, 0.5)
nullif(i, 12)
nullif(j, 2)
cast(case when abs(d) < 1e6 then d end as integer)
cast(e as integer)
e::bigint
m::integer
m::double
m::decimal(10,1)
i::double
i::varchar
j::varchar
m::varchar
h::varchar
f::varchar
f::integer
i::boolean
try_cast(d as integer)
try_cast(i as integer)
try_cast(i as smallint)
e::decimal(9,3)
e::float::double
i::hugeint
i::hugeint * 2
i::hugeint / 3
1e3
1_000
9223372036854775808
99999999999999999999
0.1 + 0.2
2.5::integer
-2.5::integer
3.5::double::integer
'12'::integer
'1.5'::double
cast('7' as bigint) + i
i = '7'
e > '1.0'
-j ^ 2
2 ^ 3 ^ 2
(i + 1) * 2 - j / 4
i - (j - 1)
i / (j + 100)
-(i)
1 - -1
i + i * 2
9223372036854775807 - k
-(-i)
d = -d
d * 0 = 'nan'::double
d - d > 1
m > d
d in (2.5, 'nan')
i > 5.5::double
ln(e)
log2(-e)
sign(d)
1.0::float / 3
h::float / 7
0.1::float * 3
greatest(d - d, 1)
"""
_TEXTS = """
s || p
s || 'x'
s || null
s || k
concat(s, p, 'z')
concat(s, null, k)
concat_ws('-', s, p)
concat_ws('-', s, null, 'x')
upper(s)
upper(s || 'straße')
lower(s || 'ΟΔΟΣ İst')
ucase('ᾰé' || p)
lower(s)
length(s)
len(s)
strlen(s)
char_length(s)
bit_length(s)
reverse(s)
substring(s, 2)
substring(s, 2, 3)
substring(s, 0, 3)
substring(s, 0)
substring(s, -3)
substring(s, -3, 2)
substring(s, -100, 98)
substring(s, 100)
substring(s, 3, k)
substr(s, 1, 1)
substring(s from 2 for 3)
left(s, 3)
left(s, -3)
left(s, 0)
left(s, 100)
right(s, 3)
right(s, -3)
right(s, 0)
right(s, 100)
s[1]
s[2:4]
s[-3:]
s[:2]
s[:-2]
lpad(s, 12, '*')
rpad(s, 12, '*+')
lpad(s, 3, '*')
repeat(p, 3)
repeat(s, k - 3)
instr(s, p)
strpos(s, 'o')
position('l' in s)
contains(s, p)
contains(s, 'a')
starts_with(s, 'he')
prefix(s, p)
ends_with(s, 'd')
suffix(s, p)
s ^@ 'a'
split_part(s, ',', 1)
split_part(s, ',', 2)
split_part(s, ',', -1)
split_part(s, ',', 0)
split_part(s, ',', 9)
string_split(s, ',')
str_split(s, 'b')
string_split(s, '.')
split(s, ' ')
trim(s)
ltrim(s)
rtrim(s)
trim(s, 'hd ')
trim(both 'h' from s)
ltrim(s, '[]^-a')
rtrim(s, '\\e')
replace(s, 'a', 'XX')
replace(s, p, '-')
translate(s, 'abc', 'xy')
ascii(s)
chr(65)
md5(s)
sha256(s)
sha1(s)
hex(k)
to_hex(k)
levenshtein(s, 'hello')
s like 'h%'
s like '%_under'
s like '%\\_under'
s like '%$_under' escape '$'
s like '%100$%' escape '$'
s like '%\\%'
s like 'a_b%'
s like p
s like '%' || p || '%'
s not like '%b%'
s ilike 'ABAB%'
s not ilike 'abab%'
s glob 'h*d'
s glob '?b*'
s similar to '[a-z ]+'
s similar to 'hello'
s not similar to '.*b.*'
regexp_matches(s, 'o')
regexp_matches(s, '^a')
regexp_matches(s, 'd$')
regexp_matches(s, 's$')
regexp_matches(s, 'A.A', 'i')
regexp_matches(s, '\\d+')
regexp_matches(s, '^\\w+$')
regexp_matches(s, '[[:digit:]]')
regexp_matches(s, 'two.lines')
regexp_matches(s, '\\$\\d')
regexp_matches(s, '\\bworld\\b')
regexp_matches(s, '[^a-z ,]')
regexp_matches(s, 'a|l')
regexp_matches(s, '(?i)ABAB')
regexp_matches(s, '\\\\')
s ~ '.*b.*'
regexp_full_match(s, 'a.*c')
regexp_full_match(s, 'a|hello world')
regexp_extract(s, '[0-9]+')
regexp_extract(s, '([a-z])([a-z]+)')
regexp_extract(s, '([a-z])([a-z]+)', 2)
regexp_extract(s, '(x)?b', 1)
regexp_extract(s, 'AB', 0, 'i')
regexp_extract_all(s, '[ab]')
regexp_extract_all(s, '(.)b', 1)
regexp_replace(s, 'b', 'X')
regexp_replace(s, 'b', 'X', 'g')
regexp_replace(s, '(a)(b)', '<\\2\\1>')
regexp_replace(s, '(a)(b)', '<\\2\\1>', 'g')
regexp_replace(s, 'B', '_', 'gi')
regexp_replace(s, '[aeiou]', '')
regexp_replace(s, 'A', '', 'i')
regexp_replace(s, '^', '>')
regexp_replace(s, '\\s+', ' ', 'g')
regexp_split_to_array(s, '[, ]')
string_split_regex(s, '\\d')
try_cast(q as integer)
try_cast(q as bigint)
try_cast(q as double)
try_cast(q as decimal(9,1))
try_cast(q as boolean)
try_cast(q as date)
s = 'hello world'
s < 'b'
s > p
s in ('', 'a,b,,c')
s between 'a' and 'c'
s is null
s = ''
coalesce(s, p)
case when s like 'h%' then upper(s) else p end
nullif(s, '')
greatest(s, p)
least(s, p)
'it''s' || s
'back\\slash'
'$1 {} % _'
s.upper()
if(s = '', 'none', s)
"""
_LISTS = """
l
len(l)
length(w)
array_length(l)
cardinality(m)
l[1]
l[2]
l[-1]
l[0]
l[99]
l[x]
l[-x]
list_extract(l, 2)
l[2:]
l[:2]
l[1:2]
l[0:2]
l[2:1]
l[:-1]
l[:-2]
l[-2:]
l[-2:-1]
l[5:9]
list_slice(l, 1, 2)
array_slice(l, 2, 3)
list_sort(l)
list_sort(l, 'DESC')
list_sort(l, 'ASC', 'NULLS FIRST')
list_sort(l, 'DESC', 'NULLS FIRST')
array_sort(w)
list_reverse_sort(l)
list_reverse(l)
list_sort(list_distinct(l))
array_unique(l)
list_contains(l, 1)
list_contains(l, x)
list_has(w, 'a')
list_contains(l, 1.0)
list_position(l, 1)
list_position(l, 99)
list_position(w, 'a')
list_concat(l, o)
list_concat(l, null)
list_concat(l, l)
list_contains(o, r.a)
contains(l, 3)
x in l
x not in o
l || o
l || [1]
array_cat(w, ['z'])
list_append(l, 4)
list_append(l, x)
list_prepend(0, l)
array_pop_back(l)
array_pop_front(l)
list_transform(l, lambda e: e + 1)
list_transform(l, lambda e: e * x)
list_transform(l, lambda e, i: e * i)
list_transform(w, lambda e: e || '!')
list_apply(l, lambda e: e / 2)
list_filter(l, lambda e: e > 1)
list_filter(l, lambda e: e <> x)
[e + 1 for e in l]
[e * 2 for e in l if e > 1]
list_reduce(l, lambda a, e: coalesce(a, 0) + coalesce(e, 0), 0)
list_transform(l, lambda x: x + 1)
list_has_any(l, o)
list_has_all(l, o)
list_sort(list_intersect(l, o))
flatten(n)
list_sum(l)
list_sum(z)
list_avg(l)
list_avg(z)
list_min(l)
list_max(l)
list_max(w)
list_count(l)
list_first(l)
list_last(l)
list_any_value(l)
list_bool_and(b)
list_bool_or(b)
list_product(z)
list_aggregate(l, 'sum')
list_aggregate(l, 'max')
array_to_string(w, '-')
list_string_agg(w)
range(x)
range(1, x)
range(x, 1)
range(0, 10, 3)
range(x, -5, -2)
generate_series(1, x)
generate_series(x, 1)
generate_series(10, x, -4)
[x, 2]
[x, 2.5]
[x, null]
[]::integer[]
['a', w[1]]
l::double[]
l::varchar[]
l = o
l is null
coalesce(l, [])
case when x > 2 then l else [x] end
r.a
r.c
r['a']
struct_extract(r, 'c')
{'u': x, 'v': w[1]}
{'u': x, 'v': 1}.u
row_number() over (order by x, k) + len(l)
m['p']
m['nothing']
map_keys(m)
map_values(m)
map_contains(m, 'p')
element_at(m, 'q')
map_extract(m, 'q')
map {'one': x}
map {'one': x}['one']
"""
_TIMES = """
t0
tz
day
year(t0)
month(tz)
day(day)
hour(t0)
minute(t0)
second(t0)
millisecond(t0)
microsecond(t0)
quarter(t0)
week(t0)
weekofyear(day)
dayofweek(t0)
weekday(day)
isodow(day)
dayofmonth(t0)
dayofyear(day)
isoyear(day)
yearweek(day)
decade(day)
century(day)
millennium(day)
extract(year from t0)
extract(dow from day)
extract(epoch from t0)
date_part('hour', tz)
date_part('doy', t0)
date_part('week', day)
date_part('second', t0)
epoch(t0)
epoch(day)
epoch(tz)
epoch_ms(t0)
epoch_ms(t0 + interval 1999999 microseconds)
epoch_ms(timestamp '1969-12-31 23:59:59.9995' + interval (k) seconds)
epoch_ms(timestamp '1969-12-31 23:59:59.999501')
epoch_us(tz)
epoch_ns(t0)
epoch_ms(u)
to_timestamp(u)
to_timestamp(u / 8)
make_timestamp(u)
date_trunc('second', t0)
date_trunc('minute', t0)
date_trunc('hour', tz)
date_trunc('day', t0)
date_trunc('week', t0)
date_trunc('month', day)
date_trunc('quarter', t0)
date_trunc('year', tz)
date_diff('second', t0, till)
date_diff('minute', t0, till)
date_diff('hour', t0, till)
date_diff('day', t0, till)
date_diff('week', t0, till)
date_diff('month', t0, till)
date_diff('quarter', day, till)
date_diff('year', t0, till)
date_diff('millisecond', t0, till)
date_sub('hour', t0, till)
date_sub('day', t0, till)
datediff('day', day, till::date)
t0 + interval 1 day
t0 - interval 1 day
t0 + interval '1 month'
t0 + interval '-1 month'
day + interval 1 month
day + interval 1 year
tz + interval 90 minute
t0 + interval '1 day 2 hours'
t0 + interval 1.5 second
t0 + to_days(u)
t0 + to_months(u)
t0 - to_hours(u)
t0 + to_seconds(u)
t0 + to_microseconds(u)
t0 + interval (u) day
t0 - interval (u) month
interval 1 hour + t0
day + 1
day - 1
day + u
1 + day
day - date '2024-01-01'
last_day(day)
dayname(day)
monthname(day)
strftime(t0, '%Y-%m-%d %H:%M:%S')
strftime(day, '%d.%m.%y')
strftime(t0, '%Y-%m-%dT%H:%M:%S.%f+00:00')
strftime(t0, '%b %B %a %A %j %I %p')
strftime(tz, '%-d/%-m/%Y at %H h')
strptime('05.01.2024 10:00', '%d.%m.%Y %H:%M')
try_strptime(text, '%Y-%m-%d')
try_cast(text as timestamp)
try_cast(text as timestamptz)
try_cast(text as date)
t0::date
tz::date
t0::timestamptz
tz::timestamp
day::timestamp
t0::varchar
tz::varchar
day::varchar
date '2024-01-05'
timestamp '2024-01-05 10:00:00.5'
timestamptz '2024-01-05 10:00:00+02'
t0 > '2024-01-01'
tz >= '2024-01-31 23:00:00+00'
day = '2024-02-29'
day < t0
t0 between '2000-01-01' and '2024-02-01'
t0 = till
tz > timestamp '2024-01-01'
make_date(2024, 1, 2)
t0 at time zone 'America/New_York'
tz at time zone 'America/New_York'
tz at time zone 'UTC'
timestamp '2024-11-03 01:30:00' at time zone 'America/New_York'
timestamp '2024-03-31 02:30:00' at time zone 'Europe/Berlin'
try_strptime('2024-1-5', '%Y-%m-%d')
try_strptime('20240105', '%Y%m%d')
tz at time zone 'UTC' at time zone 'Europe/Berlin'
date_trunc('day', tz at time zone 'America/New_York')
coalesce(t0, till)
greatest(t0, till)
case when day > '2020-01-01' then t0 else day end
date(t0)
"""
_JSON = """
config->>'$.a.b'
config->>'$.a.c'
config->>'i'
config->>'$.i'
config->>'t'
config->'a'->>'b'
config->'l'->>0
config->>'$.l[2].m'
config->'l'->2->>'m'
config->>'$."with space"'
config->>'nothing'
config->>'a'
json_extract_string(config, '$.a.c')
cast(config->'i' as integer)
cast(config->'$.a.b' as double)
try_cast(config->>'i' as double)
try_cast(config->>('$.' || 'i') as double)
(config->>'$.a.c') = 'x'
json_array_length(config->'$.l')
json_array_length(config)
config is null
"""
_AGGREGATES = """
count(*)
count(x)
count(distinct x)
count(distinct y)
count(distinct (x, y))
count(*) filter (x > 2)
count(x) filter (f)
count(distinct x) filter (f)
sum(x)
sum(y)
sum(distinct y)
sum(o)
sum(x) filter (x > 100)
sum(x)::bigint
sum(x) / count(*)
sum(f::integer)
sum(x * 0.5)
avg(x)
avg(y)
avg(distinct y)
mean(o)
min(x)
max(x)
min(v)
max(v)
min(y)
max(f)
max(case when k = 1 then 'nan'::double else y end)
min(case when k = 1 then 'nan'::double else y end)
median(case when k = 1 then 'nan'::double else y end)
median(x::decimal(10,2))
geomean(y)
bool_and(f)
bool_or(f)
count_if(f)
count_if(x > 2)
list(x order by k)
list(v order by k)
list(v order by x desc, k)
list(v order by x nulls first, k)
list(x order by x desc nulls last, k) filter (x > 1)
list(k order by y desc, k desc)
list_sort(list(x))
list_sort(list(distinct x))
array_agg(x order by k)
array_agg(v order by v desc nulls first, k)
string_agg(v, '-' order by k)
string_agg(v order by v desc)
string_agg(k::varchar, ',' order by k)
string_agg(v, '' order by k)
first(x order by k)
first(x order by k desc)
first(v order by x desc nulls first, k)
last(x order by k)
any_value(x order by k)
any_value(v order by x desc, k)
arg_max(v, k)
arg_max(x, k)
arg_min(x, k)
max_by(v, k)
min_by(x, k)
arg_max_null(v, k)
arg_min_null(x, k)
arg_max(x, k) filter (x < 8)
median(x)
median(y)
quantile_cont(x, 0.25)
quantile_cont(y, 0.9)
quantile_disc(x, 0.5)
quantile_disc(x, 0.25)
quantile_disc(v, 0.75)
quantile_disc(x, 0.0)
quantile_disc(x, 1.0)
stddev(x)
stddev_samp(y)
stddev_pop(x)
variance(y)
var_samp(x)
var_pop(y)
sem(y)
skewness(x)
skewness(y)
kurtosis(x)
kurtosis_pop(x)
corr(x, y)
covar_samp(x, y)
covar_pop(x, y)
regr_slope(y, x)
regr_intercept(y, x)
regr_r2(y, x)
regr_count(y, x)
regr_avgx(y, x)
regr_avgy(y, x)
regr_sxx(y, x)
regr_syy(y, x)
regr_sxy(y, x)
product(y)
product(1 + y / 100) - 1
geomean(abs(x) + 1)
bit_and(x)
bit_or(x)
bit_xor(x)
sum(x) filter (f) / count(*)
coalesce(sum(x) filter (x > 2), 0)
max(x) - min(x)
round(avg(y), 2)
sum(x + o)
sum(case when f then x end)
case when count(*) > 2 then 'many' else 'few' end
sharpe(y, 252)
sortino(y, 252)
hit_rate(y)
profit_factor(y)
total_return(y / 100)
annual_return(y / 100, 12)
volatility(y, 252)
"""
_WINDOWS = """
row_number() over (order by k)
row_number() over (partition by g order by x desc, k)
row_number() over (partition by g order by x nulls first, k)
rank() over (order by o)
dense_rank() over (order by o desc)
percent_rank() over (order by o)
cume_dist() over (order by o)
ntile(3) over (order by k)
lag(x) over (order by k)
lag(x, 2) over (partition by g order by k)
lag(x, 1, 0) over (order by k)
lag(x, 1, k) over (order by k)
lead(v) over (order by k)
lead(x, -1) over (order by k)
lag(x ignore nulls) over (order by k)
lead(v ignore nulls) over (order by k)
first_value(x) over (partition by g order by k)
last_value(x) over (partition by g order by k)
last_value(v ignore nulls) over (order by k)
first_value(v ignore nulls) over (order by k rows between 1 preceding and 1 following)
nth_value(x, 2) over (order by k)
sum(x) over ()
sum(x) over (partition by g)
sum(x) over (order by k)
sum(x) over (order by o)
sum(x) over (order by o desc nulls first)
sum(y) over (partition by g order by k rows between 1 preceding and current row)
avg(x) over (order by k rows between 2 preceding and 1 following)
count(*) over (partition by g)
count(x) over (order by k rows between unbounded preceding and 1 preceding)
sum(x) over (order by o range between 1 preceding and current row)
sum(x) over (order by k range between 2 preceding and 2 following)
sum(x) filter (f) over (order by k)
count(*) filter (x > 2) over (partition by g)
min(v) over (partition by g)
max(x) over (order by k rows between current row and unbounded following)
stddev(y) over (partition by g)
median(x) over (partition by g)
list(x) over (order by k rows between 1 preceding and current row)
x - avg(x) over (partition by g)
x - lag(x) over w
bool_or(f) over (order by k)
sum(case when k = 3 then 'inf'::double else y end) over (order by k rows 1 preceding)
avg(case when k = 3 then 'nan'::double else y end) over (order by k rows 1 preceding)
stddev(case when k = 3 then 1e10 else y end) over (order by k rows 2 preceding)
var_pop(y) over (order by k rows between 2 preceding and 1 following)
avg(x) over (order by k rows between 1 preceding and 1 preceding)
count(*) over (order by k rows 2 preceding)
product(y) over (order by k)
"""
_QUERIES = """
select * from n order by k
from n order by k
select * exclude (i, d) from n order by k
select * replace (i + 1 as i) from n order by k
select n.* from n order by k
select columns('^[ij]$') from n order by k
select max(columns(* exclude (f))) from n
select k, columns(*) from g order by all
select k as z, z + 1 as y from n order by z
select k as z from n where z > 3 order by z
select x + 1 as x from g order by x nulls first
select x as k from g order by k nulls first, g.k
select g, count(*) from g group by g order by g
select g, count(*) as n from g group by all order by all
select g, sum(x) from g group by 1 order by 1 desc
select g as h, count(*) from g group by h order by h nulls first
select upper(g) as u, count(*) as n from g group by u having n > 1 order by u
select count(*) from g group by g having max(x) > 4 order by 1
select g, x from g order by g desc, x asc
select g, x from g order by g nulls first, x desc nulls first, k
select x from g order by -x, k
select g from g order by k desc limit 3
select k from g order by k limit 2 offset 3
select distinct g from g order by g
select distinct g, f from g order by all
select distinct on (g) g, k, x from g order by g, k desc
select distinct on (g) k from g order by g, x desc nulls last, k
select k, g from g qualify row_number() over (partition by g order by k) = 1 order by k
select k, row_number() over (partition by g order by x desc, k) as p from g qualify p <= 2 order by k
select g, f, count(*) as n from g group by grouping sets ((g, f), (g), ()) order by all
select g, f, sum(x) as n, grouping(g) as p from g group by rollup (g, f) order by all
select g, f, count(*) as n from g group by cube (g, f) order by all
select count(*), sum(x), avg(y), list(x), max(v), count_if(x > 1), string_agg(v), first(x) from empty
select product(y), median(x), bool_and(x > 1), stddev(y), corr(x, y), quantile_disc(x, 0.5) from empty
select x, count(*) from empty group by x
select * from empty
select unnest(l) from empty
select * from a join b using (id) order by id
select * from a left join b using (id) order by id
select * from a right join b using (id) order by id
select id, va, vb from a full join b using (id) order by id
select * from a join b on a.g = b.g and a.ts < b.ts order by all
select a.id, b.id from a left join b on a.g = b.g order by all
select a.id, b.id from a, b where a.id = b.id order by all
select count(*) from a cross join b
select * from a semi join b using (g) order by id
select * from a anti join b using (g) order by id
select * from a natural join (select id, vb from b) order by id
select a.id, b.vb from a join b on a.g is not distinct from b.g order by all
select a.id, b.id, b.vb from a asof join b on a.g = b.g and a.ts >= b.ts order by a.id
select a.id, b.id, b.vb from a asof left join b on a.g = b.g and a.ts >= b.ts order by a.id
select a.id, b.id from a asof left join b on a.g = b.g and a.ts > b.ts order by a.id
select a.id, b.id from a asof left join b on a.g = b.g and a.ts <= b.ts order by a.id
select a.id, b.id from a asof left join b on a.g = b.g and b.ts > a.ts order by a.id
select a.id, b.id from a asof join b on a.ts >= b.ts order by a.id
select * from a asof join b using (g, ts) order by all
select a.va, c.vb from a asof join (from b where vb is not null) as c on a.ts >= c.ts and a.g = c.g order by all
select a.id, max(b.vb) as m from a asof left join b on a.g = b.g and a.ts + 1 >= b.ts group by all order by all
select x.id, y.id from a as x join a as y on x.g = y.g and x.id < y.id order by all
select * from (select id, g from a) as t(p, q) order by p
select t.q from a as t(o, q) order by o
select * from (values (1, 'a'), (2, null)) as v(x, y) order by x
select * from (values (1), (2.5)) order by 1
values (1, 'x'), (2, 'y')
select * from range(3) order by 1
select i * 2 as d from range(2, 5) as r(i) order by 1
select * from generate_series(1, 3) as r(i) order by i
select * from unnest([3, 1, 2]) as u(x) order by x
select k, u.e from l, unnest(l.l) as u(e) order by all
select k, i from l, range(l.x) as r(i) order by all
select k, unnest(l) as e from l order by all
select k, unnest(l) + 1 as e from l order by all
select k, unnest(l) as e, unnest(w) as f from l order by all
select k, e from (select k, unnest(l) as e from l) where e > 1 order by all
select unnest([1, 2]) as a, unnest(['x', 'y', 'z']) as b order by b
select unnest(range(k, k + 2)) as r, k from l where k < 3 order by all
select 1 as one union all select 2 order by one
select id from a union select id from b order by id
select id from a intersect select id from b order by id
select id from a except select id from b order by id
select id, va from a union by name select vb, id from b order by all
select id as i, va from a union all by name select id as i, vb from b order by all
select 1 as x union all select 2.5 order by x
select id, g from a union all (select id, g from b order by id limit 2) order by all
(select id from a order by id desc limit 2) union all (select id from b order by id limit 1) order by 1
with t as (select id, ts from a) select * from t where ts > 5 order by id
with t(p, q) as (select id, ts from a), u as (select p from t where q > 5) select * from u join t using (p) order by p
with t as (select 1 as x), u as (with t as (select 2 as x) select x from t) select t.x, u.x as y from t, u
select (select max(ts) from a) as m
select id, (select max(b.ts) from b where b.g = a.g) as m from a order by id
select id from a where exists (select 1 from b where b.g = a.g) order by id
select id from a where not exists (select 1 from b where b.id = a.id) order by id
select id from a where id in (select id from b) order by id
select id from a where id not in (select id from b) order by id
select id from a where ts > (select avg(ts) from b) order by id
select a.id, q.m from a, (select a.ts + 1 as m) as q order by all
select id, ts, sum(ts) over (partition by g order by id) as s from a order by id
select g, sum(ts) as s, sum(sum(ts)) over (order by g) as c from a group by g order by g
select g, rank() over (order by count(*) desc, g) as r from a group by g order by r
select "Key", "select", "a`b" from "Odd Names" order by 1
select key as "A b", "SELECT" from "Odd Names" order by "A b"
select "Odd Names".key from "Odd Names" order by key desc
select ID, VA from A order by Id
select id id, id from a order by 1
select count(*), count(*) from a
select max(ts), min(ts) from a where g = 'x'
select 1 + 1, 'a', null, true
select g, list(id order by id) as ids from a group by g order by g
select g, len(list(id)) as n from a group by g order by g
select g, count(*) filter (ts > 5) as n, sum(ts) filter (va like 'a%') as s from a group by g order by g
select * from a where g = 'x' and (ts > 10 or ts is null) order by id
select * from a order by ts desc, id limit 3
select x.n from (select count(*) as n from a) as x
select "count_star()" from (select count(*) from a)
select sum(vb) from b having sum(vb) > 100
select case when g = 'x' then 1 end as c, count(*) as n from a group by c order by c
select g, ts, id from a order by g, ts, id
select round(vb, 0) as r, count(*) as n from b group by r order by r
select * from a as t where t.id = (select min(id) from a where a.g = t.g) order by id
select avg(s) from (select g, sum(ts) as s from a group by g)
select a.* exclude (va), b.vb from a join b using (id) order by all
select max(x) filter (x < 5), min(x) filter (x > 5) from g
select k, x, first_value(x) over w as f, last_value(x) over w as l from g window w as (partition by g order by k rows between unbounded preceding and unbounded following) order by k
select * from (select k, l from l) where list_contains(l, 3) order by k
select k, list_filter(list_transform(l, lambda e: e * 10), lambda e: e > x * 10) as r from l order by k
select k, [z for z in [1, 2, 3] if z <> x] as r from l order by k
select k, list_sum(list_transform(range(x), lambda e: e * e)) as r from l order by k
select date_trunc('month', t0) as m, count(*) as n from c group by m order by m
select year(day) as y, count(*) filter (month(day) = 1) as jan from c group by all order by all
select k, t0 - interval (k) day as b from c where t0 is not null order by k
select t.k, t.i // 2 as h from n as t where t.i // 2 > 1 order by all
select sum(i) as s, sum(i) * 1000 as t from n
select s.k, s.s like '%a%' as has from s order by s.k
select k, d - d as z from n order by d - d desc, k
select k, e * 0 / 0 as z from n order by z desc, k
select d - d as z, count(*) from n group by all order by all
select count(distinct d - d), count(distinct e * 0) from n
select arg_max(k, d - d), max(d - d), min(d - d) from n where k in (1, 7)
select count(*) from n as a join n as b on a.d - a.d = b.d - b.d
select sharpe(y, 252), hit_rate(y) + 1 from g group by g order by all
select 'x' || k as name, count(*) from g group by all order by all
"""  # noqa: E501 - a query a line


def _ordered(sql: str) -> bool:
    return "order by" in sql.rsplit(")", 1)[-1].lower()


def _frames() -> Iterator[tuple[str, str, list[str]]]:
    """Yield what stands around expressions: before them, behind them, and the expressions."""
    for relation, text in (("n", _NUMBERS), ("s", _TEXTS), ("l", _LISTS), ("c", _TIMES),
                           ("j", _JSON)):  # fmt: skip
        yield "select k", f"from {relation} order by k", list(_lines(text))
    aggregates = list(_lines(_AGGREGATES))
    yield "select g", "from g group by g order by g", aggregates
    yield "select 0 as g", "from g", aggregates
    yield "select 0 as g", "from g where k > 100", aggregates
    yield "select k", "from g window w as (order by k) order by k", list(_lines(_WINDOWS))


def batches(size: int = 15) -> list[Case]:
    """Return all cases, many expressions in one query: an engine is asked seldom."""
    made = []
    for before, behind, expressions in _frames():
        for start in range(0, len(expressions), size):
            some = expressions[start : start + size]
            columns = ", ".join(f"{one} as r{start + at}" for at, one in enumerate(some))
            made.append(Case(f"{before}, {columns} {behind}", ordered=True))
    return made + queries()


def expressions() -> list[Case]:
    """Return each expression as a query of its own."""
    return [
        Case(f"{before}, {one} as r {behind}", ordered=True)
        for before, behind, several in _frames()
        for one in several
    ]


def queries() -> list[Case]:
    """Return the whole queries."""
    return [Case(line, ordered=_ordered(line)) for line in _lines(_QUERIES)]


def open_duckdb() -> duckdb.DuckDBPyConnection:
    """Return DuckDB with the relations in it."""
    con = duckdb.connect()
    con.execute("set timezone = 'UTC'")
    for macro in MACROS:
        con.execute(statement(f"macro_{macro}"))
    for name, (columns, rows) in RELATIONS.items():
        types = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        con.execute(f'create table "{name}" ({types})')
        if rows:
            con.execute(f'insert into "{name}" values {", ".join(rows)}')
    return con


def _constant(value: Any, kind: str) -> str:
    """Return a value of DuckDB's as a constant of Spark SQL."""
    spark = spark_type(kind)
    if value is None:
        return f"cast(null as {spark})"
    if kind.endswith("[]"):
        inside = ", ".join(_constant(one, kind[:-2]) for one in value)
        return f"cast(array({inside}) as {spark})"
    if kind.startswith("STRUCT"):
        inside = f"'a', {_constant(value['a'], 'INTEGER')}, 'c', {_constant(value['c'], 'VARCHAR')}"
        return f"named_struct({inside})"
    if kind.startswith("MAP"):
        keys = ", ".join(_constant(one, "VARCHAR") for one in value)
        values = ", ".join(_constant(one, "INTEGER") for one in value.values())
        return f"cast(map_from_arrays(array({keys}), array({values})) as {spark})"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime | dt.date):
        return f"cast('{value}' as {spark})"
    if isinstance(value, float) and math.isinf(value):
        return f"double('{'-' if value < 0 else ''}infinity')"
    if isinstance(value, int | float | Decimal):
        return f"cast('{value}' as {spark})"
    text = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return f"'{text}'"


def make_views(session: Any, con: duckdb.DuckDBPyConnection) -> None:
    """Make the relations views of a Spark session."""
    for name, (columns, _) in RELATIONS.items():
        rows = con.execute(f'select * from "{name}"').fetchall()
        names = [f"`{column.replace('`', '``')}`" for column in columns]
        tuples = ["(" + ", ".join(map(_constant, row, columns.values())) + ")" for row in rows] or [
            "(" + ", ".join(_constant(None, kind) for kind in columns.values()) + ")"
        ]
        none = "" if rows else " where 1 = 0"
        values = f"select * from values {', '.join(tuples)} as t({', '.join(names)}){none}"
        session.sql(f"create or replace temp view `{name}` as {values}")


def comparable(value: Any) -> Any:
    """Return a value in a form that both engines' values have."""
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return ("instant", value.astimezone(dt.UTC).replace(tzinfo=None))
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        is_map = bool(value) and all(isinstance(one, tuple) and len(one) == 2 for one in value)
        return {key: comparable(one) for key, one in value} if is_map else [
            comparable(one) for one in value
        ]  # fmt: skip
    return value


def same(left: Any, right: Any) -> bool:
    """Whether two values are equal, fractions to 1e-9."""
    left, right = comparable(left), comparable(right)
    if isinstance(left, dict) or isinstance(right, dict):
        left, right = left or {}, right or {}
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) or isinstance(right, list):
        if not isinstance(left, list) or not isinstance(right, list):
            return False
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            return False
        if math.isnan(left) or math.isnan(right):
            return math.isnan(left) and math.isnan(right)
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(left, int | Decimal) and isinstance(right, int | Decimal):
        return left == right
    return type(left) is type(right) and bool(left == right)


def sort_key(row: list[Any]) -> str:
    """Return what rows without an order are compared by."""
    return repr([
        float(one) if isinstance(one, int | Decimal) and not isinstance(one, bool) else one
        for one in row
    ])  # fmt: skip
