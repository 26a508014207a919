use super::*;
use crate::store::{BoxFuture, StoreError};
use std::{
    collections::HashSet,
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Semaphore;

/// What the scripted writer does with a batch.
#[derive(Debug, Clone, Copy)]
enum Commit {
    Works,
    RollsBack,
    IsUnknown,
    /// Cannot be reached.
    IsAway,
    /// Is found to be away after as long as one may wait.
    FallsSilent,
    /// One thing after the other, and the last one for ever.
    InTurn(&'static [Commit]),
    /// Works from this instant on; cannot be reached before.
    WorksFrom(Instant),
}

/// A writer without a database: it commits as scripted, one batch for each permit.
#[derive(Clone)]
struct Scripted {
    script: Commit,
    permits: Arc<Semaphore>,
    batches: Arc<Mutex<Vec<Vec<i64>>>>,
    /// The ids under which something was tried.
    tried: Arc<Mutex<Vec<BatchId>>>,
    closed: Arc<AtomicBool>,
}

fn error(source: sqlx::Error) -> StoreError {
    StoreError { doing: "committing a batch", source }
}

impl Writer for Scripted {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            self.permits.acquire().await.unwrap().forget();
            let ids = batch.entries.iter().filter_map(|entry| entry.latest).collect();
            self.batches.lock().unwrap().push(ids);
            self.tried.lock().unwrap().push(batch.id);
            let outcomes = vec![Outcome::Done; batch.entries.len()];
            let refused = || error(sqlx::Error::Io(io::ErrorKind::ConnectionRefused.into()));
            let script = match self.script {
                Commit::InTurn(scripts) => {
                    let turn = self.tried.lock().unwrap().len().min(scripts.len()) - 1;
                    scripts[turn]
                }
                script => script,
            };
            match script {
                Commit::FallsSilent => {
                    tokio::time::sleep(RETRY_FOR).await;
                    Err(CommitError::Unknown(refused()))
                }
                Commit::IsAway => Err(CommitError::RolledBack(refused())),
                Commit::RollsBack => {
                    Err(CommitError::RolledBack(error(sqlx::Error::WorkerCrashed)))
                }
                Commit::IsUnknown => Err(CommitError::Unknown(error(sqlx::Error::WorkerCrashed))),
                Commit::WorksFrom(instant) if Instant::now() < instant => {
                    Err(CommitError::RolledBack(refused()))
                }
                Commit::Works | Commit::WorksFrom(_) | Commit::InTurn(_) => Ok(outcomes),
            }
        })
    }

    fn close(self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move { self.closed.store(true, Ordering::SeqCst) })
    }
}

fn scripted(script: Commit, permits: usize) -> Scripted {
    Scripted {
        script,
        permits: Arc::new(Semaphore::new(permits)),
        batches: Arc::default(),
        tried: Arc::default(),
        closed: Arc::default(),
    }
}

const RETRY_FOR: Duration = Duration::from_secs(10);

fn begin(writer: &Scripted, max_batch: usize, queue: usize) -> (CommitQueue, Committer) {
    let limits = Limits { max_batch, queue, retry_for: RETRY_FOR };
    start(Box::new(writer.clone()), limits, CommitMetrics::noop())
}

fn entry(id: i64) -> Entry {
    Entry { latest: Some(id), write: None }
}

/// Submits ids 0 to `n` at the same time; each submission is in the queue when this returns.
async fn submit_all(queue: &CommitQueue, n: i64) -> Vec<JoinHandle<Answer>> {
    let mut answers = Vec::new();
    for id in 0..n {
        let queue = queue.clone();
        answers.push(tokio::spawn(async move { queue.submit(entry(id)).await }));
        tokio::task::yield_now().await;
    }
    answers
}

#[tokio::test]
async fn who_waits_shares_the_next_batch_in_order() {
    let writer = scripted(Commit::Works, 0);
    let (queue, committer) = begin(&writer, 3, 100);
    let answers = submit_all(&queue, 8).await;
    writer.permits.add_permits(100);
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Ok(Outcome::Done));
    }
    committer.close().await;
    let batches = writer.batches.lock().unwrap().clone();
    assert_eq!(batches, [vec![0], vec![1, 2, 3], vec![4, 5, 6], vec![7]]);
}

#[tokio::test]
async fn a_maximum_of_one_commits_each_request_alone() {
    let writer = scripted(Commit::Works, 0);
    let (queue, committer) = begin(&writer, 1, 100);
    let answers = submit_all(&queue, 3).await;
    writer.permits.add_permits(3);
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    committer.close().await;
    assert_eq!(*writer.batches.lock().unwrap(), [vec![0], vec![1], vec![2]]);
}

#[tokio::test]
async fn nobody_is_answered_before_the_commit() {
    let writer = scripted(Commit::Works, 0);
    let (queue, _committer) = begin(&writer, 10, 100);
    let answers = submit_all(&queue, 2).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(answers.iter().all(|answer| !answer.is_finished()));
    writer.permits.add_permits(1);
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    // The first went alone; the second waits for a commit of its own.
    assert!(answers[0].is_finished());
    assert!(!answers[1].is_finished());
}

#[tokio::test]
async fn a_batch_that_is_rolled_back_acknowledges_nobody() {
    let writer = scripted(Commit::RollsBack, 100);
    let (queue, _committer) = begin(&writer, 10, 100);
    for answer in submit_all(&queue, 20).await {
        assert_eq!(answer.await.unwrap(), Err(SubmitError::RolledBack));
    }
}

