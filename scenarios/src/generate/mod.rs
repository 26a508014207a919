//! Generating a trace from a profile and a seed.
//!
//! What must agree with the profile exactly (the mix of commands in each phase, who posts and
//! follows how much) is apportioned beforehand and drawn without putting back; what need agree on
//! average only (gaps, lengths, characters) is drawn each time. A user acts in proportion to what
//! is left of the user's quota, so one who registers late catches up.

mod dice;
mod graph;
mod people;
mod text;
mod urn;

use crate::command::{Action, Command};
use crate::profile::{Profile, ProfileError, Skew, apportion};
use dice::Dice;
use graph::Graph;
use people::People;
use std::collections::VecDeque;
use std::vec;
use text::Style;
use urn::Urn;

/// How many texts back a duplicate text may reach.
const RECENT_TEXTS: usize = 64;

/// What to generate. What is left out comes from the profile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The seed: the same seed, profile and options give the same trace, byte for byte.
    pub seed: u64,
    /// How many commands.
    pub commands: Option<u64>,
    /// How many users register. By default as many to a command as in the profile, and in a shorter
    /// trace so many that who follows whom is as dense as there: pairs grow with users squared.
    pub users: Option<u64>,
    /// From the first command to about the last, in milliseconds.
    pub span_ms: Option<i64>,
    /// End each text in a nonce, ` #<hexadecimal of the seed>-<id>`, within the text's length where
    /// that suffices, so that an audit can tell every message from every other.
    pub nonce: bool,
}

/// Generates a trace, command by command.
///
/// Memory grows with users and follow edges, not with commands.
#[derive(Debug)]
pub struct Generator {
    profile: Profile,
    options: Options,
    dice: Dice,
    phases: vec::IntoIter<[u64; 4]>,
    /// What is left of this phase.
    left: [u64; 4],
    /// The mean gap of this phase over the mean of the table of gaps, in milliseconds.
    gap_unit: f64,
    phase_ms: f64,
    at_ms: i64,
    id: i64,
    people: People,
    names: Vec<String>,
    quotas: Quotas,
    graph: Graph,
    recent: VecDeque<String>,
}

/// What each user is to do, by the order of registration, and what is left of it for those who have
/// registered.
#[derive(Debug)]
struct Quotas {
    tweets: Vec<u64>,
    follows: Vec<u64>,
    followed: Vec<u64>,
    authors: Urn,
    followers: Urn,
    followees: Urn,
}

/// The places of the commands in a phase's counts.
const REGISTER: usize = 0;
const TWEET: usize = 1;
const FOLLOW: usize = 2;
const UNFOLLOW: usize = 3;

impl Generator {
    /// Prepares to generate.
    ///
    /// # Errors
    /// [`ProfileError`] when the profile makes no sense, or there are more users than commands.
    pub fn new(profile: &Profile, options: Options) -> Result<Self, ProfileError> {
        let mut profile = profile.clone();
        let in_proportion = |commands: u64| {
            let ratio = commands as f64 / profile.commands.max(1) as f64;
            let users = profile.users as f64 * ratio.max(ratio.sqrt());
            (users.round() as u64).clamp(1, commands.max(1))
        };
        let commands = options.commands.unwrap_or(profile.commands);
        profile.users = options.users.unwrap_or_else(|| in_proportion(commands));
        profile.commands = commands;
        profile.span_ms = options.span_ms.unwrap_or(profile.span_ms);
        profile.check()?;

        let mut dice = Dice::new(options.seed);
        let phases = plan(&profile);
        let quotas = Quotas::new(&profile, &phases, &mut dice);
        Ok(Self {
            phase_ms: profile.span_ms as f64 / phases.len() as f64,
            at_ms: profile.start_ms,
            people: People::new(&mut dice),
            phases: phases.into_iter(),
            left: [0; 4],
            gap_unit: 0.0,
            id: 0,
            names: Vec::new(),
            graph: Graph::default(),
            recent: VecDeque::with_capacity(RECENT_TEXTS),
            profile,
            options,
            dice,
            quotas,
        })
    }

    /// Draws what comes next from what is left of the phase.
    fn draw_kind(&mut self) -> usize {
        if self.names.is_empty() {
            return REGISTER;
        }
        let mut target = self.dice.below(self.left.iter().sum());
        for (kind, &left) in self.left.iter().enumerate() {
            match target.checked_sub(left) {
                Some(rest) => target = rest,
                None => return kind,
            }
        }
        TWEET
    }

    fn action(&mut self) -> Action {
        let kind = self.draw_kind();
        let action = match kind {
            REGISTER => Some(self.register()),
            FOLLOW => self.follow(),
            UNFOLLOW => self.unfollow(),
            _ => None,
        };
        // Where nobody is left to follow or to unfollow, someone posts instead; the follow is put
        // off as long as the phase has tweets left to exchange it for.
        let spent = match action {
            None if self.left[TWEET] > 0 => TWEET,
            _ => kind,
        };
        self.left[spent] = self.left[spent].saturating_sub(1);
        action.unwrap_or_else(|| self.tweet())
    }

    fn register(&mut self) -> Action {
        let number = self.names.len();
        let user = self.people.name(number);
        let email = people::email(&mut self.dice, &user, self.profile.plus_emails);
        let password = people::password(&mut self.dice, &self.profile.password_chars);
        self.names.push(user.clone());
        self.quotas.open(number);
        Action::Register { user, email, password }
    }

    fn tweet(&mut self) -> Action {
        let author = match self.quotas.authors.draw(&mut self.dice) {
            Some(author) => {
                self.quotas.authors.remove(author);
                author
            }
            None => self.dice.index(self.names.len()),
        };
        Action::Tweet { user: self.names[author].clone(), text: self.text() }
    }

