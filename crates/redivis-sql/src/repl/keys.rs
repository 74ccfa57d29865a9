//! Keys that mean something else in a text of several lines: Enter, and what meets a margin.
//!
//! The editor knows one cursor and no margins. Where the cursor is at one, it goes or deletes to its other side at once.

use rustyline::{
    CharSearch, Cmd, ConditionalEventHandler, Event, EventContext, EventHandler, KeyCode, KeyEvent,
    Modifiers, Movement, RepeatCount,
};

use super::margin::{self, Margin};
use crate::statement::Splitter;

/// All keys with what they do.
pub(super) fn bindings(margin: &Margin) -> Vec<(KeyEvent, EventHandler)> {
    let plain = |code| KeyEvent(code, Modifiers::NONE);
    let acts: [(KeyEvent, Act); 14] = [
        (plain(KeyCode::Left), |text| text.back(Cmd::Move)),
        (KeyEvent::ctrl('B'), |text| text.back(Cmd::Move)),
        (plain(KeyCode::Backspace), |text| text.back(Cmd::Kill)),
        (KeyEvent::ctrl('H'), |text| text.back(Cmd::Kill)),
        (plain(KeyCode::Right), |text| text.forward(Cmd::Move)),
        (KeyEvent::ctrl('F'), |text| text.forward(Cmd::Move)),
        (plain(KeyCode::Delete), |text| text.forward(Cmd::Kill)),
        (KeyEvent::ctrl('D'), |text| text.forward(Cmd::Kill)),
        (KeyEvent::ctrl('K'), |text| text.forward(Cmd::Kill)),
        (plain(KeyCode::Home), |text| text.home(Cmd::Move)),
        (KeyEvent::ctrl('A'), |text| text.home(Cmd::Move)),
        (KeyEvent::ctrl('U'), |text| match text.is_after_margin() {
            true => text.back(Cmd::Kill),
            false => text.home(Cmd::Kill),
        }),
        (KeyEvent::ctrl('W'), |text| text.back(Cmd::Kill)),
        (plain(KeyCode::Tab), |text| text.indent()),
    ];
    let acts = acts.map(|(key, act)| (key, EventHandler::Conditional(Box::new(Key(act)))));
    let enter = |always| {
        EventHandler::Conditional(Box::new(Enter {
            margin: margin.clone(),
            always,
        }))
    };
    let mut bindings = Vec::from(acts);
    bindings.push((plain(KeyCode::Enter), enter(false)));
    bindings.push((KeyEvent::ctrl('J'), enter(false)));
    bindings.push((KeyEvent(KeyCode::Enter, Modifiers::ALT), enter(true)));
    bindings
}

/// Whether a text has nothing in it that waits for its end.
pub(super) fn is_complete(text: &str) -> bool {
    let mut splitter = Splitter::default();
    splitter.push(text);
    while splitter.next().is_some() {}
    splitter.is_blank()
}

/// The text before a last line that asks for an external editor.
pub(super) fn to_be_edited(text: &str) -> Option<&str> {
    let (before, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let last = last.trim().trim_end_matches(';').trim_end();
    matches!(last, r"\e" | ".e" | r"\edit" | ".edit").then_some(before)
}

/// Runs what is complete, and goes on in a new line otherwise.
struct Enter {
    margin: Margin,
    /// Whether it is a new line in any case.
    always: bool,
}

impl ConditionalEventHandler for Enter {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        let text = margin::without(ctx.line());
        let is_done = is_complete(&text) || to_be_edited(&text).is_some();
        Some(match is_done && !self.always {
            true => Cmd::AcceptLine,
            false => Cmd::Insert(1, self.margin.line_break()),
        })
    }
}

type Act = fn(&Text<'_>) -> Option<Cmd>;

struct Key(Act);

impl ConditionalEventHandler for Key {
    fn handle(&self, _: &Event, _: RepeatCount, _: bool, ctx: &EventContext<'_>) -> Option<Cmd> {
        let (before, after) = ctx.line().split_at(ctx.pos());
        (self.0)(&Text { before, after })
    }
}

/// The text on both sides of the cursor.
struct Text<'t> {
    before: &'t str,
    after: &'t str,
}

impl Text<'_> {
    fn line(&self) -> &str {
        self.before
            .rsplit_once('\n')
            .map_or(self.before, |(_, line)| line)
    }

    /// Whether the cursor is at the start of a further line.
    fn is_after_margin(&self) -> bool {
        let line = self.line();
        !line.is_empty() && line.chars().all(|character| character == margin::SPACE)
    }

    /// To the end of the line before, from the start of a line.
    fn back(&self, command: fn(Movement) -> Cmd) -> Option<Cmd> {
        let to = Movement::ViCharSearch(1, CharSearch::Backward('\n'));
        self.is_after_margin().then(|| command(to))
    }

    /// To the start of the next line, from the end of a line.
    fn forward(&self, command: fn(Movement) -> Cmd) -> Option<Cmd> {
        let rest = self.after.strip_prefix('\n')?;
        let next = rest.trim_start_matches(margin::SPACE);
        if next.len() == rest.len() {
            return None;
        }
        let to = match (next.chars().next(), command(Movement::WholeLine)) {
            (None, _) => Movement::EndOfBuffer,
            (Some(first), Cmd::Kill(_)) => {
                Movement::ViCharSearch(1, CharSearch::ForwardBefore(first))
            }
            (Some(first), _) => Movement::ViCharSearch(1, CharSearch::Forward(first)),
        };
        Some(command(to))
    }

    /// To the start of a further line.
    fn home(&self, command: fn(Movement) -> Cmd) -> Option<Cmd> {
        let to = Movement::ViCharSearch(1, CharSearch::BackwardAfter(margin::SPACE));
        self.line().starts_with(margin::SPACE).then(|| command(to))
    }

    /// Where nothing is to be completed yet, Tab indents.
    fn indent(&self) -> Option<Cmd> {
        let is_further = self.before.contains('\n');
        let is_blank = self.line().chars().all(char::is_whitespace);
        (is_further && is_blank).then(|| Cmd::Insert(1, "  ".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_complete_at_its_semicolon() {
        for text in [
            "",
            "SELECT 1;",
            "SELECT ';'; -- done",
            r"\d t",
            "exit",
            "-- nothing",
            "SELECT 1; SELECT 2;",
        ] {
            assert!(is_complete(text), "{text}");
        }
        for text in [
            "SELECT 1",
            "SELECT ';",
            "SELECT 1; SELECT 2",
            "/* a;",
            "SELECT 1 -- ;",
            "SELECT $$;",
        ] {
            assert!(!is_complete(text), "{text}");
        }
    }

    #[test]
    fn a_last_line_asks_for_an_editor() {
        assert_eq!(to_be_edited(r"\e"), Some(""));
        assert_eq!(to_be_edited("SELECT 1\n.edit;"), Some("SELECT 1"));
        assert_eq!(to_be_edited(r"SELECT '\e'"), None);
    }

    #[test]
    fn keys_go_over_margins() {
        let margin = Margin::default();
        margin.set(4);
        let text = margin.with("ab\ncd");
        let at = |byte: usize| {
            let (before, after) = text.split_at(byte);
            Text { before, after }
        };
        let start = text.find('c').unwrap_or_default();
        assert!(at(start).back(Cmd::Move).is_some());
        assert!(at(start + 1).back(Cmd::Move).is_none());
        assert!(at(2).forward(Cmd::Kill).is_some());
        assert!(at(1).forward(Cmd::Kill).is_none());
        assert!(at(start + 1).home(Cmd::Move).is_some());
        assert!(at(1).home(Cmd::Move).is_none());
    }
}
