select k, sum(x) filter (f) over (order by k) as s from g
-- Spark:
SELECT `g`.`k`, SUM(CAST(CASE WHEN `g`.`f` THEN `g`.`x` END AS DECIMAL(38, 0))) OVER (ORDER BY `g`.`k` ASC NULLS LAST) AS `s` FROM `g`
