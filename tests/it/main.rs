//! Against real peers: programs from Debian's packages, which scripts/test installs. A missing one is a red test.
#![cfg(feature = "daemon")]

// `cfg(test)` tells clippy that unwrap is fine here.
#[cfg(test)]
mod canary;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod data;
#[cfg(test)]
mod gbk;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod kill_nine;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod real_lists;
#[cfg(test)]
mod sipp;
#[cfg(test)]
mod sipp_uas;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod wire_sipp;
