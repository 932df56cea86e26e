//! The demo: the main job from end to end, on this machine alone.

/// Runs the demo.
///
/// # Errors
/// Always, until the demo is here.
pub fn run() -> anyhow::Result<()> {
    anyhow::bail!("the demo arrives with the next commit")
}
