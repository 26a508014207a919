//! The users of a run in shares, each small enough to be audited in memory: what they sent, and what
//! the target held of them. A small run is one share and stays in memory; of a larger one the shares
//! are files in `judge.tmp`, which is removed at the end.

use crate::check::audit::Users;
use fs_err as fs;
use limosa_reports::run::ledger::{Entry, PackedReader, PackedWriter};
use limosa_reports::run::readback::{ReadBackReader, UserState};
use limosa_reports::run::{RunDir, RunDirError};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// How many bytes of a run directory a share is made from; in memory it takes about three times as
/// much.
const SHARE_BYTES: u64 = 10 << 20;
/// As many files are open at once; a process may have 1024 where nobody raised that.
const MAX_SHARES: u64 = 512;
const BUFFER_BYTES: usize = 16 << 10;

type States = BTreeMap<String, UserState>;

/// All users, in shares.
#[derive(Debug)]
pub(super) enum Shares {
    /// In memory.
    One(Box<Share>),
    /// In files.
    Many(Files),
}

/// What some users sent, and what the target held of them.
#[derive(Debug, Default)]
pub(super) struct Share {
    entries: Vec<Entry>,
    before: States,
    after: States,
}

/// The shares' files; the folder goes with them.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    count: usize,
    entries: Vec<PackedWriter<BufWriter<fs::File>>>,
}

/// How many shares a run is judged in.
pub(super) fn shares_of(run: &RunDir) -> Result<usize, RunDirError> {
    let mut bytes = 0;
    for folder in ["ledger", "readback"] {
        let folder = run.path().join(folder);
        for file in fs::read_dir(folder).into_iter().flatten() {
            bytes += file?.metadata()?.len();
        }
    }
    Ok(bytes.div_ceil(SHARE_BYTES).clamp(1, MAX_SHARES) as usize)
}

impl Shares {
    /// Makes so many shares. What a judge that was killed left behind is removed.
    pub(super) fn new(run: &RunDir, count: usize) -> Result<Self, RunDirError> {
        let folder = run.path().join("judge.tmp");
        if folder.is_dir() {
            fs::remove_dir_all(&folder)?;
        }
        if count == 1 {
            return Ok(Self::One(Box::default()));
        }
        fs::create_dir(&folder)?;
        let mut files = Files { folder, count, entries: Vec::new() };
        files.entries = files.create("sent")?.into_iter().map(PackedWriter::new).collect();
        Ok(Self::Many(files))
    }

    /// Takes what the target held before, and shows each user to `each`.
    pub(super) fn before(
        &mut self,
        states: ReadBackReader,
        each: impl FnMut(&UserState) -> bool,
    ) -> Result<(), RunDirError> {
        match self {
            Self::One(share) => collect(&mut share.before, states, each),
            Self::Many(files) => files.spread("before", states, each),
        }
    }

    /// Takes what the target held after, and shows each user to `each`, which says whether to keep
    /// it.
    pub(super) fn after(
        &mut self,
        states: ReadBackReader,
        each: impl FnMut(&UserState) -> bool,
    ) -> Result<(), RunDirError> {
        match self {
            Self::One(share) => collect(&mut share.after, states, each),
            Self::Many(files) => files.spread("after", states, each),
        }
    }

    /// Takes a command, in the order of the calls.
    pub(super) fn sent(&mut self, entry: &Entry) -> io::Result<()> {
        match self {
            Self::One(share) => share.entries.push(entry.clone()),
            Self::Many(files) => {
                let share = share_of(&entry.intent.user, files.count);
                files.entries[share].push(entry)?;
            }
        }
        Ok(())
    }

    /// Hands share after share to `audit`.
    pub(super) fn audit(self, mut audit: impl FnMut(&Users<'_>)) -> Result<(), RunDirError> {
        match self {
            Self::One(share) => audit(&share.users()),
            Self::Many(mut files) => {
                files.entries.drain(..).try_for_each(PackedWriter::finish)?;
                for number in 0..files.count {
                    audit(&files.read(number)?.users());
                }
            }
        }
        Ok(())
    }
}

impl Share {
    fn users(&self) -> Users<'_> {
        Users { entries: &self.entries, before: &self.before, after: &self.after }
    }
}

impl Files {
    fn path(&self, kind: &str, number: usize) -> PathBuf {
        self.folder.join(format!("{number:03}.{kind}"))
    }

    fn create(&self, kind: &str) -> io::Result<Vec<BufWriter<fs::File>>> {
        (0..self.count)
            .map(|number| {
                let file = fs::File::create(self.path(kind, number))?;
                Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
            })
            .collect()
    }

    fn spread(
        &self,
        kind: &str,
        states: ReadBackReader,
        mut each: impl FnMut(&UserState) -> bool,
    ) -> Result<(), RunDirError> {
        let mut files = self.create(kind)?;
        for state in states {
            let state = state?;
            if each(&state) {
                let file = &mut files[share_of(&state.user, self.count)];
                serde_json::to_writer(&mut *file, &state).map_err(io::Error::from)?;
                file.write_all(b"\n")?;
            }
        }
        Ok(files.iter_mut().try_for_each(BufWriter::flush)?)
    }

    fn read(&self, number: usize) -> Result<Share, RunDirError> {
        let entries = BufReader::new(fs::File::open(self.path("sent", number))?);
        Ok(Share {
            entries: PackedReader::new(entries).collect::<io::Result<_>>()?,
            before: states(&self.path("before", number))?,
            after: states(&self.path("after", number))?,
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _left_where_refused = fs::remove_dir_all(&self.folder);
    }
}

fn collect(
    users: &mut States,
    states: ReadBackReader,
    mut each: impl FnMut(&UserState) -> bool,
) -> Result<(), RunDirError> {
    for state in states {
        let state = state?;
        if each(&state) {
            users.insert(state.user.clone(), state);
        }
    }
    Ok(())
}

/// The users in a file of a share; none where there is no file, because nobody looked.
fn states(path: &Path) -> Result<States, RunDirError> {
    let mut users = States::new();
    if path.is_file() {
        for line in BufReader::new(fs::File::open(path)?).split(b'\n') {
            let state: UserState = serde_json::from_slice(&line?)
                .map_err(|source| RunDirError::Malformed { path: path.to_path_buf(), source })?;
            users.insert(state.user.clone(), state);
        }
    }
    Ok(users)
}

/// Not the hash of the shards, one of whose runs would fall into a few shares only.
fn share_of(user: &str, count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    user.hash(&mut hasher);
    (hasher.finish() % count as u64) as usize
}
