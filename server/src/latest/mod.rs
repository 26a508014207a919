//! Where `latest` lives, and what each place can promise.
//!
//! | `--latest` | is written | promises | does not promise |
//! |---|---|---|---|
//! | `database` | in the transaction of the write | linearizable over all replicas, never ahead of the data, never behind it | |
//! | `redis://...` | after the commit, before the answer | linearizable over all replicas while Redis keeps what it acknowledged; never ahead of the data | to be there after Redis forgot; to name a command that was stored and not answered |
//! | `memory` | after the commit, before the answer | right on one server that is never restarted | anything between replicas, or after a restart |
//!
//! Both that are not in the database are written in the same order, by `apart`: first the commit,
//! then `latest`, then the answer. The other way around, a server that dies in between leaves a
//! `latest` that names a command whose effect is not there, and whoever goes on after it loses that
//! command for good; in this order it leaves a command that is there and not named, whose client
//! has no answer and may send it again.
//!
//! `shared` reads the database for all who ask at the same time, `redis` speaks to Redis, `setting`
//! reads the flag. `past` and a count in memory serve planted faults alone.

mod apart;
mod memory;
mod past;
mod redis;
mod setting;
mod shared;

pub(crate) use apart::without_latest;
pub(crate) use past::Past;
pub use redis::RedisError;
pub use setting::{LatestStore, LatestStoreError, RedisUrl};

use crate::{
    error::ApiError,
    store::{Store, StoreError, Writer},
};
use apart::Apart;
use axum::http::StatusCode;
use memory::Memory;
use redis::Redis;
use shared::SharedRead;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

/// A source of `latest`.
#[derive(Debug, Clone)]
pub(crate) enum Latest {
    /// The database, in which it was committed together with the write.
    Database(Arc<SharedRead>),
    /// Redis.
    Redis(Redis),
    /// The memory of this process.
    Memory(Arc<AtomicI64>),
    /// What was true some time ago.
    Past(Arc<Past>),
}

/// A `latest` that could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Redis.
    #[error(transparent)]
    Redis(#[from] RedisError),
}

impl Latest {
    /// Its value; -1 before any command.
    pub(crate) async fn read(&self, store: &dyn Store) -> Result<i64, ReadError> {
        match self {
            Self::Database(shared) => Ok(shared.share(|| store.latest()).await?),
            Self::Redis(redis) => Ok(redis.get().await?),
            Self::Memory(value) => Ok(value.load(Ordering::SeqCst)),
            Self::Past(past) => Ok(past.read(Instant::now())),
        }
    }
}

impl From<ReadError> for ApiError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Store(error) => error.into(),
            ReadError::Redis(error) => {
                tracing::error!(%error, "latest could not be read");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "latest could not be read")
            }
        }
    }
}

/// Puts `latest` where the setting says: the writer that sees to it, and the source to read from.
pub(crate) async fn place(
    setting: &LatestStore,
    writer: Box<dyn Writer>,
) -> Result<(Box<dyn Writer>, Latest), RedisError> {
    Ok(match setting {
        LatestStore::Database => (writer, Latest::Database(Arc::default())),
        LatestStore::Memory => {
            let value = Arc::new(AtomicI64::new(-1));
            let memory = Memory(Arc::clone(&value));
            (Box::new(Apart::new(writer, memory)), Latest::Memory(value))
        }
        LatestStore::Redis(url) => {
            let redis = Redis::connect(url).await?;
            (Box::new(Apart::new(writer, redis.clone())), Latest::Redis(redis))
        }
    })
}
