-- Local files stand beside remote tables. COPY writes a Parquet file into the current folder, CREATE EXTERNAL TABLE gives it
-- a name, and from then on it joins like any other table.
COPY (
    SELECT carrier, count(*) AS flights
    FROM redivis.'demo.nycflights13.flights'
    GROUP BY carrier
) TO 'flights_by_carrier.parquet' STORED AS PARQUET;

CREATE EXTERNAL TABLE flights_by_carrier
STORED AS PARQUET
LOCATION 'flights_by_carrier.parquet';

SELECT a.name, c.flights
FROM flights_by_carrier c
JOIN redivis.'demo.nycflights13.airlines' a USING (carrier)
ORDER BY c.flights DESC
LIMIT 5;
