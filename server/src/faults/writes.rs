//! The faults that pick single writes: lose, duplicate, alter, ghost, drop-follow, swap.

use super::spec::{Fault, Pick};
use crate::store::{
    Batch, BatchId, BoxFuture, CommitError, Entry, Outcome, Store, StoreError, Write, Writer,
};
use std::sync::Arc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lose,
    Duplicate,
    Alter,
    Ghost,
    DropFollow,
    Swap,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Lose => "lose",
            Self::Duplicate => "duplicate",
            Self::Alter => "alter",
            Self::Ghost => "ghost",
            Self::DropFollow => "drop-follow",
            Self::Swap => "swap",
        }
    }

    fn concerns(self, write: &Write) -> bool {
        match self {
            Self::Lose => true,
            Self::Duplicate | Self::Alter | Self::Swap => matches!(write, Write::Tweet { .. }),
            Self::Ghost => matches!(write, Write::Tweet { .. } | Write::Follow { .. }),
            Self::DropFollow => matches!(write, Write::Follow { .. }),
        }
    }
}

/// One planted fault and how many writes of its kind have been due for acknowledgement so far.
#[derive(Debug)]
struct Planted {
    kind: Kind,
    pick: Pick,
    due: u64,
}

/// The planted faults that pick single writes, in the order in which they were planted.
#[derive(Debug)]
pub(super) struct Picked(Vec<Planted>);

impl Picked {
    pub(super) fn of(faults: &[Fault]) -> Self {
        let picked = faults.iter().filter_map(|fault| {
            let (kind, pick) = match *fault {
                Fault::Lose(pick) => (Kind::Lose, pick),
                Fault::Duplicate(pick) => (Kind::Duplicate, pick),
                Fault::Alter(pick) => (Kind::Alter, pick),
                Fault::Ghost(pick) => (Kind::Ghost, pick),
                Fault::DropFollow(pick) => (Kind::DropFollow, pick),
                Fault::Swap(pick) => (Kind::Swap, pick),
                _ => return None,
            };
            Some(Planted { kind, pick, due: 0 })
        });
        Self(picked.collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fault that a write which is due for acknowledgement meets; counts it.
    fn hit(&mut self, write: &Write, id: Option<i64>) -> Option<Kind> {
        let mut hit = None;
        for planted in self.0.iter_mut().filter(|planted| planted.kind.concerns(write)) {
            planted.due += 1;
            let hits = match planted.pick {
                Pick::Every(k) => planted.due.is_multiple_of(k.get()),
                Pick::Id(picked) => id == Some(picked),
            };
            if hits && hit.is_none() {
                hit = Some(planted.kind);
            }
        }
        hit
    }
}

/// A tweet that was acknowledged and waits for its author's next one.
#[derive(Debug)]
struct Held {
    id: Option<i64>,
    write: Write,
}

/// The decorator. It is the only writer and its batches hold one entry, so what it reads before a
/// commit is still true in it.
pub(super) struct FaultyWriter {
    inner: Box<dyn Writer>,
    store: Arc<dyn Store>,
    picked: Picked,
    held: Vec<Held>,
}

impl FaultyWriter {
    pub(super) fn new(inner: Box<dyn Writer>, store: Arc<dyn Store>, picked: Picked) -> Self {
        Self { inner, store, picked, held: Vec::new() }
    }

    async fn commit_entry(
        &mut self,
        batch: BatchId,
        entry: &Entry,
        write: &Write,
    ) -> Result<Outcome, CommitError> {
        let sound = judge(self.store.as_ref(), write).await.map_err(CommitError::RolledBack)?;
        if sound != Outcome::Done {
            return self.commit_as(batch, vec![entry.clone()]).await;
        }
        let hit = self.picked.hit(write, entry.latest);
        let without = Entry { latest: entry.latest, write: None };
        if let Some(entries) = self.release(entry, write) {
            return self.commit_as(batch, entries).await;
        }
        let Some(kind) = hit else {
            return self.commit_as(batch, vec![entry.clone()]).await;
        };
        let entries = match kind {
            Kind::Lose | Kind::DropFollow | Kind::Swap => vec![without],
            Kind::Duplicate => vec![entry.clone(), entry.clone()],
            Kind::Alter => vec![Entry { latest: entry.latest, write: Some(altered(write)) }],
            Kind::Ghost => vec![entry.clone()],
        };
        self.commit_as(batch, entries).await?;
        tracing::warn!(target: "fault", fault = kind.name(), command = entry.latest, "hit");
        match kind {
            Kind::Swap => self.held.push(Held { id: entry.latest, write: write.clone() }),
            Kind::Ghost => return Ok(Outcome::UnknownUser),
            Kind::Lose | Kind::DropFollow | Kind::Duplicate | Kind::Alter => {}
        }
        Ok(Outcome::Done)
    }

    /// The tweet and behind it the one of the same author that was held back, if one was.
    fn release(&mut self, entry: &Entry, write: &Write) -> Option<Vec<Entry>> {
        let Write::Tweet { author, .. } = write else {
            return None;
        };
        let by_author =
            |held: &Held| matches!(&held.write, Write::Tweet { author: a, .. } if a == author);
        let held = self.held.remove(self.held.iter().position(by_author)?);
        tracing::warn!(
            target: "fault",
            fault = "swap",
            command = held.id,
            behind = entry.latest,
            "stored late",
        );
        Some(vec![entry.clone(), Entry { latest: None, write: Some(held.write) }])
    }

    /// Commits these entries under the batch's own id and answers for the first.
    async fn commit_as(
        &mut self,
        id: BatchId,
        entries: Vec<Entry>,
    ) -> Result<Outcome, CommitError> {
        let batch = Batch { id, entries };
        let first = |outcomes: Vec<Outcome>| outcomes.first().copied().unwrap_or(Outcome::Done);
        self.inner.commit(&batch).await.map(first)
    }
}

/// What a sound server would answer.
async fn judge(store: &dyn Store, write: &Write) -> Result<Outcome, StoreError> {
    if let Write::Register { username, .. } = write {
        let taken = store.user_exists(username).await?;
        return Ok(if taken { Outcome::NameTaken } else { Outcome::Done });
    }
    for name in write.needs_users().into_iter().flatten() {
        if !store.user_exists(name).await? {
            return Ok(Outcome::UnknownUser);
        }
    }
    Ok(Outcome::Done)
}

fn altered(write: &Write) -> Write {
    let mut altered = write.clone();
    if let Write::Tweet { text, .. } = &mut altered {
        text.push('~');
    }
    altered
}

impl Writer for FaultyWriter {
    fn commit<'a>(
        &'a mut self,
        batch: &'a Batch,
    ) -> BoxFuture<'a, Result<Vec<Outcome>, CommitError>> {
        Box::pin(async move {
            match batch.entries.as_slice() {
                [entry @ Entry { write: Some(write), .. }] => {
                    self.commit_entry(batch.id, entry, write).await.map(|outcome| vec![outcome])
                }
                _ => self.inner.commit(batch).await,
            }
        })
    }

    fn close(mut self: Box<Self>) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            for Held { id, write } in std::mem::take(&mut self.held) {
                let entries = vec![Entry { latest: None, write: Some(write) }];
                tracing::warn!(target: "fault", fault = "swap", command = id, "stored last");
                if let Err(error) = self.commit_as(BatchId::random(), entries).await {
                    tracing::error!(target: "fault", %error, "a message held back is lost");
                }
            }
            self.inner.close().await;
        })
    }
}
