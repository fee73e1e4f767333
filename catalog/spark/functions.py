"""
What becomes of every function that a user's query may call.

Each one that our guard lets through is in exactly one of three tables: it means the same in
Spark, it is rewritten by a rule, or it is refused with its reason. A function in none is refused.
"""

from __future__ import annotations

from typing import Final


def _pairs(text: str) -> dict[str, str]:
    """Return DuckDB's name and Spark's, `name` or `name=spark`; `:cast` gives it DuckDB's type."""
    pairs = {}
    for word in text.split():
        name, _, spark = word.partition("=")
        pairs[name] = (name + spark) if spark.startswith(":") else (spark or name)
    return pairs


def _because(reasons: dict[str, str]) -> dict[str, str]:
    return {name: reason for reason, names in reasons.items() for name in names.split()}


SAME: Final[dict[str, str]] = _pairs(
    """
    acosh asinh atan atan2 cbrt cos cosh degrees exp pi radians sin sinh tan tanh
    ascii=ascii:cast bit_length=bit_length:cast octet_length=octet_length:cast
    strlen=octet_length:cast
    prefix=startswith
    starts_with=startswith suffix=endswith ends_with=endswith
    md5 sha1
    levenshtein=levenshtein:cast editdist3=levenshtein:cast
    last_day make_date
    map_keys map_values map_entries map_contains=map_contains_key
    grouping=grouping:cast grouping_id=grouping_id:cast
    """
)
"""They give what Spark's function of the second name gives."""

_LIST = "counts from one, keeps NULLs and puts them last, as DuckDB does"
_TIME = "by UTC, in DuckDB's units and type"
_AGGREGATE = "an aggregate, with FILTER, DISTINCT, ORDER BY and NULLs as in DuckDB"
_TEXT = "positions and what is missing, as DuckDB has them"
_PATTERN = "RE2's pattern is written for Spark's engines"
_NUMBER = "DuckDB's types, rounding, and division by zero"
_JSON = "a path into the document; of a number or text"
_WINDOW = "a window function"
_INTERVAL = "an interval, added to or subtracted from a time"

REWRITTEN: Final[dict[str, str]] = _because(
    {
        _NUMBER: """
            abs sign add subtract multiply divide decimal_division fdiv mod pow power sqrt ln log
            log10 log2 ceil ceiling floor trunc round even roundbankers round_even greatest least
            xor acos asin atanh isfinite isinf isnan gcd greatest_common_divisor factorial cot
        """,
        "tests and chooses among values": "coalesce if isnull nullif",
        _TEXT: """
            lower lcase upper ucase concat concat_ws substr substring left right
            lpad rpad repeat reverse instr strpos position split string_split str_split
            string_to_array split_part trim ltrim rtrim translate chr to_hex hex sha256
            replace contains len length char_length character_length not_like_escape like_escape
            ilike_escape not_ilike_escape array_to_string array_to_string_comma_default
            list_string_agg
        """,
        _PATTERN: """
            regexp_matches regexp_full_match regexp_extract regexp_extract_all regexp_replace
            regexp_split_to_array string_split_regex str_split_regex
        """,
        _LIST: """
            list_value list_pack array_value construct_array row struct_pack array_length
            list_sort array_sort list_reverse_sort array_reverse_sort list_reverse array_reverse
            list_contains list_has array_contains array_has list_position array_position
            list_indexof array_indexof list_distinct array_distinct list_unique array_unique
            list_extract list_element array_extract list_slice array_slice
            list_concat list_cat array_concat array_cat list_append array_append array_push_back
            list_prepend array_prepend array_push_front array_pop_back array_pop_front
            list_transform array_transform list_apply array_apply apply
            list_filter array_filter filter list_has_any array_has_any list_has_all array_has_all
            list_intersect array_intersect flatten list_first list_last list_any_value list_count
            list_sum list_avg list_min list_max list_bool_and list_bool_or list_aggregate
            list_aggr array_aggregate array_aggr range generate_series
            list_product list_reduce array_reduce reduce
        """,
        "a field or a value by its key": """
            struct_extract map map_extract_value cardinality element_at map_extract
        """,
        _JSON: "json_extract_string json_extract_path_text json_extract json_extract_path "
        "json_valid json_array_length json",
        _TIME: """
            year month day hour minute second millisecond microsecond quarter week weekofyear
            dayofweek weekday isodow dayofmonth dayofyear isoyear yearweek decade century
            millennium era epoch epoch_ms epoch_us epoch_ns date_part datepart extract date_trunc
            datetrunc date_diff datediff date_sub datesub dayname monthname strftime strptime
            try_strptime timezone to_timestamp make_timestamp date timestamp date_add
        """,
        _INTERVAL: """
            to_years to_months to_quarters to_weeks to_days to_hours to_minutes to_seconds
            to_milliseconds to_microseconds to_decades to_centuries to_millennia
        """,
        _AGGREGATE: """
            count count_star sum avg mean favg fsum min max first last any_value arbitrary list
            array_agg string_agg group_concat listagg arg_max arg_min argmax argmin max_by min_by
            arg_max_null arg_min_null
            bool_and bool_or count_if countif median quantile quantile_cont
            quantile_disc stddev stddev_samp stddev_pop variance var_samp var_pop corr covar_samp
            covar_pop product sem skewness kurtosis kurtosis_pop kahan_sum sumkahan
            regr_slope regr_intercept regr_r2 regr_count regr_avgx regr_avgy regr_sxx regr_syy
            regr_sxy bit_and bit_or bit_xor geomean geometric_mean
        """,
        _WINDOW: """
            row_number rank rank_dense dense_rank percent_rank cume_dist ntile lag lead first_value
            last_value nth_value
        """,
        "one row per element": "unnest",
        "what it expands to (sql/macro_*.sql)": """
            total_return annual_return volatility sharpe sortino hit_rate profit_factor agreement
            dense_signal holdings_at last_signals
        """,
    }
)
"""How each of them is rewritten."""

