//! One suite for every store: each script runs against the model and against a database, and every reply must be equal.

mod browse;
mod crashes;
mod erasure;
mod faults;
pub(crate) mod fixture;
mod lists;
mod outcomes;
mod random;
mod requests;
pub(crate) mod script;
pub(crate) mod sqlite;
mod trials;

/// Runs every script of the suite against the databases that `$open` makes.
macro_rules! suite {
    ($harness:ty: $($module:ident :: { $($name:ident),* $(,)? }),* $(,)?) => {
        $($(
            #[tokio::test]
            async fn $name() {
                super::$module::$name(super::script::Script::<$harness>::new().await).await;
            }
        )*)*
    };
}

pub(super) use suite;
