//! The first query of the README, through the binary as a user runs it.

use std::process::Command;
use std::time::Duration;

use redivis_tests::binaries;
use redivis_tests::process;

const QUERY: &str = "SELECT a.name, round(avg(f.arr_delay), 2) AS mean_delay \
    FROM redivis.'demo.nycflights13.flights' f \
    JOIN redivis.'demo.nycflights13.airlines' a USING (carrier) \
    GROUP BY 1 ORDER BY 2 DESC";

#[test]
fn the_first_query_prints_the_sixteen_airlines() {
    let mut command = Command::new(binaries::redivis_sql());
    command.args(["--local", "-c", QUERY]);
    let printed = process::run(command, Duration::from_secs(120)).success();
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.len(), 17, "{printed}");
    assert_eq!(lines[0], "name,mean_delay");
    assert_eq!(lines[1], "Frontier Airlines Inc.,21.92");
    assert_eq!(lines[16], "Alaska Airlines Inc.,-9.93");
}