    fn text(&mut self) -> String {
        let nonce = match self.options.nonce {
            true => format!(" #{:x}-{}", self.options.seed, self.id),
            false => String::new(),
        };
        if self.dice.happens(self.profile.duplicate_texts) && !self.recent.is_empty() {
            let index = self.dice.index(self.recent.len());
            return format!("{}{nonce}", self.recent[index]);
        }
        let length = self.profile.text_chars.at(self.dice.level()).round() as usize;
        let style =
            Style { non_ascii: self.profile.non_ascii_texts, wide_chars: self.profile.wide_chars };
        let text = text::text(&mut self.dice, length.saturating_sub(nonce.len()), style);
        if self.recent.len() == RECENT_TEXTS {
            self.recent.pop_front();
        }
        self.recent.push_back(text.clone());
        format!("{text}{nonce}")
    }

    fn follow(&mut self) -> Option<Action> {
        let users = self.names.len();
        let quotas = &mut self.quotas;
        let user = quotas.followers.draw(&mut self.dice);
        let user = user.unwrap_or_else(|| self.dice.index(users));
        let followees = &quotas.followees;
        let edge = self.graph.follow(&mut self.dice, user, users, followees);
        let (user, whom) = edge?;
        quotas.spend(user, whom);
        Some(Action::Follow { user: self.names[user].clone(), whom: self.names[whom].clone() })
    }

    fn unfollow(&mut self) -> Option<Action> {
        let no_edge = self.dice.happens(self.profile.unfollows_of_no_edge);
        let strangers = self.graph.strangers(&mut self.dice, self.names.len());
        let (user, whom) = match strangers.filter(|_| no_edge) {
            Some(strangers) => strangers,
            None => self.graph.unfollow(&mut self.dice).or(strangers)?,
        };
        Some(Action::Unfollow { user: self.names[user].clone(), whom: self.names[whom].clone() })
    }
}

impl Iterator for Generator {
    type Item = Command;

    fn next(&mut self) -> Option<Command> {
        while self.left.iter().sum::<u64>() == 0 {
            self.left = self.phases.next()?;
            let count = self.left.iter().sum::<u64>().max(1) as f64;
            let mean = self.profile.gaps.mean();
            self.gap_unit = self.phase_ms / count / if mean > 0.0 { mean } else { 1.0 };
        }
        if self.id > 0 {
            let gap = self.profile.gaps.at(self.dice.level()) * self.gap_unit;
            self.at_ms = self.at_ms.saturating_add(gap.round() as i64);
        }
        let action = self.action();
        let (id, at_ms) = (self.id, self.at_ms);
        self.id += 1;
        Some(Command { id, at_ms, action })
    }
}

/// How many commands of each kind fall into each phase: all of them add up to the profile's.
fn plan(profile: &Profile) -> Vec<[u64; 4]> {
    let column = |kind: usize| profile.phases.iter().map(move |phase| phase[kind] as f64);
    let registers = apportion(profile.users, &column(REGISTER).collect::<Vec<_>>());
    let others: Vec<f64> = profile
        .phases
        .iter()
        .flat_map(|phase| phase[TWEET..].iter().map(|&count| count as f64))
        .collect();
    let others = apportion(profile.commands - profile.users, &others);
    let mut phases: Vec<[u64; 4]> = registers
        .iter()
        .zip(others.chunks_exact(3))
        .map(|(&registers, others)| [registers, others[0], others[1], others[2]])
        .collect();
    // Someone must be there before anyone can act.
    if phases[0][REGISTER] == 0
        && let Some(first) = phases.iter_mut().find(|phase| phase[REGISTER] > 0)
    {
        first[REGISTER] -= 1;
        phases[0][REGISTER] += 1;
    }
    phases
}

impl Quotas {
    fn new(profile: &Profile, phases: &[[u64; 4]], dice: &mut Dice) -> Self {
        let users = profile.users as usize;
        let total = |kind: usize| phases.iter().map(|phase| phase[kind]).sum::<u64>();
        let by_rank = |total: u64, skew: &Skew| {
            let weights: Vec<f64> = (0..users).map(|rank| skew.weight(rank, users)).collect();
            apportion(total, &weights)
        };
        let mut tweets = by_rank(total(TWEET), &profile.authors);
        let mut follows = by_rank(total(FOLLOW), &profile.followers);
        // In the course's trace, who posts or follows much has nothing to do with who came first;
        // who is followed much has (rank correlation -0.85), so that order stays.
        dice.shuffle(&mut tweets);
        dice.shuffle(&mut follows);
        Self {
            followed: by_rank(total(FOLLOW), &profile.followees),
            tweets,
            follows,
            authors: Urn::new(users),
            followers: Urn::new(users),
            followees: Urn::new(users),
        }
    }

    /// Puts a user's quotas into the urns: the user has registered.
    fn open(&mut self, user: usize) {
        self.authors.add(user, self.tweets[user]);
        self.followers.add(user, self.follows[user]);
        self.followees.add(user, self.followed[user]);
    }

    /// Takes a follow off the quotas, as far as they reach.
    fn spend(&mut self, user: usize, whom: usize) {
        for (urn, quota, who) in [
            (&mut self.followers, &mut self.follows, user),
            (&mut self.followees, &mut self.followed, whom),
        ] {
            if quota[who] > 0 {
                quota[who] -= 1;
                urn.remove(who);
            }
        }
    }
}

#[cfg(test)]
mod tests;
