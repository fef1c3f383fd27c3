//! `id,score` of every row of a CSV, in bounded memory, in the order of the rows.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{Scorer, Simd};

use super::ListError;
use super::atomic::AtomicFile;
use super::table_rows::TableRows;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScoreOptions {
    /// The column that names a row.
    pub id: String,
    /// The margin of the first model instead of the probability.
    pub margin: bool,
    pub simd: Simd,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreReport {
    pub model: String,
    pub version: String,
    pub rows: u64,
    pub simd: &'static str,
    /// Of the probabilities; none of no rows, and none of margins.
    pub mean: Option<f64>,
    /// Rows by stratum, from the top.
    pub strata: Vec<(String, u64)>,
}

#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error("the column `{name}` is {what}")]
    Column { name: String, what: &'static str },
    #[error("line {line}: {what}")]
    Row { line: u64, what: String },
    #[error("{} cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

pub fn score(model: &Scorer, data: &Path, out: &Path, options: &ScoreOptions) -> Result<ScoreReport, ScoreError> {
    let mut rows = TableRows::open(model, data, &[&options.id])?;
    let unwritten = |source| ScoreError::Write { path: out.to_owned(), source };
    let mut file = csv::Writer::from_writer(AtomicFile::create(out).map_err(unwritten)?);
    let csv_error = |error: csv::Error| unwritten(io::Error::other(error));
    file.write_record(["id", "score"]).map_err(csv_error)?;
    let mut tally = Tally { rows: 0, sum: 0.0, strata: vec![0; model.manifest().strata.len()] };
    while let Some(batch) = rows.batch()? {
        let scores = tally.score(model, &batch.values, options);
        for (id, score) in batch.named().zip(&scores) {
            file.write_record(id.iter().chain([score])).map_err(csv_error)?;
        }
    }
    let file = file.into_inner().map_err(|error| unwritten(error.into_error()))?;
    file.commit().map_err(unwritten)?;
    Ok(tally.report(model, options))
}

/// With as many digits as tell two numbers of single precision apart.
pub fn written(probability: f64) -> String {
    (probability as f32).to_string()
}

struct Tally {
    rows: u64,
    sum: f64,
    strata: Vec<u64>,
}

impl Tally {
    /// As text.
    fn score(&mut self, model: &Scorer, values: &[f32], options: &ScoreOptions) -> Vec<String> {
        if options.margin {
            let margins = model.margins(values, options.simd);
            self.rows += margins.len() as u64;
            return margins.iter().map(ToString::to_string).collect();
        }
        let probabilities = model.probabilities(values, options.simd);
        self.rows += probabilities.len() as u64;
        for probability in &probabilities {
            self.sum += probability;
            if let Some(count) = model.stratum(*probability).and_then(|nth| self.strata.get_mut(nth)) {
                *count += 1;
            }
        }
        probabilities.iter().map(|probability| written(*probability)).collect()
    }

    fn report(self, model: &Scorer, options: &ScoreOptions) -> ScoreReport {
        let manifest = model.manifest();
        let names = manifest.strata.iter().map(|stratum| stratum.name.clone());
        ScoreReport {
            model: manifest.name.clone(),
            version: manifest.version.clone(),
            rows: self.rows,
            simd: options.simd.name(),
            mean: (self.rows > 0 && !options.margin).then(|| self.sum / self.rows as f64),
            strata: if options.margin { Vec::new() } else { names.zip(self.strata).collect() },
        }
    }
}

impl fmt::Display for ScoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows scored by {} {} ({})", self.rows, self.model, self.version, self.simd)?;
        if let Some(mean) = self.mean {
            write!(f, "; mean {:.2} %", mean * 100.0)?;
        }
        for (name, rows) in &self.strata {
            write!(f, "\n  {name}: {rows} rows")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::feed::table_rows::BATCH;
    use crate::feed::{ModelFolderError, load_model};

    use super::*;

    const MANIFEST: &str = r#"{
        "schema": "goldenhour/model/v1", "name": "toy", "version": "7", "target": "convert",
        "features": [{"name": "age", "type": "number"}, {"name": "balance", "type": "number"},
                     {"name": "index", "type": "number"}],
        "models": {"a": {"file": "numbers.ubj"}}, "calibration": {"kind": "none"},
        "strata": [{"name": "top", "from": 0.0}]
    }"#;

    struct Site {
        home: tempfile::TempDir,
        model: Scorer,
    }

    impl Site {
        fn new(data: &str) -> Self {
            let home = tempfile::tempdir().unwrap();
            let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/numbers.ubj");
            fs::copy(fixture, home.path().join("numbers.ubj")).unwrap();
            fs::write(home.path().join("model.json"), MANIFEST).unwrap();
            fs::write(home.path().join("data.csv"), data).unwrap();
            let model = load_model(home.path()).unwrap();
            Self { home, model }
        }

        fn score(&self, margin: bool) -> Result<ScoreReport, ScoreError> {
            let options = ScoreOptions { id: "id".to_owned(), margin, simd: Simd::best() };
            let home = self.home.path();
            score(&self.model, &home.join("data.csv"), &home.join("out.csv"), &options)
        }

        fn out(&self) -> String {
            fs::read_to_string(self.home.path().join("out.csv")).unwrap()
        }
    }

    #[test]
    fn columns_are_found_by_name_and_others_passed_over() {
        let one = Site::new("id,age,balance,index\nc1,30,100,0.5\n");
        let other = Site::new("index,name,balance,id,age\n0.5,x,100,c1,30\n");
        let report = one.score(false).unwrap();
        assert_eq!(report, other.score(false).unwrap());
        assert_eq!(one.out(), other.out());
        assert!(one.out().starts_with("id,score\nc1,0."), "{}", one.out());
        assert_eq!((report.rows, report.strata), (1, vec![("top".to_owned(), 1)]));
    }

    #[test]
    fn more_rows_than_a_batch_come_out_in_their_order() {
        let rows: Vec<String> = (0..BATCH + 70).map(|n| format!("r{n},{},NA,\n", n % 90)).collect();
        let site = Site::new(&format!("id,age,balance,index\n{}", rows.concat()));
        let report = site.score(true).unwrap();
        let out = site.out();
        let ids: Vec<&str> = out.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        let expected: Vec<String> = (0..BATCH + 70).map(|n| format!("r{n}")).collect();
        assert_eq!(ids, expected);
        assert_eq!((report.rows, report.mean), (4_166, None));
    }

    #[test]
    fn what_cannot_be_scored_is_refused_with_line_and_column() {
        for (data, why) in [
            ("id,age,balance\nc1,3,4\n", "the column `index` is missing"),
            ("key,age,balance,index\nc1,3,4,5\n", "the column `id` is missing"),
            ("id,age,age,balance,index\nc1,3,3,4,5\n", "the column `age` is there twice"),
            (
                "id,age,balance,index\nc1,3,4,5\nc2,3,many,5\n",
                "line 3: the column `balance` holds what is not a number",
            ),
            ("id,age,balance,index\nc1,3,4\n", "line 2: 3 cells, and the header has 4"),
        ] {
            let site = Site::new(data);
            assert_eq!(site.score(false).unwrap_err().to_string(), why);
            assert_eq!(fs::read_dir(site.home.path()).unwrap().count(), 3, "no file is left behind");
        }
    }

    #[test]
    fn a_folder_without_a_model_says_which_file_is_missing() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(load_model(home.path()), Err(ModelFolderError::Read { .. })));
        fs::write(home.path().join("model.json"), MANIFEST).unwrap();
        assert!(load_model(home.path()).unwrap_err().to_string().contains("numbers.ubj"));
    }
}
