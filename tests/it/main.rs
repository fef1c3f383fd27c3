//! Against real peers: programs from Debian's packages, which scripts/test installs. A missing one is a red test.
#![cfg(feature = "daemon")]

// `cfg(test)` tells clippy that unwrap is fine here.
#[cfg(test)]
mod alerts;
#[cfg(test)]
mod api;
#[cfg(test)]
mod bad_inputs;
#[cfg(test)]
mod baresip;
#[cfg(test)]
mod canary;
#[cfg(test)]
mod capture;
#[cfg(test)]
mod carriers;
#[cfg(test)]
mod check;
#[cfg(test)]
mod daemon;
#[cfg(test)]
mod dashboards;
#[cfg(test)]
mod data;
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod edge;
#[cfg(test)]
mod editor;
#[cfg(test)]
mod erase;
#[cfg(test)]
mod failover;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod gbk;
#[cfg(test)]
mod hours;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod kamailio;
#[cfg(test)]
mod kill_nine;
#[cfg(test)]
mod ladder;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod lossy;
#[cfg(test)]
mod misbehaviour;
#[cfg(test)]
mod model;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod plan;
#[cfg(test)]
mod ports;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(test)]
mod prometheus;
#[cfg(test)]
mod real_hours;
#[cfg(test)]
mod real_lists;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod report;
#[cfg(test)]
mod retraining;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod score;
#[cfg(test)]
mod scored_lists;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod sipp;
#[cfg(test)]
mod sipp_uas;
#[cfg(test)]
mod srtp;
mod systemd;
#[cfg(test)]
mod transports;
#[cfg(test)]
mod trial;
#[cfg(test)]
mod trunk_health;
#[cfg(test)]
mod tutorial;
#[cfg(test)]
#[cfg(feature = "postgres")]
mod views;
#[cfg(test)]
mod wire_sipp;
