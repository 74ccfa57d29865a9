//! Levels of access, from scopes of tokens and from what a dataset makes public (redivis-api §1.3).
//!
//! One ordered scale for both, so that whoever asks has the higher of the two.

/// How much may be done with a dataset; each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Access {
    /// Nothing, not even to know that it exists.
    None,
    /// To see that it exists.
    Overview,
    /// To see variables and statistics.
    Metadata,
    /// To read samples.
    Sample,
    /// To read rows.
    Data,
    /// To change it.
    Edit,
}

impl Access {
    /// What a token's scope grants on datasets; `None` for a scope that does not exist.
    pub(crate) fn of_scope(scope: &str) -> Option<Self> {
        Some(match scope {
            "public" | "organization.read" | "organization.write" | "workflow.write" => {
                Access::None
            }
            "data.overview" => Access::Overview,
            "data.metadata" => Access::Metadata,
            "data.data" => Access::Data,
            "data.edit" => Access::Edit,
            _ => return None,
        })
    }

    /// A dataset's public access level.
    pub(crate) fn of_public_level(level: &str) -> Option<Self> {
        [
            Access::None,
            Access::Overview,
            Access::Metadata,
            Access::Sample,
            Access::Data,
        ]
        .into_iter()
        .find(|access| access.name() == level)
    }

    /// The name as an access level.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Access::None => "none",
            Access::Overview => "overview",
            Access::Metadata => "metadata",
            Access::Sample => "sample",
            Access::Data => "data",
            Access::Edit => "edit",
        }
    }

    /// The scope that a token needs for it.
    pub(crate) fn scope(self) -> &'static str {
        match self {
            Access::None => "public",
            Access::Overview => "data.overview",
            Access::Metadata => "data.metadata",
            Access::Sample | Access::Data => "data.data",
            Access::Edit => "data.edit",
        }
    }
}
