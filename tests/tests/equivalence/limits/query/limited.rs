//! Limits where the rows are free, but their number is not: below other limits, counts, joins and unions.

use super::{Expected, Generator, Query, SMALL, Select, TABLES, VARIABLES, tail};

impl Generator {
    /// How many rows a limit leaves, whichever they are: alone, united, joined.
    pub(super) fn counted(&mut self) -> Query {
        let part = |generator: &mut Self| {
            let Select { sql, .. } = generator.projection(0);
            let (limit, offset) = (generator.count(60), generator.one(&[0, 0, 7, 250]));
            let alias = generator.alias();
            format!("({sql}{}) AS {alias}", tail(Some(limit.min(500)), offset))
        };
        let (one, other) = (part(self), part(self));
        let from = match self.rng.u8(0..3) {
            0 => one,
            1 => format!("{one} CROSS JOIN {other}"),
            _ => {
                let alias = self.alias();
                format!("(SELECT 1 AS x FROM {one} UNION ALL SELECT 2 FROM {other}) AS {alias}")
            }
        };
        Query {
            sql: format!("SELECT count(*) FROM {from}"),
            expected: Expected::Rows,
        }
    }

    /// A limit below others of its own: as many rows as the smallest leaves, all of the table.
    pub(super) fn limited_parts(&mut self) -> Query {
        let table = &TABLES[self.rng.usize(0..SMALL)];
        let (inner, skipped) = (self.count(450), self.one(&[0, 3, 100]));
        let (outer, offset) = (self.count(450), self.one(&[0, 5, 150]));
        let (name, _) = self.one(&VARIABLES);
        let unlimited = format!("SELECT id, {name} AS v FROM {}", table.name);
        let alias = self.alias();
        let inner_tail = tail(Some(inner), skipped);
        let outer_tail = tail(Some(outer), offset);
        // What the inner limit leaves is known, so that the outer one is one of it.
        let left = table.rows.saturating_sub(skipped).min(inner);
        Query {
            sql: format!("SELECT * FROM ({unlimited}{inner_tail}) AS {alias}{outer_tail}"),
            expected: Expected::Some {
                unlimited,
                offset: 0,
                limit: Some(left.saturating_sub(offset).min(outer)),
            },
        }
    }

    /// Scans of no column.
    pub(super) fn nothing_but_rows(&mut self) -> Query {
        let table = self.small();
        let what = self.one(&["1 AS a", "'x' AS a, 2 AS b", "count(*) AS a", "NULL AS a"]);
        let unlimited = format!("SELECT {what} FROM {table}");
        let (limit, offset) = (self.count(450), self.one(&[0, 0, 1, 300]));
        Query {
            sql: format!("{unlimited}{}", tail(Some(limit), offset)),
            expected: Expected::Some {
                unlimited,
                offset,
                limit: Some(limit),
            },
        }
    }

    /// A table with more rows than one stream is asked for, so that limits reach several streams at once.
    pub(super) fn long(&mut self) -> Query {
        let limit = self.one(&[
            0, 1, 9_999, 10_000, 10_001, 12_345, 24_999, 25_000, 25_001, 40_000,
        ]);
        let offset = self.one(&[0, 0, 1, 9_000, 24_998, 30_000]);
        let unlimited = self
            .one(&[
                "SELECT id FROM long",
                "SELECT id, grp FROM long WHERE id % 2 = 0",
                "SELECT 1 AS a FROM long",
            ])
            .to_owned();
        let tail = tail(Some(limit), offset);
        match self.rng.u8(0..3) {
            0 => Query {
                sql: format!("SELECT count(*) FROM ({unlimited}{tail}) AS t"),
                expected: Expected::Rows,
            },
            1 => Query {
                sql: format!("{unlimited} ORDER BY 1 DESC{tail}"),
                expected: Expected::List,
            },
            _ => Query {
                sql: format!("{unlimited}{tail}"),
                expected: Expected::Some {
                    unlimited,
                    offset,
                    limit: Some(limit),
                },
            },
        }
    }
}
