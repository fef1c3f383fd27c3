//! Golden hours of one campaign: what its file says, what the dialer reckoned with, and what came of it.

use super::{Part, Picture, Section, Table};
use crate::cli::report::draw::numbers::{percent, stacked};
use crate::cli::report::draw::{Map, heat};
use crate::cli::report::figures::{Chapter, Stretch};

pub(super) fn golden(chapter: &Chapter) -> Section {
    let golden = &chapter.golden;
    let row = |name: &str, seed: f64, stretch: &Stretch| {
        vec![
            name.to_owned(),
            percent(seed),
            stretch.believed.map_or_else(|| "–".to_owned(), percent),
            stacked(&stretch.answered),
            stacked(&stretch.right_party),
            stacked(&stretch.converted),
        ]
    };
    let rows = vec![
        row("Golden hours", golden.seed.golden_rate, &golden.inside),
        row("All other hours", golden.seed.other_rate, &golden.outside),
    ];
    let head = [
        "",
        "Seed",
        "Believed\nat the dial",
        "Answered,\nof dials",
        "Right party,\nof dials",
        "Success,\nof right parties",
    ];
    let table = Table::new("Answers inside and outside golden hours: promised, believed, observed", &[0], &head, rows);
    let picture = |id: &str, map, title: &str| {
        Part::Picture(Picture::new(title, heat(&format!("{id}-{}", chapter.campaign), map, &golden.slots)))
    };
    let parts = vec![
        Part::Table(table),
        picture("answered", Map::Answered, "Observed: share of dials that were answered, and answered/dialled"),
        picture("believed", Map::Believed, "Believed at the dial: mean chance of an answer, and dials"),
        picture(
            "converted",
            Map::Converted,
            "Converted: share of dials that ended in a success, and successes/dialled",
        ),
    ];
    let how = format!(
        "A line per weekday, a column per hour of the contact’s own clock; the darker, the higher. Hatched cells have fewer \
         than {few} dials and are not shaded; shades of the others are drawn towards the average as if that had been seen \
         {few} times more. The bar below a cell: golden by the seed of the campaign’s file, for all segments (black) or for \
         some (grey). Dials that say nothing of the hour (dead numbers, failures on our side) are left out, as \
         in learning. Hours are not drawn by lot: an hour may look good because the best leads were dialled in it.",
        few = crate::cli::report::figures::FEW
    );
    Section::new(&format!("golden-{}", chapter.campaign), "Golden hours", &how, parts)
}
