-- One table, many spellings: quoted after `redivis.`, in back-ticks as in Redivis's own SQL, in three parts, or as a function;
-- with a version or without. Names of tables and variables match without regard to case.
SELECT 'redivis.''…''' AS spelling, count(*) AS airlines FROM redivis.'demo.nycflights13.airlines'
UNION ALL
SELECT 'back-ticks', count(*) FROM `demo.nycflights13.airlines`
UNION ALL
SELECT 'three parts', count(*) FROM demo.nycflights13.airlines
UNION ALL
SELECT 'function', count(*) FROM redivis('demo.nycflights13.airlines')
UNION ALL
SELECT 'version', count(*) FROM redivis.'demo.nycflights13:v1_0.airlines'
UNION ALL
SELECT 'capitals', count(*) FROM redivis.'Demo.NYCFlights13.Airlines'
ORDER BY spelling;

SELECT CARRIER, Name
FROM redivis.'demo.nycflights13.airlines'
WHERE Carrier IN ('F9', 'AS')
ORDER BY Carrier;
