select k, g from g qualify row_number() over (partition by g order by k) = 1
-- Spark:
SELECT `k`, `g` FROM (SELECT `g`.`k`, `g`.`g`, CAST(ROW_NUMBER() OVER (PARTITION BY `g`.`g` ORDER BY `g`.`k` ASC NULLS LAST) AS BIGINT) = 1 AS `_1` FROM `g`) AS `_2` WHERE `_1`