#[tokio::test]
async fn what_is_not_known_is_told_as_that() {
    let writer = scripted(Commit::IsUnknown, 100);
    let (queue, _committer) = begin(&writer, 10, 100);
    assert_eq!(queue.submit(entry(1)).await, Err(SubmitError::Unknown));
    assert_eq!(writer.tried.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_database_that_is_back_in_time_costs_latency_alone() {
    let begun = Instant::now();
    let writer = scripted(Commit::WorksFrom(begun + Duration::from_secs(8)), 100);
    let (queue, committer) = begin(&writer, 10, 100);
    for answer in submit_all(&queue, 3).await {
        assert_eq!(answer.await.unwrap(), Ok(Outcome::Done));
    }
    assert!(begun.elapsed() < Duration::from_millis(8_501), "{:?}", begun.elapsed());
    committer.close().await;
    // The first went alone and was tried again and again, each time under another id.
    let tried = writer.tried.lock().unwrap().clone();
    assert_eq!(tried.iter().map(|id| id.0).collect::<HashSet<_>>().len(), tried.len());
    assert!((10..40).contains(&tried.len()), "{}", tried.len());
    assert_eq!(writer.batches.lock().unwrap().last(), Some(&vec![1, 2]));
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_holds_nobody_longer_than_the_bound() {
    let begun = Instant::now();
    let writer = scripted(Commit::WorksFrom(begun + Duration::from_secs(60)), usize::MAX >> 4);
    let (queue, _committer) = begin(&writer, 1, 100);
    for answer in submit_all(&queue, 3).await {
        assert_eq!(answer.await.unwrap(), Err(SubmitError::Unreachable));
        assert_eq!(begun.elapsed(), RETRY_FOR);
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    let asked = Instant::now();
    assert_eq!(queue.submit(entry(4)).await, Err(SubmitError::Unreachable));
    assert_eq!(asked.elapsed(), Duration::ZERO);
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(queue.submit(entry(5)).await, Ok(Outcome::Done));
}

#[tokio::test(start_paused = true)]
async fn one_outage_is_waited_for_once_and_the_next_one_again() {
    const STORY: [Commit; 4] =
        [Commit::FallsSilent, Commit::IsAway, Commit::RollsBack, Commit::IsAway];
    let writer = scripted(Commit::InTurn(&STORY), usize::MAX >> 4);
    let (queue, _committer) = begin(&writer, 1, 100);
    for (id, expected, waited) in [
        (1, SubmitError::Unknown, RETRY_FOR),
        (2, SubmitError::Unreachable, Duration::ZERO),
        (3, SubmitError::RolledBack, Duration::ZERO),
        (4, SubmitError::Unreachable, RETRY_FOR),
    ] {
        let asked = Instant::now();
        assert_eq!(queue.submit(entry(id)).await, Err(expected));
        assert_eq!(asked.elapsed(), waited, "{id}");
    }
}

#[tokio::test]
async fn what_no_database_could_store_is_refused_by_itself() {
    let writer = scripted(Commit::Works, 100);
    let (queue, _committer) = begin(&writer, 10, 100);
    let tweet = |text: &str| Entry {
        latest: None,
        write: Some(Write::Tweet { author: "a".to_owned(), text: text.to_owned(), pub_date: 0 }),
    };
    let register = |length| Entry {
        latest: None,
        write: Some(Write::Register {
            username: "n".repeat(length),
            email: String::new(),
            password_hash: String::new(),
        }),
    };
    let refused = |why| Err(SubmitError::Unstorable(why));
    assert_eq!(queue.submit(tweet("a\0b")).await, refused(Unstorable::Nul));
    assert_eq!(queue.submit(register(1025)).await, refused(Unstorable::LongName));
    assert_eq!(queue.submit(register(1024)).await, Ok(Outcome::Done));
    assert_eq!(writer.tried.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let writer = scripted(Commit::Works, 0);
    let (queue, committer) = begin(&writer, 1, 2);
    // One is being committed, two wait.
    let answers = submit_all(&queue, 3).await;
    assert_eq!(queue.submit(entry(3)).await, Err(SubmitError::Overloaded));
    writer.permits.add_permits(100);
    for answer in answers {
        answer.await.unwrap().unwrap();
    }
    assert_eq!(queue.submit(entry(4)).await, Ok(Outcome::Done));
    committer.close().await;
    assert_eq!(*writer.batches.lock().unwrap(), [vec![0], vec![1], vec![2], vec![4]]);
}

#[tokio::test]
async fn closing_commits_what_waits_and_refuses_the_rest() {
    let writer = scripted(Commit::Works, 0);
    let (queue, committer) = begin(&writer, 2, 100);
    let answers = submit_all(&queue, 5).await;
    let closing = tokio::spawn(committer.close());
    tokio::task::yield_now().await;
    writer.permits.add_permits(100);
    closing.await.unwrap();
    for answer in answers {
        assert_eq!(answer.await.unwrap(), Ok(Outcome::Done));
    }
    assert!(writer.closed.load(Ordering::SeqCst));
    assert_eq!(queue.submit(entry(9)).await, Err(SubmitError::Closed));
}

#[tokio::test]
async fn a_client_that_goes_away_does_not_take_its_write_back() {
    let writer = scripted(Commit::Works, 0);
    let (queue, committer) = begin(&writer, 10, 100);
    let answers = submit_all(&queue, 2).await;
    for answer in &answers {
        answer.abort();
    }
    writer.permits.add_permits(100);
    committer.close().await;
    assert_eq!(*writer.batches.lock().unwrap(), [vec![0], vec![1]]);
}
