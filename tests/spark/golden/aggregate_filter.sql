select count(*) filter (x > 2) as n, sum(x) as s from g
-- Spark:
SELECT COUNT(*) FILTER(WHERE `g`.`x` > 2) AS `n`, SUM(CAST(`g`.`x` AS DECIMAL(38, 0))) AS `s` FROM `g`
