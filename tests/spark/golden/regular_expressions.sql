select regexp_matches(s, '^\w+$') as m, regexp_replace(s, '(a)(b)', '\2\1') as r from s
-- Spark:
SELECT `s`.`s` RLIKE '\\A[0-9A-Za-z_]+\\z' AS `m`, CASE WHEN `s`.`s` RLIKE '(a)(b)' THEN CONCAT(REGEXP_EXTRACT(`s`.`s`, '\\A([\\s\\S]*?)(?:(a)(b))', 1), REGEXP_EXTRACT(`s`.`s`, '\\A[\\s\\S]*?(?:(a)(b))', 2), REGEXP_EXTRACT(`s`.`s`, '\\A[\\s\\S]*?(?:(a)(b))', 1), SUBSTRING(`s`.`s`, CHAR_LENGTH(REGEXP_EXTRACT(`s`.`s`, '\\A[\\s\\S]*?(?:(a)(b))', 0)) + 1)) ELSE `s`.`s` END AS `r` FROM `s`
