//! The draws of real randomness of a process: a seed, from which every generator of the core is made, and a secret.

/// Fails only on a machine without a source of randomness; nothing may be dialled there.
pub fn seed() -> anyhow::Result<u64> {
    draw().map(u64::from_le_bytes)
}

/// Behind the keys of SRTP, which must not be guessed from anything that the generators let out.
pub fn secret() -> anyhow::Result<[u8; 32]> {
    draw()
}

#[expect(clippy::disallowed_methods, reason = "drawn once per process, here")]
fn draw<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness from the system: {error}"))?;
    Ok(bytes)
}
