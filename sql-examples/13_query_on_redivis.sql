-- What reads much and gives little can run on Redivis: `redivis_query` takes SQL in Redivis's own dialect, BigQuery's, and its
-- result is a table like any other. With the version written it runs once, however often the session reads it.
SELECT q.month, q.flights, q.late, w.rain
FROM redivis_query($$
       SELECT month, COUNT(*) AS flights, COUNTIF(dep_delay > 60) AS late
       FROM `demo.nycflights13:v1_0.flights`
       WHERE origin = 'JFK'
       GROUP BY month
     $$) q
JOIN (SELECT month, round(sum(precip), 2) AS rain FROM redivis.'demo.nycflights13:v1_0.weather' WHERE origin = 'JFK' GROUP BY month) w
  USING (month)
ORDER BY q.late DESC
LIMIT 3;

-- Quotes within single quotes are doubled; between $$ the text stays as it is on redivis.com.
SELECT * FROM redivis_query('SELECT origin, APPROX_QUANTILES(dep_delay, 4)[OFFSET(2)] AS median FROM `demo.nycflights13:v1_0.flights` WHERE carrier = ''UA'' GROUP BY origin') ORDER BY origin;
