//! A time limit for one exchange after another.

use super::ExchangeError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep_until};

/// Limits each exchange of a connection.
///
/// To enter a timer and to take it out again costs the runtime more than all else that an exchange
/// asks of it, and nearly every exchange ends long before its limit. So a connection has one timer,
/// which stays set for the limit of an earlier exchange: it rings early then, and only at that is it
/// set to what is left of the exchange under way. It never rings late.
#[derive(Debug, Default)]
pub(super) struct Deadline {
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    /// Gives up after `limit`, counted from now.
    pub(super) async fn within<T>(
        &mut self,
        limit: Duration,
        work: impl Future<Output = Result<T, ExchangeError>>,
    ) -> Result<T, ExchangeError> {
        let until = Instant::now() + limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        let mut work = pin!(work);
        poll_fn(|context| {
            if let Poll::Ready(done) = work.as_mut().poll(context) {
                return Poll::Ready(done);
            }
            while timer.as_mut().poll(context).is_ready() {
                if timer.deadline() >= until {
                    return Poll::Ready(Err(ExchangeError::Timeout));
                }
                timer.as_mut().reset(until);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use tokio::time::sleep;

    const SHORT: Duration = Duration::from_millis(30);
    const LONG: Duration = Duration::from_secs(600);

    async fn half_of_it() -> Result<(), ExchangeError> {
        sleep(SHORT / 2).await;
        Ok(())
    }

    async fn gives_up(deadline: &mut Deadline, limit: Duration) -> Duration {
        let begun = Instant::now();
        let given_up = deadline.within(limit, pending::<Result<(), _>>()).await;
        assert!(matches!(given_up, Err(ExchangeError::Timeout)), "{given_up:?}");
        begun.elapsed()
    }

    #[tokio::test]
    async fn an_exchange_has_its_whole_limit_whatever_the_one_before_took() {
        let mut deadline = Deadline::default();
        deadline.within(SHORT, half_of_it()).await.unwrap();
        assert!(gives_up(&mut deadline, SHORT).await >= SHORT, "the timer of the first one rang");
        assert!(gives_up(&mut deadline, SHORT).await >= SHORT, "the timer had rung before");
        sleep(SHORT).await;
        assert!(gives_up(&mut deadline, SHORT).await >= SHORT, "it rang while nothing was sent");
    }

    #[tokio::test]
    async fn a_shorter_limit_counts_at_once() {
        let mut deadline = Deadline::default();
        deadline.within(LONG, half_of_it()).await.unwrap();
        assert!(gives_up(&mut deadline, SHORT).await < LONG / 2);
    }

    #[tokio::test]
    async fn what_is_done_at_once_needs_no_timer() {
        let done = Deadline::default().within(Duration::ZERO, ready(Ok(7))).await;
        assert_eq!(done.unwrap(), 7);
    }
}
