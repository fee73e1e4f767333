"""Statistics: quantiles, spread, regression; of too few values NULL or NaN, as DuckDB has it."""

from __future__ import annotations

from sqlglot import exp

from catalog.spark import build as b
from catalog.spark import types as t
from catalog.spark.expressions import Call
from catalog.spark.nodes import constant
from catalog.spark.rewrite_aggregates import (
    Seal,
    aggregate,
    not_distinct,
    not_empty,
    orders,
    takes,
)
from catalog.spark.rewrite_casts import convert, typed
from catalog.spark.rewrite_lists import not_null
from catalog.spark.rewrite_numbers import logarithm


@aggregate("median", "quantile_cont")
def rewrite_quantile_cont(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite quantiles between values."""
    not_distinct(call)
    if not t.is_number(call.type(0)) or orders(call):
        raise call.refuse(f"of {call.type(0)}")
    share = 0.5 if call.name == "median" else _share(call)
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        raise call.refuse("with shares that are not one number from 0 to 1 in the query")
    # Sail's own percentile loses its way where a value is NaN.
    # Values are cast when they are taken: Sail takes lists of x and of its cast for one.
    values = _sorted(seal(b.call("collect_list", call.arg(0))))
    last = b.cast(b.subtract(b.call("size", values.copy()), b.number(1)), "DOUBLE")
    place = b.multiply(last, _double(share))
    below, above = (
        _as_double(call, b.call("try_element_at", values.copy(), _position(side)))
        for side in (b.call("floor", place), b.call("ceil", place.copy()))
    )
    rest = b.subtract(place.copy(), b.cast(b.call("floor", place.copy()), "DOUBLE"))
    between = b.add(below, b.multiply(b.subtract(above, below.copy()), rest))
    made = b.when((b.equal(below.copy(), above.copy()), below.copy()), default=between)
    return typed(not_empty(values, made), call.result)


def _as_double(call: Call, value: exp.Expr) -> exp.Expr:
    return convert(value, call.type(0), "DOUBLE")


def _position(side: exp.Expr) -> exp.Expr:
    return b.cast(b.add(side, b.number(1)), "INT")


def _share(call: Call) -> object:
    if call.count < 2:
        raise call.refuse("written with WITHIN GROUP")
    return constant(call.nodes[1])


def _sorted(values: exp.Expr) -> exp.Expr:
    # Over a window Sail collects NULLs too.
    return b.call("array_sort", not_null(values))


@aggregate("quantile_disc", "quantile")
def rewrite_quantile_disc(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite quantiles that are one of the values."""
    not_distinct(call)
    share = _share(call)
    if not isinstance(share, int | float) or not 0 <= share <= 1 or orders(call):
        raise call.refuse("with shares that are not one number from 0 to 1 in the query")
    values = _sorted(seal(b.call("collect_list", call.arg(0))))
    size = b.cast(b.call("size", values.copy()), "DOUBLE")
    rest = b.call("floor", b.subtract(size.copy(), b.multiply(size.copy(), _double(share))))
    at = b.call("greatest", b.cast(b.subtract(size, rest), "INT"), b.number(1))
    return not_empty(values, b.call("try_element_at", values.copy(), at))


def _double(value: object) -> exp.Expr:
    return b.cast(b.text(repr(value)), "DOUBLE")


@aggregate("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop")
def rewrite_spread(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite variance and standard deviation."""
    takes(call)
    not_distinct(call)
    name = {"stddev": "stddev_samp", "variance": "var_samp"}.get(call.name, call.name)
    return seal(b.call(name, call.arg_as(0, "DOUBLE")))


@aggregate("sem")
def rewrite_sem(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the standard error of the mean."""
    not_distinct(call)
    value = call.arg_as(0, "DOUBLE")
    root = b.call("sqrt", _count(seal, value))
    return b.binary(
        exp.Div, seal(b.call("stddev_pop", value.copy())), b.call("nullif", root, b.number(0))
    )


def _count(seal: Seal, value: exp.Expr) -> exp.Expr:
    return b.cast(seal(b.call("count", value.copy())), "DOUBLE")


@aggregate("skewness", "kurtosis", "kurtosis_pop")
def rewrite_moments(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite skewness and excess kurtosis: of the sample in DuckDB, of all in Spark."""
    not_distinct(call)
    value = call.arg_as(0, "DOUBLE")
    count = _count(seal, value)
    all_of_them = seal(b.call(call.name.removesuffix("_pop"), value.copy()))
    spread = seal(b.call("var_pop", value.copy()))
    least = {"skewness": 2, "kurtosis": 3, "kurtosis_pop": 1}[call.name]
    enough = exp.GT(this=count.copy(), expression=b.number(least))
    varies = exp.GT(this=spread, expression=b.number(0))
    n = count
    if call.name == "skewness":
        root = b.call("sqrt", b.multiply(n.copy(), b.subtract(n.copy(), b.number(1))))
        made = b.binary(exp.Div, b.multiply(all_of_them, root), b.subtract(n.copy(), b.number(2)))
        flat = b.cast(b.null(), "DOUBLE")
    elif call.name == "kurtosis":
        above = b.add(b.multiply(b.add(n.copy(), b.number(1)), all_of_them), b.number(6))
        below = b.multiply(b.subtract(n.copy(), b.number(2)), b.subtract(n.copy(), b.number(3)))
        made = b.binary(exp.Div, b.multiply(b.subtract(n.copy(), b.number(1)), above), below)
        flat = b.cast(b.null(), "DOUBLE")
    else:
        made, flat = all_of_them, b.cast(b.null(), "DOUBLE")
    return b.when((enough, b.when((varies, made), default=flat)))


def _pairs(call: Call) -> tuple[exp.Expr, exp.Expr]:
    """Return both arguments, NULL where either is."""
    takes(call, 2)
    not_distinct(call)
    left, right = call.arg_as(0, "DOUBLE"), call.arg_as(1, "DOUBLE")
    return (
        b.when((b.is_not_null(right.copy()), left.copy())),
        b.when((b.is_not_null(left.copy()), right.copy())),
    )


def _or_nan(above: exp.Expr, below: exp.Expr) -> exp.Expr:
    zero = b.equal(below.copy(), b.number(0))
    return b.when(
        (b.is_null(above.copy()), b.cast(b.null(), "DOUBLE")),
        (zero, b.double("NaN")),
        default=b.binary(exp.Div, above, below),
    )


@aggregate("covar_samp", "covar_pop")
def rewrite_covariance(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the covariance."""
    return seal(b.call(call.name, *_pairs(call)))


@aggregate("corr")
def rewrite_corr(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the correlation, NaN where one of the two does not vary."""
    left, right = _pairs(call)
    both = seal(b.call("covar_pop", left, right))
    spread = [seal(b.call("stddev_pop", one.copy())) for one in (left, right)]
    return _or_nan(both, b.multiply(*spread))


@aggregate("regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx", "regr_avgy",
           "regr_sxx", "regr_syy", "regr_sxy")  # fmt: skip
def rewrite_regression(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite linear regression of the first argument on the second."""
    y, x = _pairs(call)
    name = call.name.removeprefix("regr_")

    def of(function: str, *values: exp.Expr) -> exp.Expr:
        return seal(b.call(function, *(one.copy() for one in values)))

    if name == "count":
        return convert(of("count", y), "BIGINT", call.result)
    if name in ("avgx", "avgy"):
        return of("avg", x if name == "avgx" else y)
    if name in ("sxx", "syy", "sxy"):
        made = of("covar_pop", y, x) if name == "sxy" else of("var_pop", x if name == "sxx" else y)
        return b.multiply(made, _count(seal, x))
    slope = _or_nan(of("covar_pop", y, x), of("var_pop", x))
    if name == "slope":
        return slope
    if name == "intercept":
        varies = exp.GT(this=of("var_pop", x), expression=b.number(0))
        return b.when((varies, b.subtract(of("avg", y), b.multiply(slope, of("avg", x)))))
    squared = b.call("power", of("covar_pop", y, x), b.number(2))
    below = b.multiply(of("var_pop", x), of("var_pop", y))
    return b.when(
        (b.equal(of("var_pop", x), b.number(0)), b.cast(b.null(), "DOUBLE")),
        (b.equal(of("var_pop", y), b.number(0)), b.cast(b.number(1), "DOUBLE")),
        default=b.binary(exp.Div, squared, below),
    )


@aggregate("product")
def rewrite_product(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the product of all values."""
    not_distinct(call)
    # Over a window Sail collects NULLs too.
    values = not_null(seal(b.call("collect_list", call.arg(0))))
    step = b.arrow(b.multiply(b.name("_a"), _as_double(call, b.name("_e"))), "_a", "_e")
    return not_empty(values, b.call("aggregate", values, b.cast(b.number(1), "DOUBLE"), step))


@aggregate("geomean", "geometric_mean")
def rewrite_geomean(call: Call, seal: Seal) -> exp.Expr:
    """Rewrite the geometric mean."""
    not_distinct(call)
    return b.call("exp", seal(b.call("avg", logarithm("ln", call.arg_as(0, "DOUBLE")))))
