//! The service's word against what was sent.

use proptest::prelude::*;

use super::*;

#[test]
fn ranges() {
    assert_eq!(held(None), Ok(0));
    assert_eq!(held(Some("bytes=0-0")), Ok(1));
    assert_eq!(held(Some(" bytes=0-524287 ")), Ok(524_288));
    for odd in [
        "",
        "0-99",
        "bytes=1-99",
        "bytes=0-",
        "bytes=0--1",
        "bytes=0-99,200-300",
        "bytes 0-99",
        "bytes=0-18446744073709551615",
    ] {
        assert_eq!(held(Some(odd)), Err(Fault::Unreadable), "{odd}");
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let mut position = Position::start(CHUNK * 3);
    position.sent_to(100);
    assert_eq!(
        position.acknowledge(101),
        Err(Fault::Beyond {
            held: 101,
            sent: 100
        })
    );
    assert_eq!(position.acknowledge(60), Ok(true));
    assert_eq!(position.acknowledge(60), Ok(false));
    assert_eq!(
        position.acknowledge(59),
        Err(Fault::Backwards {
            held: 59,
            before: 60
        })
    );
    assert_eq!(
        position.complete(),
        Err(Fault::TooSoon {
            sent: 100,
            total: CHUNK * 3
        })
    );
    position.sent_to(CHUNK * 3);
    position.complete().unwrap();
}

#[test]
fn another_process_may_have_sent_everything() {
    Position::unknown(10).complete().unwrap();
    let mut position = Position::unknown(10);
    assert_eq!(
        position.acknowledge(11),
        Err(Fault::Beyond { held: 11, sent: 10 })
    );
    assert_eq!(position.acknowledge(4), Ok(true));
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
    fn chunks_go_on_where_the_service_is(total in 1..40 * GRAIN, arrived in prop::collection::vec(0.0..=1.0f64, 1..50)) {
        let mut position = Position::start(total);
        let mut stored = 0;
        for arrived in arrived.into_iter().chain(std::iter::repeat(1.0)) {
            let chunk = position.next_chunk();
            prop_assert_eq!(chunk.start, stored);
            prop_assert!(chunk.end > chunk.start);
            prop_assert!(chunk.end == total || (chunk.end - chunk.start).is_multiple_of(GRAIN));
            position.sent_to(chunk.end);
            let kept = ((chunk.end - chunk.start) as f64 * arrived) as u64;
            stored += kept;
            prop_assert_eq!(position.acknowledge(stored), Ok(kept > 0));
            if stored == total {
                break;
            }
        }
        prop_assert_eq!(stored, total);
        position.complete().unwrap();
    }
}
