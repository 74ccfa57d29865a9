//! References by example and by property.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

fn table(text: &str) -> TableReference {
    text.parse().unwrap()
}

#[test]
fn every_part_in_any_order() {
    let canonical = "demo.us_data:1q86:sample:v1_0.drug_era:0576";
    for text in [
        canonical,
        "demo.us_data:v1_0:1q86:sample.drug_era:0576",
        "demo.us_data:sample:v1.0:1q86.drug_era:0576",
        "demo.us_data:1q86:sample:1.0.drug_era:0576",
        "demo.us_data:1.0:sample:1q86.drug_era:0576",
        "demo.us_data:V1.0:SAMPLE:1q86.drug_era:0576",
    ] {
        assert_eq!(table(text).to_string(), canonical, "{text}");
    }
}

#[test]
fn parts_are_told_apart() {
    let reference = table("Demo.GHCN Daily Weather Data:7br5:v12.34.stations:g2q3");
    assert_eq!(reference.owner(), "Demo");
    assert_eq!(reference.parent().name(), "GHCN Daily Weather Data");
    assert_eq!(reference.parent().reference_id(), Some("7br5"));
    assert_eq!(reference.name(), "stations");
    assert_eq!(reference.reference_id(), Some("g2q3"));
    let version = Version::Numbered {
        major: 12,
        minor: 34,
    };
    assert_eq!(reference.version(), Some(version));
    assert_eq!(
        reference.path_segment(),
        "Demo.GHCN%20Daily%20Weather%20Data%3A7br5%3Av12_34.stations%3Ag2q3"
    );
    // Digits are an id where a version would leave no table.
    assert_eq!(table("o.ds:123.2019").parent().reference_id(), Some("123"));
    assert_eq!(table("o.ds:1.0.2019").name(), "2019");
    let dataset: DatasetReference = "o.ds:1.0".parse().unwrap();
    assert_eq!(dataset.to_string(), "o.ds:v1_0");
    assert_eq!(dataset.table("t:ab12").unwrap(), table("o.ds:v1_0.t:ab12"));
    dataset.table("x.t").unwrap_err();
}

#[test]
fn versions() {
    for text in ["v1_0", "V1_0", "v1.0", "1.0", "1_0"] {
        assert_eq!(text.parse::<Version>().unwrap().to_string(), "v1_0");
    }
    assert_eq!("CURRENT".parse::<Version>().unwrap(), Version::Current);
    assert_eq!("next".parse::<Version>().unwrap(), Version::Next);
    for text in [
        "",
        "v",
        "1",
        "v1",
        "1.",
        ".0",
        "v1_0_0",
        "1.0.0",
        "-1.0",
        "latest",
        "99999999999.0",
    ] {
        text.parse::<Version>().unwrap_err();
    }
}

#[test]
fn compared_without_case_and_shown_with_it() {
    let set: HashSet<_> = ["Demo.Data.Table", "demo.data.table", "DEMO.DATA.TABLE"]
        .map(table)
        .into();
    assert_eq!(set.len(), 1);
    assert_eq!(table("Demo.Data.Table").to_string(), "Demo.Data.Table");
    assert_ne!(table("o.d.t"), table("o.d:next.t"));
}

