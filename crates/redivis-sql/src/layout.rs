//! SQL laid out over lines, for people.
//!
//! White space is all that changes: what would come out as another statement is left as it was written.

use datafusion::sql::sqlparser::tokenizer::{Token, Whitespace};
use sqlformat::{FormatOptions, QueryParams};

use crate::statement::tokens;

/// Columns that a list or a call may take on one line.
const WIDTH: usize = 72;

/// The statement with a clause a line.
pub(crate) fn laid_out(sql: &str) -> String {
    let options = FormatOptions {
        max_inline_block: WIDTH,
        max_inline_arguments: Some(WIDTH),
        max_inline_top_level: Some(WIDTH),
        joins_as_top_level: true,
        ..FormatOptions::default()
    };
    let text = sqlformat::format(sql, &QueryParams::None, &options);
    match words(&text) == words(sql) {
        true => text,
        false => sql.trim().to_owned(),
    }
}

/// What a statement says, comments included.
fn words(sql: &str) -> Vec<Token> {
    let is_space = |token: &Token| {
        matches!(
            token,
            Token::Whitespace(Whitespace::Space | Whitespace::Tab | Whitespace::Newline)
        )
    };
    let trimmed = |token| match token {
        Token::Whitespace(Whitespace::SingleLineComment { comment, prefix }) => {
            let comment = comment.trim_end().to_owned();
            Token::Whitespace(Whitespace::SingleLineComment { comment, prefix })
        }
        token => token,
    };
    let all = tokens(sql).into_iter().map(|token| token.token);
    all.filter(|token| !is_space(token)).map(trimmed).collect()
}

#[cfg(test)]
mod tests {
    use super::{laid_out, words};

    #[test]
    fn only_white_space_changes() {
        for sql in [
            "select a.name, count(*) as n from redivis.'demo.x:v1_0.t' f join `a.b.c` a using (carrier) where x in (1,2) and y <> 'it''s' group by 1 order by 2 desc limit 5",
            "SELECT x::INT64, y[OFFSET(0)], :name, :'t', $1, a->b, DATE '2020-01-01' -- why\nFROM t /* here */",
            "WITH a AS (SELECT 1), b AS (SELECT 2 FROM a) SELECT * EXCEPT (x) FROM a, b QUALIFY row_number() OVER (PARTITION BY x ORDER BY y) = 1",
            "SELECT $$ a  b $$, 'a  b', \"a  b\", 1e-5, {'a': 1}, x:y",
            "SELECT 'open",
        ] {
            assert_eq!(words(&laid_out(sql)), words(sql), "{}", laid_out(sql));
        }
    }

    #[test]
    fn clauses_have_lines_of_their_own() {
        let sql = "SELECT origin, count(*) AS n FROM flights f JOIN airlines a USING (carrier) WHERE month = 1 GROUP BY origin ORDER BY n DESC LIMIT 3";
        let text = laid_out(sql);
        let firsts: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with(' '))
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(
            firsts,
            ["SELECT", "FROM", "JOIN", "WHERE", "GROUP", "ORDER", "LIMIT"],
            "{text}"
        );
    }
}