REFUSED: Final[dict[str, str]] = _because(
    {
        "its answer depends on the moment or on chance": """
            age ago random uuid gen_random_uuid uuidv4 uuidv7 now today current_date
            current_timestamp current_localtime current_localtimestamp get_current_time
            get_current_timestamp transaction_timestamp version reservoir_quantile
        """,
        "its answer is an estimate, and every engine estimates otherwise": """
            approx_count_distinct approx_quantile approx_top_k list_approx_count_distinct
        """,
        "Spark counts code points, which may be parts of one sign": """
            length_grapheme substring_grapheme left_grapheme right_grapheme
        """,
        "which of several values that are as frequent it gives, is not told": "mode list_mode",
        "its sign is another one than in Spark: write %": "fmod",
        "the engines hash otherwise": "hash md5_number md5_number_lower md5_number_upper",
        "Spark has no such type": """
            bin binom bit_count bit_position bitstring bitstring_agg get_bit set_bit base64
            from_base64 from_binary from_hex to_base to_base64 to_binary unbin unhex encode decode
            enum_code enum_first enum_last enum_range enum_range_boundary union_extract union_tag
            union_value make_time make_timestamp_ms make_timestamp_ns make_timestamptz nanosecond
            uuid_extract_timestamp uuid_extract_version vertex_extract timezone_hour
            timezone_minute
        """,
        "no function of Spark measures the same": """
            jaccard jaro_similarity jaro_winkler_similarity damerau_levenshtein hamming mismatches
            array_cosine_distance array_cosine_similarity array_cross_product array_distance
            array_dot_product array_inner_product array_negative_dot_product
            array_negative_inner_product list_cosine_distance list_cosine_similarity
            list_distance list_dot_product list_inner_product list_negative_dot_product
            list_negative_inner_product entropy list_entropy gamma lgamma nextafter signbit
            equi_width_bins lttb lcm least_common_multiple
        """,
        "write it out with the aggregates that are rewritten": """
            weighted_avg wavg mad arg_max_nulls_last arg_min_nulls_last
        """,
        "its list of bins or its order has no equal": """
            histogram histogram_exact histogram_values list_histogram
        """,
        "Spark has no such function for a list; use one that is rewritten": """
            array_grade_up list_grade_up grade_up array_resize list_resize array_select list_select
            array_where list_where array_zip list_zip list_bit_and list_bit_or list_bit_xor
            list_kurtosis list_kurtosis_pop list_mad list_median list_sem list_skewness
            list_stddev_pop list_stddev_samp list_var_pop list_var_samp unpivot_list
            generate_subscripts
        """,
        "no function of Spark does this to a struct or a map": """
            struct_concat struct_contains struct_extract_at struct_has struct_indexof
            struct_insert struct_keys struct_position struct_update struct_values map_concat
            map_contains_entry map_contains_value map_from_entries
        """,
        "Spark cannot make or change such a document": """
            array_to_json from_json from_json_strict json_array json_contains json_deep_merge
            json_exists json_group_array json_group_object json_group_structure json_insert
            json_keys json_merge_patch json_merge_patch_diff json_object json_pretty json_quote
            json_remove json_replace json_set json_strip_nulls json_structure json_transform
            json_transform_strict json_type json_value row_to_json to_json
        """,
        "no function of Spark writes or reads text so": """
            bar format format_bytes nfc_normalize ord overlay
            parse_dirname parse_dirpath parse_filename parse_formatted_bytes parse_path path_join
            pg_size_pretty printf regexp_escape regexp_split_to_table strip_accents unicode
            url_decode url_encode
        """,
        "the types have other names there": "get_type pg_typeof typeof",
        "what it returns where it fails cannot be told": "try fill __between __cast",
        "it stands for columns: write them": "columns",
        "no arithmetic of Spark's calendar gives the same": "days_in_month julian time_bucket",
        "an interval is only added to a time: write to_days(n), or interval 3 day": "interval",
        "it tells of DuckDB itself": """
            duckdb_columns duckdb_functions duckdb_tables duckdb_types duckdb_views
            pg_timezone_names icu_calendar_names
        """,
        "it makes one row per part of a document or text": "json_each json_tree",
        "on Spark a query reads the lake's relations, no files": """
            read_parquet parquet_scan parquet_metadata parquet_schema parquet_kv_metadata
            parquet_file_metadata read_csv read_csv_auto read_json read_json_auto read_ndjson
            read_ndjson_auto
        """,
        "it reads the catalog's own tables and files": "trace trace_paths",
        "it needs when a trade's entry was known, which the relation trades does not tell": (
            "trades_at"
        ),
        "it needs json_merge_patch, which Spark has not": "param_effect",
    }
)
"""Why each of them is not translated."""
