//! Places for connections: a bounded number of them. Where all are taken, the client that has been
//! idle for longest gives its own up to the newcomer, so that idle connections starve nobody.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// A client that asks again within this time is busy, and keeps its place.
pub(super) const IDLE: Duration = Duration::from_secs(1);

/// Marks a connection on which a request is being answered.
const BUSY: u64 = u64::MAX;

/// All places of a server.
#[derive(Debug)]
pub(super) struct Places {
    limit: usize,
    start: Instant,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    states: HashMap<u64, Arc<State>>,
}

/// One connection's place; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    state: Arc<State>,
    places: Arc<Places>,
}

#[derive(Debug)]
struct State {
    /// Nanoseconds from the start of the server until the last request was answered, or [`BUSY`].
    idle_since: AtomicU64,
    given_up: Notify,
}

/// A request is being answered while this lives.
#[derive(Debug)]
pub(super) struct Busy {
    state: Arc<State>,
    start: Instant,
}

impl Places {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, start: Instant::now(), taken: Mutex::default() })
    }

    /// A place, if need be that of the client that has been idle for longest; none where all are
    /// busy. The second says whether another had to give its own up.
    pub(super) fn take(self: &Arc<Self>) -> Option<(Place, bool)> {
        let now = nanoseconds(self.start.elapsed());
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = taken.states.len() >= self.limit;
        if full {
            let idle = |state: &State| state.idle_since.load(Ordering::Relaxed);
            let (&number, since) = taken
                .states
                .iter()
                .map(|(number, state)| (number, idle(state)))
                .min_by_key(|&(_, since)| since)?;
            if since.saturating_add(nanoseconds(IDLE)) > now {
                return None;
            }
            taken.states.remove(&number)?.given_up.notify_one();
        }
        let number = taken.next;
        taken.next += 1;
        let state = Arc::new(State { idle_since: now.into(), given_up: Notify::new() });
        taken.states.insert(number, Arc::clone(&state));
        Some((Place { number, state, places: Arc::clone(self) }, full))
    }
}

impl Place {
    /// Tells that a request is being answered, until what is returned is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.state.idle_since.store(BUSY, Ordering::Relaxed);
        Busy { state: Arc::clone(&self.state), start: self.places.start }
    }

    /// Whether nothing has been asked here for a while.
    pub(super) fn is_idle(&self) -> bool {
        let since = self.state.idle_since.load(Ordering::Relaxed);
        since.saturating_add(nanoseconds(IDLE)) <= nanoseconds(self.places.start.elapsed())
    }

    /// Ready once the place belongs to another.
    pub(super) async fn given_up(&self) {
        self.state.given_up.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.states.remove(&self.number);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.state.idle_since.store(nanoseconds(self.start.elapsed()), Ordering::Relaxed);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(BUSY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle_for(places: &Arc<Places>, place: &Place, time: Duration) {
        let since = places.start.elapsed().saturating_sub(time);
        place.state.idle_since.store(nanoseconds(since), Ordering::Relaxed);
    }

    /// A server that has been up for an hour.
    fn places(limit: usize) -> Arc<Places> {
        let start = Instant::now().checked_sub(Duration::from_secs(3600)).unwrap();
        Arc::new(Places { limit, start, taken: Mutex::default() })
    }

    #[test]
    fn a_place_that_is_left_can_be_taken_again() {
        let places = places(2);
        let first = places.take().unwrap();
        let _second = places.take().unwrap();
        assert!(places.take().is_none(), "both have just come");
        drop(first);
        assert!(!places.take().unwrap().1, "nobody had to go");
    }

    #[tokio::test]
    async fn who_has_been_idle_for_longest_gives_way_and_who_is_busy_never() {
        let places = places(3);
        let [busy, short, long] = [(); 3].map(|()| places.take().unwrap().0);
        idle_for(&places, &busy, IDLE * 9);
        idle_for(&places, &short, IDLE * 2);
        idle_for(&places, &long, IDLE * 3);
        let answering = busy.busy();
        let (fourth, full) = places.take().unwrap();
        assert!(full);
        long.given_up().await;
        let (_fifth, _) = places.take().unwrap();
        short.given_up().await;
        assert!(places.take().is_none());
        // Those that gave their places up take nobody else's along.
        drop((long, short));
        assert!(places.take().is_none());
        drop(answering);
        assert!(!busy.is_idle(), "it asked a moment ago");
        idle_for(&places, &fourth, IDLE);
        assert!(fourth.is_idle());
    }
}