#[test]
fn everything_else_is_refused_with_a_reason() {
    for (text, reason) in [
        ("", "1 parts"),
        ("table", "1 parts"),
        ("o.t", "2 parts"),
        ("o.d.t.x", "4 parts"),
        ("o.d:v1.0", "2 parts"),
        (".d.t", "owner's name is empty"),
        ("o..t", "name is empty"),
        ("o.d.", "table's name is empty"),
        ("o.d:.t", "no reference id"),
        ("o.d.t:", "no reference id"),
        ("o.d:v1_0:v2_0.t", "two versions"),
        ("o.d:ab12:cd34.t", "two reference ids"),
        ("o.d:sample:sample.t", "twice"),
        ("o.d.t:next", "after the dataset's name"),
        ("o.d.t:sample", "after the dataset's name"),
        ("o.d.t:ab:cd", "no reference id"),
        ("o w.d.t", "owner's name cannot contain ' '"),
        ("o.d . t", "space"),
        ("o.d.t/variables", "'/'"),
        ("o.d.t?x=1", "'?'"),
        ("o.d.t#x", "'#'"),
        ("o.d.%2e%2e", "'%'"),
        ("o.d.t\\x", "'\\\\'"),
        ("o.d.t`", "'`'"),
        ("o.d.\"t\"", "'\"'"),
        ("o.d.t\n", "'\\n'"),
        ("o.d.t\u{0}", "'\\0'"),
        ("o.d.a\u{202e}b", "202e"),
        ("../../users/me", "parts"),
        ("o.d../t", "parts"),
    ] {
        let error = text.parse::<TableReference>().unwrap_err();
        let message = error.to_string();
        assert!(message.contains(reason), "{text:?}: {message}");
        assert!(!message.contains(|c: char| c.is_control()), "{message:?}");
    }
    let long = format!("o.d.{}", "t".repeat(2000));
    let message = long.parse::<TableReference>().unwrap_err().to_string();
    assert!(message.contains("longer than") && message.len() < 300);
    "o.w:next".parse::<WorkflowReference>().unwrap_err();
    assert_eq!(
        "o.w:ab12".parse::<WorkflowReference>().unwrap().to_string(),
        "o.w:ab12"
    );
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-z0-9_äØ本&(,-]([A-Za-z0-9_ äØ本&(,-]{0,20}[A-Za-z0-9_äØ本&(,-])?"
}

prop_compose! {
    fn any_version()(kind in 0..4, major in 0u32..1000, minor in 0u32..1000) -> Option<Version> {
        match kind {
            0 => None,
            1 => Some(Version::Current),
            2 => Some(Version::Next),
            _ => Some(Version::Numbered { major, minor }),
        }
    }
}

prop_compose! {
    fn any_table()(
        owner in "[A-Za-z0-9_]{1,12}",
        dataset in name(),
        id in proptest::option::of("[0-9a-z]{4}"),
        sample: bool,
        version in any_version(),
        name in name(),
        table_id in proptest::option::of("[0-9a-z]{4}"),
    ) -> TableReference {
        // An id such as v376 before a table named 4 would be read as the version 376.4.
        let version_like = |id: &str| id.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok());
        let reserved = |id: &String| id == "next" || version_like(id);
        TableReference {
            parent: DatasetReference { owner, name: dataset, reference_id: id.filter(|id| !reserved(id)), sample, version },
            name,
            reference_id: table_id.filter(|id| !reserved(id)),
        }
    }
}

proptest! {
    #[test]
    fn printed_references_parse_to_themselves(reference in any_table()) {
        let text = reference.to_string();
        let parsed = table(&text);
        prop_assert_eq!(parsed.to_string(), text.clone());
        prop_assert_eq!(&parsed, &reference);
        prop_assert_eq!(parsed.version(), reference.version());
        prop_assert_eq!(parsed.reference_id(), reference.reference_id());
        prop_assert_eq!(parsed.parent().reference_id(), reference.parent().reference_id());
        prop_assert_eq!(table(&text.to_uppercase()), table(&text.to_uppercase().to_lowercase()));
        let dataset: DatasetReference = reference.parent().to_string().parse().unwrap();
        prop_assert_eq!(&dataset, reference.parent());
    }

    #[test]
    fn qualifiers_may_be_shuffled(reference in any_table(), dotted: bool, order in Just([0, 1, 2]).prop_shuffle()) {
        let parent = reference.parent();
        let version = parent.version().map(|version| match version {
            Version::Numbered { major, minor } if dotted => format!(":v{major}.{minor}"),
            other => format!(":{other}"),
        });
        let qualifiers = [
            parent.reference_id().map(|id| format!(":{id}")),
            parent.is_sample().then(|| ":sample".to_owned()),
            version,
        ];
        // A dotted version ends its part, as its dot is only recognised there.
        let mut order = order.to_vec();
        if dotted { order.sort_unstable(); }
        let shuffled: String = order.iter().filter_map(|&i| qualifiers[i].clone()).collect();
        let tail = reference.reference_id().map(|id| format!(":{id}")).unwrap_or_default();
        let text = format!("{}.{}{shuffled}.{}{tail}", parent.owner(), parent.name(), reference.name());
        prop_assert_eq!(table(&text), reference);
    }

    #[test]
    fn whatever_parses_is_one_harmless_path_segment(text in "[a-z:._/?#%\\\\'\"` \\n\u{0}-\u{20}v0-9é]{0,40}") {
        if let Ok(reference) = text.parse::<TableReference>() {
            let segment = reference.path_segment();
            prop_assert!(segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert!(segment != "." && segment != "..");
            let base = url::Url::parse("http://h/api/v1/tables/").unwrap();
            let joined = url::Url::parse(&format!("{base}{segment}")).unwrap();
            prop_assert_eq!(joined.path(), format!("/api/v1/tables/{segment}"));
        }
    }
}

#[test]
fn what_can_be_written_to_is_named_without_ids() {
    for (written, without_ids, dataset, next) in [
        ("o.d.t", "o.d.t", "o.d", "o.d:next.t"),
        (
            "O.d:1q86:sample:v1.0.T:ab12",
            "O.d:sample:v1_0.T",
            "O.d",
            "O.d:next.T",
        ),
        (
            "o.My data:next.t",
            "o.My data:next.t",
            "o.My data",
            "o.My data:next.t",
        ),
    ] {
        let table: TableReference = written.parse().unwrap();
        assert_eq!(table.parent().by_name().to_string(), dataset);
        assert_eq!(table.in_next_version().to_string(), next);
        assert_eq!(table.without_ids().to_string(), without_ids);
    }
}
