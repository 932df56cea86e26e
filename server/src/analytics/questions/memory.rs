//! Last good answers, for when there is none: in the memory of each process, because what fails may be the database.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many are kept at most.
const KEPT: usize = 512;

struct Kept {
    answer: Arc<dyn Any + Send + Sync>,
    used: u64,
}

/// Answers by what was asked, and by whom as far as that changes the answer.
#[derive(Default)]
pub struct Memory(Mutex<(HashMap<String, Kept>, u64)>);

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory")
    }
}

impl Memory {
    pub(super) fn keep<T: Any + Send + Sync>(&self, key: String, answer: T) {
        let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (kept, turn) = &mut *memory;
        *turn += 1;
        if kept.len() >= KEPT && !kept.contains_key(&key) {
            // The one that nobody has asked for the longest.
            let oldest = kept.iter().min_by_key(|(_, it)| it.used).map(|(key, _)| key.clone());
            oldest.map(|key| kept.remove(&key));
        }
        kept.insert(key, Kept { answer: Arc::new(answer), used: *turn });
    }

    pub(super) fn last<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&memory.0.get(key)?.answer).downcast().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first() {
        let memory = Memory::default();
        (0..=KEPT).for_each(|number| memory.keep(number.to_string(), number));
        assert_eq!(memory.last::<usize>("0"), None);
        assert_eq!(memory.last::<usize>("1").as_deref(), Some(&1));
        memory.keep("1".to_owned(), 7_usize);
        memory.keep("another".to_owned(), 8_usize);
        assert_eq!(memory.last::<usize>("1").as_deref(), Some(&7));
        assert_eq!(memory.last::<usize>("2"), None);
        assert_eq!(memory.last::<i8>("3"), None);
    }
}
