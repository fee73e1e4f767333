select g, upper(v) as u, count(*) as n from g group by all order by all
-- Spark:
SELECT `g`.`g`, UPPER(`g`.`v`) AS `u`, COUNT(*) AS `n` FROM `g` GROUP BY `g`.`g`, UPPER(`g`.`v`) ORDER BY `g` ASC NULLS LAST, `u` ASC NULLS LAST, `n` ASC NULLS LAST
