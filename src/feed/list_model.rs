//! The campaign's model, where it scores a list as it is loaded.

use std::path::Path;

use crate::campaign::{ListMap, ScoreBy};
use crate::model::{Feature, Manifest, Scorer, Simd};
use crate::store::ModelAlias;

use super::cells;
use super::model_folder::load_model_with_digest;
use super::score::written;
use super::{ListError, ReadOptions};

#[derive(Debug)]
pub struct ListModel {
    scorer: Scorer,
    digest: [u8; 32],
    simd: Simd,
}

impl ListModel {
    /// `None` where the list brings its scores itself, and in plain order.
    pub fn of(map: &ListMap, options: &ReadOptions) -> Result<Option<Self>, ListError> {
        let ScoreBy::Model { dir, .. } = &map.score else { return Ok(None) };
        if options.plain_order {
            return Ok(None);
        }
        let (scorer, digest) = load_model_with_digest(&options.campaigns.join(dir)).map_err(ListError::Model)?;
        Ok(Some(Self { scorer, digest, simd: Simd::best() }))
    }

    pub fn manifest(&self) -> &Manifest {
        self.scorer.manifest()
    }

    pub fn features(&self) -> &[Feature] {
        &self.manifest().features
    }

    /// SHA-256 of all files of the model.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Of rows that stand one after the other. Each is what a list would say that `goldenhour score` had scored before,
    /// to the last digit, and must be what the score of a list must be.
    pub fn scores(&self, values: &[f32]) -> impl Iterator<Item = Result<f64, String>> {
        let probabilities = self.scorer.probabilities(values, self.simd);
        probabilities.into_iter().map(|probability| cells::score(&written(probability)))
    }
}

