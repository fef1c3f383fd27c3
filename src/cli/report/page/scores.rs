//! The score of one campaign's lists against what customers did.

use crate::cli::ahead::thousands;

use super::{Part, Picture, Section, Table};
use crate::cli::report::draw::numbers::{interval, of, percent, rate};
use crate::cli::report::draw::{deciles, gains};
use crate::cli::report::figures::{Capture, Chapter};

pub(super) fn scores(chapter: &Chapter) -> Section {
    let scores = &chapter.scores;
    let id = format!("scores-{}", chapter.campaign);
    let how = "Customers who were reached, by the score at the call that first reached them: the score can be judged only by those \
               who could say yes or no. Circle: observed, with its interval of 95 %. Diamond: predicted, the mean score. A \
               calibrated score has its diamonds within the bars. Deciles are of equal size but for equal scores, which stay \
               together. Hollow: of few.";
    if scores.customers == 0 {
        let none =
            vec![Part::Note("No customer was reached in the period, so nothing can be said of the score.".to_owned())];
        return Section::new(&id, "Scores", how, none);
    }
    let row = |one: &crate::cli::report::figures::Decile| {
        vec![
            one.decile.to_string(),
            format!("{:.3}–{:.3}", one.score_from, one.score_to),
            percent(one.predicted),
            rate(&one.observed),
            interval(&one.observed),
            of(&one.observed),
        ]
    };
    let rows = scores.deciles.iter().map(row).collect();
    let head = ["Decile", "Scores", "Predicted", "Observed", "95 % interval", "Converted"];
    let captured = |one: &Capture| Some(format!("{} % have {}", one.best_percent, percent(one.conversions?)));
    let captures: Vec<String> = scores.capture.iter().filter_map(captured).collect();
    let mut says =
        vec![format!("{} customers reached, {} converted.", thousands(scores.customers), thousands(scores.converted))];
    if let Some(ece) = scores.ece {
        says.push(format!(
            "Expected calibration error {ece:.3}: so far is the prediction from what was observed, on average over the \
             deciles; chance alone makes some of it."
        ));
    }
    says.push(if captures.is_empty() {
        "Nobody converted, so there is no curve of gains.".to_owned()
    } else {
        format!("Of all conversions, the best {}.", captures.join(", the best "))
    });
    let left = Picture::new(
        "Predicted against observed, by decile",
        deciles(&format!("deciles-{}", chapter.campaign), scores),
    );
    let right =
        Picture::new("Gains: conversions held by the best", gains(&format!("gains-{}", chapter.campaign), scores));
    let parts = vec![
        Part::Note(says.join(" ")),
        Part::Pair(left, right),
        Part::Table(Table::new("Deciles of the score", &[0, 1], &head, rows)),
    ];
    Section::new(&id, "Scores", how, parts)
}
