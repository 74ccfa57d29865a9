//! The router together with the paths that it answers.
//!
//! They are kept because a router does not tell them: a test walks them all, so that no endpoint is without one.

use std::sync::Arc;

use axum::{Router, routing::MethodRouter};

use super::Api;

/// Some endpoints.
pub(super) struct Routes {
    pub(super) router: Router<Arc<Api>>,
    /// With parameters in braces.
    pub(super) paths: Vec<String>,
}

impl Routes {
    pub(super) fn new() -> Self {
        Routes {
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    pub(super) fn route(mut self, path: &str, methods: MethodRouter<Arc<Api>>) -> Self {
        // One path may be given its methods in several places.
        if !self.paths.iter().any(|known| known == path) {
            self.paths.push(path.to_owned());
        }
        self.router = self.router.route(path, methods);
        self
    }

    pub(super) fn merge(mut self, other: Routes) -> Self {
        self.paths.extend(other.paths);
        self.router = self.router.merge(other.router);
        self
    }
}
