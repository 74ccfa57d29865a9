//! `SET redivis.…`.

use crate::support::fixture;

#[tokio::test]
async fn options_are_set_shown_and_checked() {
    let it = fixture().await;
    it.batches("SET redivis.max_streams = 2").await;
    it.batches("SET redivis.read_timeout = '90s'").await;
    let shown = it.rows("SHOW redivis.max_streams").await;
    assert!(
        shown.contains("redivis.max_streams") && shown.contains('2'),
        "{shown}"
    );
    assert!(it.rows("SHOW redivis.read_timeout").await.contains("90s"));
    let error = it.error("SET redivis.max_streams = 0").await;
    assert!(error.contains("redivis.max_streams must be"), "{error}");
    let error = it.error("SET redivis.speed = 'high'").await;
    assert!(error.contains("redivis.speed"), "{error}");
}
