//! Where our client's requests differ from those of the newest Python client, and why.

use std::collections::BTreeSet;

use super::comparison::Difference;

/// Any task, request or value.
const ANY: &str = "*";
/// The field is not sent.
const NOTHING: &str = "-";
/// What stands for a request as a whole.
const SENT: &str = "sent";

/// A difference that is meant: task, request, field, what the official client sends, what ours sends, and why.
type Meant = [&'static str; 6];

#[rustfmt::skip]
const MEANT: &[Meant] = &[
    // Every request.
    [ANY, ANY, "headers.user-agent", ANY, "redivis-rust", "each names itself"],
    [ANY, ANY, "headers.accept-encoding", "gzip, deflate", "gzip", "`deflate` is understood in two ways, and gzip is enough"],
    // Reading.
    [ANY, "GET /readStreams/*", "headers.accept-encoding", "gzip, deflate", "identity", "Arrow bodies must not be compressed as a whole (redivis-api §1): the official client would not decode them"],
    [ANY, "GET /tables/*/rows", "headers.accept-encoding", "gzip, deflate", "identity", "Arrow bodies must not be compressed as a whole (redivis-api §1): the official client would not decode them"],
    ["read_session", "POST /tables/*/readSessions", "path", ANY, ANY, "by the version and ids of the table that was asked for, which stay what they are should another version be released"],
    ["read_part", "GET /tables/*/variables", "request", SENT, NOTHING, "the variables are known from the read before"],
    ["read_session", "GET /tables/*/variables", "request", SENT, NOTHING, "the variables are known from the read before"],
    ["query", "POST /queries", "body.timeoutMs", NOTHING, "1000", "documented (redivis-api §7): how far a slow query is, and what it is called, is known before it ends"],
    ["query", "POST /queries/*/readSessions", "body.format", NOTHING, "arrow", "the default is not relied on"],
    ["query", "POST /queries/*/readSessions", "body.requestedStreamCount", "1", NOTHING, "the default, where one stream is enough"],
    // Creating: what was there before tells, should no answer come, whether the request was carried out.
    ["create", "GET /organizations/*/datasets", "request", NOTHING, SENT, "a name may be a user's or an organization's, and the caller does not say which"],
    ["create", "GET /datasets/*", "request", NOTHING, SENT, "whether there is a dataset of this name before one is created"],
    ["create", "GET /tables/*", "request", NOTHING, SENT, "whether there is a table of this name before one is created"],
    ["create", "POST /users/*/datasets", "body.description", "null", NOTHING, "what is not given is not sent"],
    // Uploading.
    [ANY, "HEAD /tables/*/uploads/*", "request", SENT, NOTHING, "asked with GET, whose answer also tells which upload it is"],
    [ANY, "GET /tables/*/uploads/*", "request", NOTHING, SENT, "asked before anything is sent, and again before the upload is created"],
    ["upload", "POST /tables/*/tempUploads", "request", NOTHING, SENT, "files of every size are sent in one way, which can be taken up again"],
    ["upload", "PUT /tempUploads/*", "request", NOTHING, SENT, "as above"],
    ["upload", "POST /tables/*/uploads", "headers.content-type", "multipart/form-data; ", "application/json", "as above: the content is not sent along"],
    ["upload", "POST /tables/*/uploads", "body", ANY, NOTHING, "as above"],
    ["upload", "POST /tables/*/uploads", "body.name", NOTHING, "small.csv", "as above"],
    ["upload", "POST /tables/*/uploads", "body.type", NOTHING, "delimited", "as above"],
    ["upload", "POST /tables/*/uploads", "body.tempUploadId", NOTHING, ANY, "as above"],
    ["upload_large", "POST /tables/*/uploads", "body.hasHeaderRow", "true", NOTHING, "the default"],
    ["upload_large", "POST /tables/*/uploads", "body.skipBadRecords", "false", NOTHING, "the default"],
    ["upload_large", "POST /tables/*/uploads", "body.allowJaggedRows", "false", NOTHING, "the default"],
    ["upload_large", "POST /tables/*/uploads", ANY, "null", NOTHING, "what is not given is not sent"],
    // Versions.
    ["release", "GET /datasets/*/versions/*", "request", NOTHING, SENT, "which version is current before the release"],
    ["next_version", "GET /datasets/*/versions/*", "request", NOTHING, SENT, "whether a next version is open before one is opened"],
    ["next_version", "GET /datasets/*", "request", SENT, NOTHING, "the answer to the request before says which version was opened"],
];

fn is_meant(difference: &Difference, meant: &Meant) -> bool {
    let [task, request, field, official, ours, _] = *meant;
    let fits = |pattern: &str, value: &str| pattern == ANY || pattern == value;
    fits(task, &difference.task)
        && fits(request, &difference.request)
        && fits(field, &difference.field)
        && fits(official, difference.official.as_deref().unwrap_or(NOTHING))
        && fits(ours, difference.ours.as_deref().unwrap_or(NOTHING))
}

/// Every difference is meant, and every one that is meant is there.
pub(super) fn check(found: &BTreeSet<Difference>) {
    let unmeant: Vec<_> = found
        .iter()
        .filter(|difference| !MEANT.iter().any(|meant| is_meant(difference, meant)))
        .collect();
    assert!(
        unmeant.is_empty(),
        "differences without a reason: {unmeant:#?}"
    );
    for meant in MEANT {
        let is_there = found.iter().any(|difference| is_meant(difference, meant));
        assert!(is_there, "no longer a difference: {meant:?}");
    }
}
