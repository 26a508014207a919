//! Connections that are fit for use: bounded in time, durable, on a server that takes writes.

use sqlx::{
    Connection, PgConnection,
    postgres::{PgConnectOptions, PgDatabaseError, PgSeverity},
};
use std::{io, time::Duration};

/// How long a server may take to let somebody in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer than the statement timeout an answer is waited for: a server that is there has
/// given the statement up by then.
const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// Makes connections.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    options: PgConnectOptions,
    statement_timeout: Duration,
}

impl Connector {
    pub(super) fn new(options: PgConnectOptions, statement_timeout: Duration) -> Self {
        let options = match options.get_application_name() {
            Some(_) => options,
            None => options.application_name("limosa"),
        };
        Self { options, statement_timeout }
    }

    /// A connection with the settings of the server and the role.
    pub(super) async fn connect_plainly(&self) -> Result<PgConnection, sqlx::Error> {
        within(CONNECT_TIMEOUT, PgConnection::connect_with(&self.options)).await
    }

    /// A connection whose settings make good what the store promises, to a server that takes writes.
    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.connect_plainly().await?;
        let settings = sqlx::query_as(
            "SELECT current_setting('transaction_read_only')::bool,
                    set_config('statement_timeout', $1, FALSE),
                    set_config('default_transaction_isolation', 'read committed', FALSE),
                    set_config('synchronous_commit',
                        CASE current_setting('synchronous_commit')
                            WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, FALSE)",
        )
        .bind(self.statement_timeout.as_millis().to_string())
        .fetch_one(&mut connection);
        let (is_read_only, _, _, _): (bool, String, String, String) =
            within(CONNECT_TIMEOUT, settings).await?;
        if is_read_only {
            // Until an operator, or a failover, has brought the primary back.
            return Err(sqlx::Error::Io(io::Error::other("the server takes no writes")));
        }
        Ok(connection)
    }

    /// What the server answers, or an error where it does not in time. The connection is not to be
    /// used again then.
    pub(super) async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        within(self.statement_timeout + ANSWER_GRACE, work).await
    }
}

async fn within<T>(
    bound: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(bound, work).await.unwrap_or_else(|_late| {
        Err(sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {} s", bound.as_secs_f64()),
        )))
    })
}

/// Whether the server itself refused the statement, in a session that goes on: it was rolled back.
/// Of what ends a session (FATAL, PANIC) that is not certain.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    error
        .as_database_error()
        .and_then(|error| error.try_downcast_ref::<PgDatabaseError>())
        .is_some_and(|error| error.severity() == PgSeverity::Error)
}
