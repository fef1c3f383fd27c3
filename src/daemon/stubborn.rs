//! Outcomes and do-not-call entries that cannot be written although the store works: tried alone, then given up.

use crate::base::AttemptId;
use crate::engine::StoreRequest;

/// What failed by itself, and how often while others could be written.
#[derive(Debug, Default)]
pub struct Stubborn {
    waiting: Vec<(StoreRequest, u32)>,
}

impl Stubborn {
    /// A disk that comes back has come back by then; a row that the database refuses is refused for ever.
    const TRIES: u32 = 5;

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Everything, to be tried again: whatever fails comes back by [`Stubborn::failed`].
    pub fn take(&mut self) -> Vec<(StoreRequest, u32)> {
        std::mem::take(&mut self.waiting)
    }

    /// It failed alone. `works`: the store took something else at the same time, so it was not the store's doing.
    /// Returns it once that has happened too often.
    pub fn failed(&mut self, request: StoreRequest, tries: u32, works: bool) -> Option<StoreRequest> {
        let tries = tries + u32::from(works);
        if tries >= Self::TRIES {
            return Some(request);
        }
        self.waiting.push((request, tries));
        None
    }
}

/// For the log: kind and attempt.
pub fn name_of(request: &StoreRequest) -> (&'static str, Option<AttemptId>) {
    match request {
        StoreRequest::Authorise(intent) | StoreRequest::Reroute(intent) => ("authorisation", Some(intent.attempt)),
        StoreRequest::Finish(outcome) => ("outcome", Some(outcome.attempt)),
        StoreRequest::Dnc(request) => ("do-not-call entry", request.attempt),
        StoreRequest::Slot(_) => ("counts of a slot", None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{PhoneId, Wall};
    use crate::engine::{DncRequest, DncSubject};

    fn request() -> StoreRequest {
        StoreRequest::Dnc(DncRequest {
            subject: DncSubject::Phone(PhoneId(1)),
            source: "flow",
            reason: String::new(),
            attempt: None,
            at: Wall(0),
            until: None,
        })
    }

    #[test]
    fn what_fails_alone_is_given_up_after_a_few_tries() {
        let mut stubborn = Stubborn::default();
        assert!(stubborn.failed(request(), 0, true).is_none());
        for _ in 1..Stubborn::TRIES - 1 {
            let (request, tries) = stubborn.take().remove(0);
            assert!(stubborn.failed(request, tries, true).is_none());
        }
        let (request, tries) = stubborn.take().remove(0);
        assert!(stubborn.failed(request, tries, true).is_some() && stubborn.is_empty());
    }

    #[test]
    fn while_nothing_can_be_written_nothing_is_given_up() {
        let mut stubborn = Stubborn::default();
        assert!(stubborn.failed(request(), 0, false).is_none());
        for _ in 0..100 {
            let (request, tries) = stubborn.take().remove(0);
            assert!(stubborn.failed(request, tries, false).is_none());
        }
    }
}
