//! `\examples`: statements to start with.

use super::{Command, Next};
use crate::report::narrate;
use crate::session::Session;

/// What runs on the sample data, which a local shell has.
const LOCAL: &str = r"SELECT * FROM demo.nycflights13.airlines;

SELECT carrier, count(*) AS flights, avg(dep_delay) AS delay
FROM redivis.'demo.nycflights13.flights' GROUP BY carrier ORDER BY delay DESC;

SELECT a.name, count(*) AS flights
FROM demo.nycflights13.flights f JOIN demo.nycflights13.airlines a USING (carrier)
GROUP BY a.name ORDER BY flights DESC LIMIT 5;

CREATE VIEW longest AS
SELECT origin, dest, max(distance) AS miles FROM demo.nycflights13.flights GROUP BY origin, dest;

SUMMARIZE demo.nycflights13.planes;";

/// What runs on the public data of redivis.com.
const PUBLIC: &str = r"SELECT * FROM demo.iris_species.iris LIMIT 10;

SELECT count(*) FROM redivis.'demo.iris_species.iris';

SUMMARIZE demo.iris_species.iris;

CREATE TABLE iris AS SELECT * FROM `demo.iris_species.iris`;

EXPLAIN ANALYZE SELECT * FROM demo.ghcn_daily_weather_data.stations LIMIT 100;";

pub(super) const COMMAND: Command = Command {
    name: r"\examples",
    arguments: "",
    summary: "statements to start with",
    run: |session, _, _| {
        Box::pin(async {
            narrate(text(session));
            Ok(Next::Continue)
        })
    },
};

fn text(session: &Session) -> &'static str {
    match session.is_local() {
        true => LOCAL,
        false => PUBLIC,
    }
}
