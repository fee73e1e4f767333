select s like 'a\%' as b, s ilike '%x' as i from s
-- Spark:
SELECT `s`.`s` LIKE 'a\\\\%' AS `b`, `s`.`s` ILIKE '%x' AS `i` FROM `s`
