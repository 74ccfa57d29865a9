//! The service's word against what was sent.

use proptest::prelude::*;

use super::*;

#[test]
fn ranges() {
    assert_eq!(acknowledged_by(None), Ok(0));
    assert_eq!(acknowledged_by(Some("bytes=0-0")), Ok(1));
    for range in [" bytes=0-524287 ", "bytes 0-524287", "0-524287"] {
        assert_eq!(acknowledged_by(Some(range)), Ok(524_288));
    }
    for odd in [
        "",
        "bytes=1-99",
        "bytes=0-",
        "bytes=0--1",
        "bytes=0-99,200-300",
        "bytes=0-+99",
        "bytes=0-18446744073709551615",
    ] {
        assert_eq!(acknowledged_by(Some(odd)), Err(Fault::Unreadable), "{odd}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let total = GRAIN * 3;
    let mut position = Position::start(total, None);
    position.sent_to(100);
    assert_eq!(
        position.acknowledge(101),
        Err(Fault::Beyond {
            held: 101,
            sent: 100
        })
    );
    assert_eq!(
        position.complete(),
        Err(Fault::TooSoon { sent: 100, total })
    );
    position.sent_to(total);
    position.complete().unwrap();
}

#[test]
fn what_the_service_has_lost_is_sent_again() {
    let mut position = Position::start(100, None);
    position.sent_to(100);
    assert_eq!(position.acknowledge(60), Ok(Step::Forward));
    assert_eq!(position.acknowledge(60), Ok(Step::Still));
    assert_eq!(position.acknowledge(0), Ok(Step::Back));
    assert_eq!(position.next_chunk(), 0..100);
    // Only what it never had counts as progress.
    assert_eq!(position.acknowledge(60), Ok(Step::Still));
    assert_eq!(position.acknowledge(61), Ok(Step::Forward));
}

#[test]
fn chunks_are_multiples() {
    for (chunk, end) in [
        (None, 10 * GRAIN),
        (Some(0), GRAIN),
        (Some(3 * GRAIN + 1), 3 * GRAIN),
        (Some(u64::MAX), 10 * GRAIN),
    ] {
        assert_eq!(Position::start(10 * GRAIN, chunk).next_chunk(), 0..end);
    }
}

#[test]
fn another_process_may_have_sent_everything() {
    Position::unknown(10, None).complete().unwrap();
    let mut position = Position::unknown(10, None);
    assert_eq!(
        position.acknowledge(11),
        Err(Fault::Beyond { held: 11, sent: 10 })
    );
    assert_eq!(position.acknowledge(4), Ok(Step::Forward));
    // From now on it is known what was sent.
    assert_eq!(
        position.acknowledge(5),
        Err(Fault::Beyond { held: 5, sent: 4 })
    );
}

proptest! {
    /// Whatever part of each chunk arrives: chunks follow each other without gap or overlap, are multiples of 256 KiB, and
    /// end at the end.
    #[test]
    fn chunks_go_on_where_the_service_is(
        total in 1..40 * GRAIN,
        chunk in prop::option::of(0..10 * GRAIN),
        arrived in prop::collection::vec(0.0..=1.0f64, 1..50),
    ) {
        let mut position = Position::start(total, chunk);
        let mut stored = 0;
        for arrived in arrived.into_iter().chain(std::iter::repeat(1.0)) {
            let chunk = position.next_chunk();
            prop_assert_eq!(chunk.start, stored);
            prop_assert!(chunk.end > chunk.start);
            prop_assert!(chunk.end == total || (chunk.end - chunk.start).is_multiple_of(GRAIN));
            position.sent_to(chunk.end);
            let kept = ((chunk.end - chunk.start) as f64 * arrived) as u64;
            stored += kept;
            let step = if kept > 0 { Step::Forward } else { Step::Still };
            prop_assert_eq!(position.acknowledge(stored), Ok(step));
            if stored == total {
                break;
            }
        }
        prop_assert_eq!(stored, total);
        position.complete().unwrap();
    }
}
