//! A question before much is read from Redivis, at the prompt: a slip of the pen may cost hours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::physical_plan::ExecutionPlan;

use crate::estimate::Estimate;
use crate::failure::Failure;

/// Lets plans pass that read no more than so much; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Guard {
    /// Bytes; none where nobody is there to be asked.
    above: Option<u64>,
    /// The person has said yes to the next one.
    allowed: Arc<AtomicBool>,
}

impl Guard {
    pub(crate) fn new(above: Option<u64>) -> Self {
        Self {
            above,
            ..Self::default()
        }
    }

    /// Passes a plan, or says what it would read.
    pub(crate) fn pass(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<(), Failure> {
        let Some(above) = self.above else {
            return Ok(());
        };
        if self.allowed.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let estimate = Estimate::of(plan);
        match estimate.bytes() > above {
            true => Err(Failure::Large(estimate.total())),
            false => Ok(()),
        }
    }

    /// Whether there is anything that it would not let pass.
    pub(crate) fn is_up(&self) -> bool {
        self.above.is_some()
    }

    /// Lets the next plan pass, whatever it reads.
    pub(crate) fn allow(&self) {
        self.allowed.store(true, Ordering::Relaxed);
    }
}

/// A number of bytes as people write it: `10GB`, `500 MB`, `1.5GiB`; none for `off`.
pub(crate) fn size(text: &str) -> Result<Option<u64>, String> {
    let expected = || "write a size such as 10GB, or off".to_owned();
    let text = text.trim();
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit.trim().to_ascii_uppercase().as_str() {
        "" | "B" => 1.0,
        "KB" | "K" => 1e3,
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "KIB" => 1024.0,
        "MIB" => 1_048_576.0,
        "GIB" => 1_073_741_824.0,
        "TIB" => 1_099_511_627_776.0,
        _ => return Err(expected()),
    };
    let number: f64 = number.parse().map_err(|_| expected())?;
    Ok(Some((number * factor) as u64))
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("10GB"), Ok(Some(10_000_000_000)));
        assert_eq!(size("1.5 kib"), Ok(Some(1536)));
        assert_eq!(size("7"), Ok(Some(7)));
        assert_eq!(size("off"), Ok(None));
        for text in ["", "many", "10 apples", "-1GB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }
}
