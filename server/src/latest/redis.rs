//! `latest` in Redis, which all replicas share.
//!
//! Every `SET` lies between its command's arrival and its answer, and Redis carries them out in one
//! order, whichever replicas sent them: so `latest` is linearizable, though that order need not be
//! the order of the commits. All of it holds only as long as Redis keeps what it acknowledged, which
//! it does across a restart with `appendonly yes` and `appendfsync always`, and across a failover
//! never for certain.
//!
//! A Redis that does not answer costs each request at most [`PATIENCE`] to connect and as much to be
//! answered. Reads are 503 then. The writes whose `SET` had no answer are 500, since they are stored
//! and may or may not be named; from then on writes wait for Redis as they do for a database that
//! cannot be reached, and are 503 when that takes too long.

use super::{apart::Keeper, setting::RedisUrl};
use crate::store::{BoxFuture, StoreError};
use redis::{
    Client, FromRedisValue, RedisError as Failure,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use std::{io, time::Duration};

/// How long Redis may take to accept a connection, and to answer a command.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// A Redis that did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
#[error("--latest redis://...: {doing}: {source}")]
pub struct RedisError {
    /// What was being done.
    pub doing: &'static str,
    /// What Redis said, or the operating system.
    pub source: Failure,
}

/// A connection that is made again when it breaks; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Redis {
    connection: ConnectionManager,
    key: String,
    /// The last `SET` failed: what comes next is not stored before Redis has answered.
    is_suspect: bool,
}

impl Redis {
    /// Connects, and finds out whether there is a number, or nothing, under the key.
    pub(super) async fn connect(url: &RedisUrl) -> Result<Self, RedisError> {
        let failed = |source| RedisError { doing: "connecting", source };
        // Who waits for the next try is a request: it is told at once.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let client = Client::open(url.server.as_str()).map_err(failed)?;
        let connection =
            ConnectionManager::new_with_config(client, config).await.map_err(failed)?;
        let redis = Self { connection, key: url.key.clone(), is_suspect: false };
        redis.get().await?;
        Ok(redis)
    }

    /// What the key holds; -1 where there is no such key.
    pub(super) async fn get(&self) -> Result<i64, RedisError> {
        let found: Option<i64> =
            self.ask("reading latest", redis::cmd("GET").arg(&self.key)).await?;
        Ok(found.unwrap_or(-1))
    }

    async fn ask<T: FromRedisValue>(
        &self,
        doing: &'static str,
        command: &redis::Cmd,
    ) -> Result<T, RedisError> {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.map_err(|source| RedisError { doing, source })
    }
}

impl Keeper for Redis {
    fn ready(&mut self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async {
            if self.is_suspect {
                self.get().await?;
                self.is_suspect = false;
            }
            Ok(())
        })
    }

    fn keep(&mut self, id: i64) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let kept: Result<(), _> =
                self.ask("writing latest", redis::cmd("SET").arg(&self.key).arg(id)).await;
            self.is_suspect = kept.is_err();
            Ok(kept?)
        })
    }
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        Self { doing: error.doing, source: io::Error::other(error.source).into() }
    }
}
