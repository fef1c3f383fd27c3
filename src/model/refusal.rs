//! Why a model is not taken. Each says what is wrong and where; what to do about it is in docs/MODELS.md.

/// One reason is enough: nothing after it can be trusted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("not JSON of a model: {0}")]
    Json(String),
    #[error("not UBJ of a model, at byte {at}: {what}")]
    Ubj { at: usize, what: &'static str },
    #[error("the file is larger than {0} MiB")]
    File(usize),
    #[error("more than {most} {what}")]
    TooMany { most: usize, what: &'static str },
    #[error("{what} is `{found}`, and only {wanted} is evaluated")]
    Unsupported { what: &'static str, found: String, wanted: &'static str },
    #[error("tree {tree}: {what}")]
    Tree { tree: usize, what: &'static str },
    #[error("tree {tree}, node {node}: {what}")]
    Node { tree: usize, node: usize, what: &'static str },
    #[error("{0}")]
    Manifest(String),
}
