use super::*;
use crate::store::{BatchId, BoxFuture, Write};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use tokio::sync::Semaphore;

/// What the scripted writer does with a batch.
#[derive(Debug, Clone, Copy)]
enum Commit {
    Works,
    RollsBack,
    /// The answer is lost; the flag says whether the batch was stored.
    IsLost(bool),
    /// The answer is lost, and so is that of every look-up.
    IsLostForGood,
}

/// A writer without a database: it commits as scripted, one batch for each permit.
#[derive(Clone)]
struct Scripted {
    script: Commit,
    permits: Arc<Semaphore>,
    batches: Arc<Mutex<Vec<Vec<i64>>>>,
    closed: Arc<AtomicBool>,
}

fn lost() -> StoreError {
    StoreError { doing: "committing a batch", source: sqlx::Error::WorkerCrashed }
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
            let outcomes = batch
                .entries
                .iter()
                .map(|e| if e.write.is_some() { Outcome::UnknownUser } else { Outcome::Done })
                .collect();
            match self.script {
                Commit::Works => Ok(outcomes),
                Commit::RollsBack => Err(CommitError::RolledBack(lost())),
                Commit::IsLost(_) | Commit::IsLostForGood => {
                    Err(CommitError::Ambiguous { outcomes, source: lost() })
                }
            }
        })
    }

    fn was_committed(&mut self, _: BatchId) -> BoxFuture<'_, Result<bool, StoreError>> {
        Box::pin(async move {
            match self.script {
                Commit::IsLost(stored) => Ok(stored),
                _ => Err(lost()),
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
        closed: Arc::default(),
    }
}

fn begin(writer: &Scripted, max_batch: usize, queue: usize) -> (CommitQueue, Committer) {
    start(Box::new(writer.clone()), Limits { max_batch, queue }, CommitMetrics::noop())
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

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_looked_up() {
    for (script, expected) in [
        (Commit::IsLost(true), Ok(Outcome::Done)),
        (Commit::IsLost(false), Err(SubmitError::RolledBack)),
        (Commit::IsLostForGood, Err(SubmitError::Unknown)),
    ] {
        let (queue, _committer) = begin(&scripted(script, 100), 10, 100);
        assert_eq!(queue.submit(entry(1)).await, expected, "{script:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_look_up_restores_each_outcome() {
    let (queue, _committer) = begin(&scripted(Commit::IsLost(true), 100), 10, 100);
    let write = Write::Tweet { author: "nobody".to_owned(), text: String::new(), pub_date: 0 };
    let answer = queue.submit(Entry { latest: None, write: Some(write) }).await;
    assert_eq!(answer, Ok(Outcome::UnknownUser));
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