/// A folder of models has one name that points to the champion, and one to the challenger.
pub fn alias(map: &ListMap, options: &ReadOptions) -> ModelAlias {
    match &map.score {
        ScoreBy::Model { .. } if options.plain_order => ModelAlias::PlainOrder,
        ScoreBy::Model { dir, .. } if Path::new(dir).file_name().is_some_and(|name| name == "challenger") => {
            ModelAlias::Challenger
        }
        ScoreBy::Model { .. } | ScoreBy::Column(_) => ModelAlias::Champion,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::fs;
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use super::*;
    use crate::base::{Code, Now, Share};
    use crate::campaign::RefuseIf;
    use crate::contact::{ColumnValue, Row};
    use crate::feed::fake::Fake;
    use crate::feed::score::{ScoreOptions, score};
    use crate::feed::{
        ImportError, ImportOptions, ImportReport, ImportStatus, ListFile, Parsed, ReadOptions, Reject, Rows, dry_run,
        fixture, import, load_model,
    };

    const HEADER: &str = "contact_id,phone_e164,age,balance,index";

    /// A campaigns folder with a model in it.
    pub(in crate::feed) struct Site(tempfile::TempDir);

    impl Site {
        pub(in crate::feed) fn new() -> Self {
            let site = Self(tempfile::tempdir().unwrap());
            site.put_model("7");
            site
        }

        fn put_model(&self, version: &str) {
            let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models");
            let folder = self.path("model");
            fs::create_dir_all(&folder).unwrap();
            fs::copy(format!("{fixtures}/numbers.ubj"), folder.join("a.ubj")).unwrap();
            let number = |name| json!({"name": name, "type": "number"});
            let manifest = json!({
                "schema": "goldenhour/model/v1", "name": "toy", "version": version, "target": "convert",
                "features": [number("age"), number("balance"), number("index")],
                "models": {"a": {"file": "a.ubj"}}, "calibration": {"kind": "none"},
            });
            fs::write(folder.join("model.json"), manifest.to_string()).unwrap();
        }

        /// A second model whose leaves add up to infinity, with no weight in the blend: nothing times infinity is no number.
        pub(in crate::feed) fn break_scores(&self) {
            let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/models/numbers.json"));
            let mut model: Value = serde_json::from_str(&text.unwrap()).unwrap();
            for tree in model["learner"]["gradient_booster"]["model"]["trees"].as_array_mut().unwrap() {
                for node in 0..tree["left_children"].as_array().unwrap().len() {
                    if tree["left_children"][node] == -1 {
                        tree["split_conditions"][node] = json!(3e38);
                    }
                }
            }
            fs::write(self.path("model/b.json"), model.to_string()).unwrap();
            let mut manifest: Value =
                serde_json::from_slice(&fs::read(self.path("model/model.json")).unwrap()).unwrap();
            manifest["models"]["b"] = json!({"file": "b.json"});
            manifest["blend"] = json!({"w": 1.0, "c": 0.0});
            fs::write(self.path("model/model.json"), manifest.to_string()).unwrap();
        }

        pub(in crate::feed) fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        pub(in crate::feed) fn options(&self) -> ReadOptions {
            ReadOptions { campaigns: self.0.path().to_owned(), ..ReadOptions::default() }
        }

        fn rows(&self, list: &str) -> Result<Rows, ListError> {
            Rows::from_reader(std::io::Cursor::new(list.to_owned()), &map(), &self.options())
        }

        fn read(&self, list: &str) -> (Vec<Row>, Vec<Reject>) {
            let (mut leads, mut rejects) = (Vec::new(), Vec::new());
            for parsed in self.rows(list).unwrap() {
                match parsed.unwrap() {
                    Parsed::Row(row) => leads.push(row),
                    Parsed::Reject(reject) => rejects.push(reject),
                }
            }
            (leads, rejects)
        }

        pub(in crate::feed) fn file(&self, list: &str) -> ListFile {
            fs::write(self.path("list.csv"), list).unwrap();
            ListFile::open(&self.path("list.csv"), self.0.path()).unwrap()
        }

        async fn import(&self, store: &mut Fake, list: &str) -> Result<ImportReport, ImportError> {
            self.import_as(store, list, &map()).await
        }

        async fn import_as(&self, store: &mut Fake, list: &str, map: &ListMap) -> Result<ImportReport, ImportError> {
            let rejects = Some(self.path("rejects.csv"));
            let options = ImportOptions { read: self.options(), rejects, manifest: None };
            import(store, "bill", map, &mut self.file(list), &options, Now::default(), &mut |_| {}).await
        }

        /// What `goldenhour score` says of the same file.
        fn scored(&self, list: &str) -> Vec<f64> {
            fs::write(self.path("data.csv"), list).unwrap();
            let model = load_model(&self.path("model")).unwrap();
            let options = ScoreOptions { id: "contact_id".to_owned(), margin: false, simd: Simd::best() };
            score(&model, &self.path("data.csv"), &self.path("out.csv"), &options).unwrap();
            let out = fs::read_to_string(self.path("out.csv")).unwrap();
            out.lines().skip(1).map(|line| line.split_once(',').unwrap().1.parse().unwrap()).collect()
        }
    }

    pub(in crate::feed) fn map() -> ListMap {
        let score = ScoreBy::Model { dir: "model".to_owned(), base_rate: None };
        ListMap { score, zone: None, consent: None, attributes: None, ..fixture::map() }
    }

    fn line(n: u32) -> String {
        let balance = if n.is_multiple_of(7) { "NA".to_owned() } else { format!("{}.5", n * 13 % 3_000) };
        format!("k{n},+999{n:09},{},{balance},{}\n", 18 + n % 70, f64::from(n % 31) / 10.0 - 1.5)
    }

    pub(in crate::feed) fn list(rows: u32) -> String {
        format!("{HEADER}\n{}", (0..rows).map(line).collect::<String>())
    }

    #[test]
    fn a_list_without_scores_gets_those_that_goldenhour_score_writes() {
        let site = Site::new();
        let (rows, rejects) = site.read(&list(2_500));
        assert!(rejects.is_empty());
        let ours: Vec<u64> = rows.iter().map(|row| row.score.to_bits()).collect();
        let theirs: Vec<u64> = site.scored(&list(2_500)).into_iter().map(f64::to_bits).collect();
        assert_eq!(ours, theirs);
        let first = rows[0].score;
        assert!(rows.iter().any(|row| (row.score - first).abs() > 0.05), "they differ");
        assert!(rows.iter().all(|row| row.columns.get("score") == Some(&ColumnValue::Number(row.score))));
    }

    #[test]
    fn what_a_model_was_told_stays_with_the_lead_as_an_attribute() {
        let (rows, _) = Site::new().read(&list(1));
        let Some(ColumnValue::Attributes(attributes)) = rows[0].columns.get("attrs") else { panic!() };
        assert_eq!(attributes.get("age"), Some(&ColumnValue::Text("18".to_owned())));
        assert_eq!(attributes.get("balance"), Some(&ColumnValue::Text("NA".to_owned())));
    }

    #[test]
    fn a_row_whose_feature_is_no_number_is_rejected_and_moves_nobody_elses_score() {
        let site = Site::new();
        let bad = "k9,+999200000009,forty,1,1\nk8,+999200000008,40,1,1,1\n";
        let mixed = format!("{HEADER}\n{}{bad}{}", line(1), line(2));
        let mut rows = site.rows(&mixed).unwrap();
        let parsed: Vec<Parsed> = rows.by_ref().map(Result::unwrap).collect();
        let [Parsed::Row(one), Parsed::Reject(reject), Parsed::Reject(_), Parsed::Row(two)] = &parsed[..] else {
            panic!("{parsed:?}")
        };
        assert_eq!((reject.line, reject.column.as_str(), reject.code), (3, "age", Code::ListScore));
        assert!(reject.reason.contains("`aaaaa`") && !reject.reason.contains("forty"), "{}", reject.reason);
        let alone = site.scored(&format!("{HEADER}\n{}{}", line(1), line(2)));
        assert_eq!([one.score.to_bits(), two.score.to_bits()], [alone[0].to_bits(), alone[1].to_bits()]);
        assert_eq!((rows.tally().rows, rows.tally().rejects, rows.tally().without_score), (4, 2, 1));
    }

    #[test]
    fn a_feature_that_the_list_lacks_is_named() {
        let error = Site::new().rows("contact_id,phone_e164,age,Balance\nk,+999200000001,1,1\n").unwrap_err();
        assert_eq!(error.code(), Code::ListColumns);
        let shown = error.to_string();
        assert_eq!(shown, "the header lacks `balance` (a feature of list.model), `index` (a feature of list.model)");
    }

    #[test]
    fn a_model_that_is_missing_or_broken_stops_the_list_with_its_path() {
        let site = Site::new();
        fs::write(site.path("model/a.ubj"), "no forest").unwrap();
        let error = site.rows(&list(1)).unwrap_err();
        assert_eq!(error.code(), Code::ListModel);
        assert!(error.diagnostic().hint.is_some());
        fs::remove_dir_all(site.path("model")).unwrap();
        let error = site.rows(&list(1)).unwrap_err().to_string();
        assert!(error.contains("list.model cannot be used") && error.contains("/model cannot be read"), "{error}");
    }

    #[test]
    fn scores_that_are_no_probabilities_are_rejected_row_by_row() {
        let site = Site::new();
        site.break_scores();
        let (rows, rejects) = site.read(&list(3));
        assert_eq!((rows.len(), rejects.len()), (0, 3));
        assert_eq!((rejects[0].line, rejects[0].code), (2, Code::ListScore));
        assert!(rejects[0].reason.starts_with("the model gives no probability"), "{}", rejects[0].reason);
    }

    #[tokio::test]
    async fn the_list_says_which_model_scored_it_and_another_model_makes_it_another_list() {
        let site = Site::new();
        let mut store = Fake::default();
        let loaded = site.import(&mut store, &list(5)).await.unwrap();
        let model = loaded.model.as_ref().unwrap();
        assert_eq!((model.id.as_str(), model.version.as_str()), ("toy", "7"));
        let info = &store.lists[0].0;
        assert_eq!((info.model_id.as_deref(), info.model_version.as_deref()), (Some("toy"), Some("7")));
        assert!(loaded.to_string().contains("toy 7"));
        assert_eq!(site.import(&mut store, &list(5)).await.unwrap().status, ImportStatus::Unchanged);
        site.put_model("8");
        assert_eq!(site.import(&mut store, &list(5)).await.unwrap().status, ImportStatus::Loaded);
        assert_eq!(store.lists.len(), 2);
    }

    #[test]
    fn a_dry_run_scores_too() {
        let site = Site::new();
        let options = ImportOptions { read: site.options(), ..ImportOptions::default() };
        let report = dry_run("bill", &map(), &mut site.file(&list(20)), &options, None).unwrap();
        assert_eq!((report.tally.leads, report.score_deciles.len()), (20, 9));
        assert!(report.model.is_some());
    }

    /// `on_error: plain_order, base_rate: 3%`
    fn or_plain() -> ListMap {
        let score = ScoreBy::Model { dir: "model".to_owned(), base_rate: Share::parse("3%") };
        ListMap { score, ..map() }
    }

    fn scores_of(store: &Fake) -> Vec<f64> {
        store.lists.last().unwrap().1.iter().map(|row| row.score).collect()
    }

    #[tokio::test]
    async fn with_a_broken_model_a_list_stays_out_or_is_loaded_in_plain_order_as_the_campaign_says() {
        let site = Site::new();
        let mut store = Fake::default();
        fs::rename(site.path("model"), site.path("away")).unwrap();
        let refused = site.import(&mut store, &list(4)).await.unwrap_err();
        assert_eq!((refused.code(), store.lists.len()), (Code::ListModel, 0));
        let loaded = site.import_as(&mut store, &list(4), &or_plain()).await.unwrap();
        assert_eq!((loaded.status, loaded.model_alias), (ImportStatus::Loaded, ModelAlias::PlainOrder));
        assert!(loaded.broken_model.as_ref().unwrap().contains("cannot be read"), "{loaded}");
        assert!(loaded.to_string().contains("plain order"), "{loaded}");
        assert_eq!(scores_of(&store), [0.03; 4]);
        let info = &store.lists[0].0;
        assert_eq!((info.model_alias, info.model_id.as_deref()), (ModelAlias::PlainOrder, None));
        let again = site.import_as(&mut store, &list(4), &or_plain()).await.unwrap();
        assert_eq!((again.status, again.model_alias), (ImportStatus::Unchanged, ModelAlias::PlainOrder));
        fs::rename(site.path("away"), site.path("model")).unwrap();
        let mended = site.import_as(&mut store, &list(4), &or_plain()).await.unwrap();
        assert_eq!((mended.status, mended.model_alias), (ImportStatus::Loaded, ModelAlias::Champion));
        assert_eq!((mended.broken_model, scores_of(&store)), (None, site.scored(&list(4))));
    }

    #[tokio::test]
    async fn a_model_without_probabilities_is_broken_and_plain_order_loads_every_row() {
        let site = Site::new();
        site.break_scores();
        let mut store = Fake::default();
        let error = site.import(&mut store, &list(4)).await.unwrap_err();
        assert!(matches!(error, ImportError::BrokenModel(_)), "{error}");
        assert!(error.to_string().contains("no probability for 4 of 4 rows") && store.lists.is_empty(), "{error}");
        assert!(site.path("rejects.csv").exists());
        let loaded = site.import_as(&mut store, &list(4), &or_plain()).await.unwrap();
        assert_eq!((loaded.tally.leads, loaded.tally.rejects), (4, 0));
        assert!(!site.path("rejects.csv").exists(), "no row was rejected after all");
    }

    #[tokio::test]
    async fn a_model_that_says_the_same_of_a_hundred_is_broken_and_of_fewer_may_be_right() {
        let alike = |rows: u32| {
            let line = |n: u32| format!("k{n},+999{n:09},40,100,0.5\n");
            format!("{HEADER}\n{}", (0..rows).map(line).collect::<String>())
        };
        let site = Site::new();
        let mut store = Fake::default();
        let error = site.import(&mut store, &alike(100)).await.unwrap_err();
        assert!(error.to_string().contains("the same score to all 100 leads"), "{error}");
        assert!(site.import(&mut store, &alike(99)).await.is_ok());
        let loaded = site.import_as(&mut store, &alike(100), &or_plain()).await.unwrap();
        assert_eq!(loaded.model_alias, ModelAlias::PlainOrder);
    }

    #[tokio::test]
    async fn scores_that_moved_too_far_are_the_models_and_plain_order_does_not_stay_for_that() {
        let site = Site::new();
        let mut store = Fake::default();
        let refuse_if = RefuseIf { score_psi_above: Some(250), ..RefuseIf::default() };
        let map = ListMap { refuse_if, ..or_plain() };
        assert_eq!(site.import_as(&mut store, &list(500), &map).await.unwrap().model_alias, ModelAlias::Champion);
        let line = |n: u32| format!("k{n},+999{n:09},80,{n},1.4\n");
        let old = format!("{HEADER}\n{}", (0..500).map(line).collect::<String>());
        let moved = site.import_as(&mut store, &old, &map).await.unwrap();
        assert_eq!(moved.model_alias, ModelAlias::PlainOrder);
        assert!(moved.broken_model.as_ref().unwrap().contains("the scores have moved by"), "{moved}");
        let back = site.import_as(&mut store, &list(501), &map).await.unwrap();
        assert_eq!((back.model_alias, back.score_psi), (ModelAlias::Champion, None));
    }

    #[tokio::test]
    async fn a_list_that_lacks_a_feature_is_the_lists_mistake_and_never_in_plain_order() {
        let site = Site::new();
        let mut store = Fake::default();
        let lacking = "contact_id,phone_e164,age,balance\nk,+999200000001,1,1\n";
        let error = site.import_as(&mut store, lacking, &or_plain()).await.unwrap_err();
        assert_eq!((error.code(), store.lists.len()), (Code::ListColumns, 0));
    }

    #[test]
    fn a_dry_run_shows_plain_order_and_who_is_called_challenger() {
        let site = Site::new();
        fs::remove_dir_all(site.path("model")).unwrap();
        let options = ImportOptions { read: site.options(), ..ImportOptions::default() };
        let report = dry_run("bill", &or_plain(), &mut site.file(&list(20)), &options, None).unwrap();
        assert_eq!((report.status, report.model_alias), (ImportStatus::DryRun, ModelAlias::PlainOrder));
        let of = |dir: &str| {
            let score = ScoreBy::Model { dir: dir.to_owned(), base_rate: None };
            alias(&ListMap { score, ..map() }, &site.options())
        };
        assert_eq!(of("../models/challenger"), ModelAlias::Challenger);
        assert_eq!((of("../models/champion"), of("models/termdep-2")), (ModelAlias::Champion, ModelAlias::Champion));
        assert_eq!(alias(&fixture::map(), &site.options()), ModelAlias::Champion);
    }
}
