//! The seed of a process: the one draw of real randomness, from which every generator of the core is made.

/// Fails only on a machine without a source of randomness; nothing may be dialled there.
#[expect(clippy::disallowed_methods, reason = "drawn once per process, here")]
pub fn seed() -> anyhow::Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(u64::from_le_bytes(bytes))
}
