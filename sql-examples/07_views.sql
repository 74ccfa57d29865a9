-- A view gives a name to a query, and lives as long as the session. It holds no rows: every use reads the table again.
CREATE VIEW cancelled AS
SELECT month, carrier, origin
FROM redivis.'demo.nycflights13.flights'
WHERE dep_time IS NULL;

SELECT month, count(*) AS cancelled_flights
FROM cancelled
GROUP BY month
ORDER BY cancelled_flights DESC, month
LIMIT 3;

SELECT a.name, count(*) AS cancelled_in_february
FROM cancelled c
JOIN redivis.'demo.nycflights13.airlines' a USING (carrier)
WHERE c.month = 2
GROUP BY a.name
ORDER BY cancelled_in_february DESC, a.name
LIMIT 3;
