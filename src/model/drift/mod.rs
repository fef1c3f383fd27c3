//! Has the world moved away from a model? Three questions that need no labels, some, or only the phone.

mod calibration_gap;
mod change_point;
mod psi;

pub use calibration_gap::{CalibrationGap, Predicted, wilson};
pub use change_point::{AnswerWatch, Fall};
pub use psi::{GROUPS, Psi, deciles, grouped, psi};
