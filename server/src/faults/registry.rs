//! What there is to plant, for `--help` and for the documentation.

/// One fault, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What the server does.
    pub effect: &'static str,
    /// What an audit must report.
    pub finding: &'static str,
}

/// Every fault that there is.
///
/// `every=K` hits the K-th, 2K-th ... of the writes that the fault concerns and that a sound
/// server would acknowledge, counted from the server's start in the order of the commits, for
/// each planted fault on its own. `id=N` hits every such write whose command id (`?latest=N`) is
/// N. A write is hit by one fault at most: the first that was planted.
pub fn registry() -> &'static [Description] {
    &[
        Description {
            name: "lose",
            syntax: "lose:every=K | lose:id=N",
            effect: "acknowledges a register, tweet, follow or unfollow and does not store it",
            finding: "LOST; for a register also the cascade that follows from it",
        },
        Description {
            name: "duplicate",
            syntax: "duplicate:every=K | duplicate:id=N",
            effect: "stores a tweet twice",
            finding: "DUPLICATED",
        },
        Description {
            name: "alter",
            syntax: "alter:every=K | alter:id=N",
            effect: "stores a tweet with a tilde behind its text",
            finding: "ALTERED",
        },
        Description {
            name: "ghost",
            syntax: "ghost:every=K | ghost:id=N",
            effect: "stores a tweet or a follow and answers 404",
            finding: "GHOST",
        },
        Description {
            name: "drop-follow",
            syntax: "drop-follow:every=K | drop-follow:id=N",
            effect: "acknowledges a follow and stores no edge",
            finding: "LOST, an edge",
        },
        Description {
            name: "swap",
            syntax: "swap:every=K | swap:id=N",
            effect: "acknowledges a tweet and stores it only behind the same author's next one, \
                     or when the server stops",
            finding: "MISORDERED; LOST until the next one comes, and after a crash before it",
        },
        Description {
            name: "early-ack",
            syntax: "early-ack:delay=MS",
            effect: "answers 204 to every write at once, commits it MS milliseconds later, and \
                     swallows whatever goes wrong then",
            finding: "nothing, or stale reads; after SIGKILL: LOST",
        },
        Description {
            name: "stale-latest",
            syntax: "stale-latest:ms=D",
            effect: "GET /latest answers what was true D milliseconds ago",
            finding: "stale reads of latest, by up to D ms",
        },
        Description {
            name: "count-latest",
            syntax: "count-latest",
            effect: "GET /latest answers how many commands this process has seen, whatever their \
                     ids are",
            finding: "wrong reads of latest as soon as an id is left out, and that it only counts",
        },
        Description {
            name: "ahead-latest",
            syntax: "ahead-latest:ms=D",
            effect: "commits latest D milliseconds before the write that it stands for",
            finding: "after SIGKILL: LATEST-AHEAD",
        },
        Description {
            name: "refuse",
            syntax: "refuse:from=T,for=MS",
            effect: "T milliseconds after its start closes every connection and its port, for MS \
                     milliseconds",
            finding: "an outage of MS ms, nothing lost",
        },
        Description {
            name: "stall",
            syntax: "stall:every=MS,for=MS",
            effect: "of each `every` milliseconds since its start lets no request through for the \
                     last `for`",
            finding: "held requests, up to `for` ms; nothing lost",
        },
    ]
}
