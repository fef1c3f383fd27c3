//! Blind indexes of a load: found in memory while they are few, written in sorted runs when they are many.
//!
//! Tokens are random. One by one they would touch a page of the index each, and the index of a million is larger than the
//! cache; a sorted run touches each page once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, LazyLock};

use sqlx::sqlite::SqliteConnection;

use crate::store::StoreError;
use crate::store::keys::Token;

use super::sql::{self, Binds};
use super::{breathe, dnc, pack, writing};

/// What the load made, of one kind.
pub(super) struct Tokens {
    texts: &'static Texts,
    /// Others were there before the load.
    older: bool,
    fresh: HashMap<Token, u32, BuildHasherDefault<Head>>,
    written: Filter,
}

/// Entries in memory, some 25 bytes each. Tests are short, and are to come past here too.
const FRESH_MAX: usize = if cfg!(test) { 6 } else { 900_000 };
/// Entries in one transaction: each may touch a page of its own.
const STEP: usize = 2_048;
const TOKEN: usize = 16;

struct Texts {
    find: Arc<str>,
    insert: Arc<str>,
}

static CONTACTS: LazyLock<Texts> = LazyLock::new(|| Texts::of("contact_token"));
static PHONES: LazyLock<Texts> = LazyLock::new(|| Texts::of("phone_token"));

impl Texts {
    fn of(table: &str) -> Self {
        let token = pack::fixed(1, TOKEN);
        let find = format!("FROM nth CROSS JOIN {table} x ON x.token = {token} WHERE i < ?2");
        let insert = format!("INSERT INTO {table}(token, id) SELECT {token}, {} FROM nth WHERE i < ?5", pack::int(2));
        Self { find: Arc::from(sql::pack(&["i", "x.id"], &find)), insert: Arc::from(insert) }
    }
}

impl Tokens {
    pub(super) fn contacts(older: bool) -> Self {
        Self { texts: &CONTACTS, older, fresh: HashMap::default(), written: Filter::default() }
    }

    pub(super) fn phones(older: bool) -> Self {
        Self { texts: &PHONES, older, fresh: HashMap::default(), written: Filter::default() }
    }

    /// The id of each token that is known.
    pub(super) async fn find(
        &self,
        conn: &mut SqliteConnection,
        tokens: &[Token],
    ) -> Result<Vec<Option<u32>>, StoreError> {
        let mut out: Vec<Option<u32>> = tokens.iter().map(|token| self.fresh(*token)).collect();
        let ask = |(at, token): (usize, &Token)| {
            let unknown = out.get(at).is_some_and(Option::is_none);
            (unknown && (self.older || self.written.may_have(*token))).then_some((at, *token))
        };
        let asked: Vec<(usize, Token)> = tokens.iter().enumerate().filter_map(ask).collect();
        for part in asked.chunks(pack::ROWS) {
            let mut binds = Binds::default();
            binds.bytes(part.iter().flat_map(|(_, token)| token.0).collect()).int(part.len() as i64);
            let [packed] = sql::texts(conn, &self.texts.find, binds).await?;
            for mut cells in sql::records(&packed) {
                let (nth, id) = (cells.small::<u32>()?, cells.small()?);
                let at = part.get(nth as usize).map(|(at, _)| *at);
                if let Some(place) = at.and_then(|at| out.get_mut(at)) {
                    *place = Some(id);
                }
            }
        }
        Ok(out)
    }

    pub(super) fn fresh(&self, token: Token) -> Option<u32> {
        self.fresh.get(&token).copied()
    }

    pub(super) fn note(&mut self, token: Token, id: u32) {
        self.fresh.insert(token, id);
    }

    pub(super) fn is_full(&self) -> bool {
        self.fresh.len() >= FRESH_MAX
    }

    /// In short transactions. What is on the do-not-call list becomes news for those who read changes. `more`: other rows
    /// will ask for what was written.
    pub(super) async fn write(&mut self, conn: &mut SqliteConnection, more: bool) -> Result<(), StoreError> {
        let mut run: Vec<(Token, u32)> = std::mem::take(&mut self.fresh).into_iter().collect();
        run.sort_unstable();
        for step in run.chunks(STEP) {
            let tokens: Vec<Token> = step.iter().map(|(token, _)| *token).collect();
            let mut ids = pack::Ints::default();
            for (_, id) in step {
                ids.push(*id);
            }
            let mut binds = Binds::default();
            binds.bytes(tokens.iter().flat_map(|token| token.0).collect());
            ids.bind(&mut binds);
            binds.int(step.len() as i64);
            let mut tx = writing(conn).await?;
            sql::run_text(&mut tx, &self.texts.insert, binds).await?;
            dnc::surface_all(&mut tx, &tokens).await?;
            tx.commit().await?;
            breathe().await;
            if more {
                for token in &tokens {
                    self.written.add(*token);
                }
            }
        }
        Ok(())
    }
}

/// Tokens are as good as random: their first bytes are hash enough.
#[derive(Default)]
struct Head(u64);

impl Hasher for Head {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.first_chunk().map_or(0, |head| u64::from_le_bytes(*head));
    }

    /// An array tells its length first.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A blocked Bloom filter of fixed size: four bits of one cache line each. With ten million tokens one question in two
/// hundred is asked in vain.
#[derive(Default)]
struct Filter(Vec<u64>);

impl Filter {
    /// Of eight words.
    const BLOCKS: usize = 1 << 18;

    fn add(&mut self, token: Token) {
        if self.0.is_empty() {
            self.0 = vec![0; Self::BLOCKS * 8];
        }
        for (word, bit) in Self::places(token) {
            if let Some(word) = self.0.get_mut(word) {
                *word |= bit;
            }
        }
    }

    fn may_have(&self, token: Token) -> bool {
        Self::places(token).into_iter().all(|(word, bit)| self.0.get(word).is_some_and(|word| word & bit != 0))
    }

    fn places(Token(bytes): Token) -> [(usize, u64); 4] {
        let whole = u128::from_le_bytes(bytes);
        let block = (whole as usize % Self::BLOCKS) * 8;
        [64, 73, 82, 91].map(|shift| {
            let at = (whole >> shift) as usize % 512;
            (block + at / 64, 1 << (at % 64))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(rng: &mut crate::base::Rng) -> Token {
        Token(std::array::from_fn(|_| rng.below(256) as u8))
    }

    #[test]
    fn the_filter_forgets_nothing_and_seldom_errs() {
        let mut rng = crate::base::Rng::seeded(3);
        let known: Vec<Token> = (0..100_000).map(|_| token(&mut rng)).collect();
        let mut filter = Filter::default();
        assert!(!filter.may_have(known[0]), "an empty one has nothing");
        for token in &known {
            filter.add(*token);
        }
        assert!(known.iter().all(|token| filter.may_have(*token)));
        let wrong = (0..10_000).filter(|_| filter.may_have(token(&mut rng))).count();
        assert!(wrong < 10, "{wrong}");
    }
}
