use super::*;
use crate::run::operation::{Ack, Failure, Operation};
use proptest::prelude::*;
use std::fs;

fn intent(sequence: u64, detail: &str) -> Intent {
    Intent {
        sequence,
        command_id: sequence as i64 + 100,
        operation: Operation::Tweet,
        lane: 0,
        intended_ns: None,
        ready_ns: sequence * 10,
        called_ns: sequence * 10,
        user: "Roger Histand".into(),
        detail: detail.into(),
    }
}

fn outcome(sequence: u64) -> Outcome {
    Outcome {
        sequence,
        sent_ns: sequence * 10 + 1,
        done_ns: sequence * 10 + 5,
        replica: 0,
        status: 204,
        ack: Ack::Acknowledged,
        failure: None,
        latest: None,
    }
}

fn frames(directory: &std::path::Path) -> Vec<(u16, Frame)> {
    LedgerReader::open(directory).unwrap().map(Result::unwrap).collect()
}

fn arbitrary_frame() -> impl Strategy<Value = Frame> {
    let intent =
        (any::<u64>(), any::<i64>(), 0..9u8, any::<u32>(), any::<(u32, u32)>(), ".*", ".*")
            .prop_map(|(sequence, command_id, code, lane, (intended, called), user, detail)| {
                Frame::Intent(Intent {
                    sequence,
                    command_id,
                    operation: Operation::from_code(code).unwrap(),
                    lane,
                    intended_ns: (intended % 2 == 0).then_some(intended.into()),
                    ready_ns: called.into(),
                    called_ns: called.into(),
                    user,
                    detail,
                })
            });
    let outcome = (any::<u64>(), any::<(u32, u32)>(), any::<(u16, u16)>(), 0..4u8, 0..7u8, 0..9i64)
        .prop_map(|(sequence, (sent, done), (replica, status), ack, failure, latest)| {
            Frame::Outcome(Outcome {
                sequence,
                sent_ns: sent.into(),
                done_ns: done.into(),
                replica,
                status,
                ack: Ack::from_code(ack).unwrap(),
                failure: Failure::from_code(failure),
                latest: (latest > 0).then_some(latest),
            })
        });
    let mark =
        (any::<u32>(), ".*").prop_map(|(at, name)| Frame::Mark(Mark { at_ns: at.into(), name }));
    prop_oneof![intent, outcome, mark]
}

proptest! {
    #[test]
    fn what_was_appended_is_read_again(written in prop::collection::vec(arbitrary_frame(), 0..40)) {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = LedgerWriter::create(directory.path(), 3, 0);
        written.iter().for_each(|frame| writer.append(frame).unwrap());
        writer.finish().unwrap();
        let read: Vec<Frame> = frames(directory.path())
            .into_iter()
            .map(|(part, frame)| { assert_eq!(part, 3); frame })
            .collect();
        prop_assert_eq!(read, written);
    }
}

#[test]
fn a_writer_that_never_finished_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    for sequence in 0..1000 {
        writer.append(&intent(sequence, "text")).unwrap();
    }
    std::mem::forget(writer);
    assert_eq!(frames(directory.path()).len(), 1000);
}

#[test]
fn segments_follow_one_another_and_times_are_the_runs() {
    let directory = tempfile::tempdir().unwrap();
    let long = "x".repeat(1 << 20);
    let mut writer = LedgerWriter::create(directory.path(), 0, 1_000_000);
    for sequence in 0..9 {
        writer.append(&intent(sequence, &long)).unwrap();
        writer.append(&outcome(sequence)).unwrap();
    }
    writer.append(&intent(9, &"y".repeat(9 << 20))).unwrap();
    writer.finish().unwrap();
    assert!(fs::read_dir(directory.path()).unwrap().count() >= 4);
    let entries: Vec<Entry> =
        Entries::open(directory.path()).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.len(), 10);
    assert_eq!(entries[8].intent.called_ns, 1_000_080);
    assert_eq!(entries[8].outcome.as_ref().unwrap().done_ns, 1_000_085);
    assert_eq!(entries[9].outcome, None);
}

#[test]
fn damage_is_named_and_the_rest_is_read() {
    let directory = tempfile::tempdir().unwrap();
    for part in 0..2 {
        let mut writer = LedgerWriter::create(directory.path(), part, 0);
        for sequence in 0..10 {
            writer.append(&intent(sequence, "text")).unwrap();
            writer.append(&outcome(sequence)).unwrap();
        }
        writer.finish().unwrap();
    }
    let path = directory.path().join("000-00000.ledger");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&path, bytes).unwrap();

    let mut entries = Entries::open(directory.path()).unwrap();
    let read: Vec<Entry> = entries.by_ref().collect::<Result<_, _>>().unwrap();
    assert_eq!(entries.damage().len(), 1);
    assert_eq!(entries.damage()[0].path, path);
    assert!(entries.damage()[0].offset <= middle as u64);
    assert_eq!(read.iter().filter(|entry| entry.part == 1).count(), 10);
    assert!((1..10).contains(&read.iter().filter(|entry| entry.part == 0).count()));
}

/// A length that became zero must not pass for the end.
#[test]
fn any_flipped_bit_after_the_header_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    // 128 bytes: a length with a single bit set.
    writer.append(&intent(0, &"x".repeat(61))).unwrap();
    writer.append(&outcome(0)).unwrap();
    writer.append(&outcome(1)).unwrap();
    writer.finish().unwrap();
    let path = directory.path().join("000-00000.ledger");
    let good = fs::read(&path).unwrap();
    assert_eq!(good[writer::HEADER_BYTES], 128);
    for bit in writer::HEADER_BYTES * 8..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        let mut reader = LedgerReader::open(directory.path()).unwrap();
        assert!(reader.by_ref().all(|frame| frame.is_ok()));
        assert_eq!(reader.damage().len(), 1, "bit {bit}");
    }
}

#[test]
fn a_newer_format_and_a_foreign_file_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("000-00000.ledger");
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    writer.append(&intent(0, "text")).unwrap();
    writer.finish().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[writer::MAGIC.len()] = 99;
    fs::write(&path, &bytes).unwrap();
    let error = LedgerReader::open(directory.path()).unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, LedgerError::Newer { found: 99, .. }), "{error}");

    fs::write(&path, [b'?'; 100]).unwrap();
    let error = LedgerReader::open(directory.path()).unwrap().next().unwrap().unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
}

/// A kill in the middle of an append leaves a body, perhaps its checksum, and no length.
#[test]
fn a_torn_frame_at_the_end_is_no_damage_and_a_lost_length_before_a_frame_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    for sequence in 0..10 {
        writer.append(&intent(sequence, "text")).unwrap();
    }
    std::mem::forget(writer);
    let path = directory.path().join("000-00000.ledger");
    let good = fs::read(&path).unwrap();
    let frame = writer::FRAME_HEADER_BYTES
        + u32::from_le_bytes(good[writer::HEADER_BYTES..][..4].try_into().unwrap()) as usize;
    let read_without_length_of = |number: usize| {
        let mut bytes = good.clone();
        bytes[writer::HEADER_BYTES + number * frame..][..4].fill(0);
        fs::write(&path, bytes).unwrap();
        let mut reader = LedgerReader::open(directory.path()).unwrap();
        (reader.by_ref().map(Result::unwrap).count(), reader.damage().len())
    };
    assert_eq!(read_without_length_of(9), (9, 0));
    assert_eq!(read_without_length_of(4), (4, 1));
}

#[test]
fn a_missing_segment_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let long = "x".repeat(3 << 20);
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    (0..3).for_each(|sequence| writer.append(&intent(sequence, &long)).unwrap());
    writer.finish().unwrap();
    let first = directory.path().join("000-00000.ledger");
    fs::remove_file(&first).unwrap();
    let mut reader = LedgerReader::open(directory.path()).unwrap();
    assert_eq!(reader.by_ref().count(), 2);
    assert_eq!(reader.damage(), [Damage { path: first, offset: 0 }]);
}

#[test]
fn a_flipped_bit_in_a_header_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = LedgerWriter::create(directory.path(), 0, 7);
    writer.append(&intent(0, "text")).unwrap();
    writer.finish().unwrap();
    let path = directory.path().join("000-00000.ledger");
    let good = fs::read(&path).unwrap();
    for bit in 0..writer::HEADER_BYTES * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        let mut reader = LedgerReader::open(directory.path()).unwrap();
        let is_refused = reader.by_ref().any(|frame| frame.is_err());
        assert!(is_refused || !reader.damage().is_empty(), "bit {bit}");
    }
}

#[test]
fn a_cut_at_any_byte_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let mut writer = LedgerWriter::create(directory.path(), 0, 0);
    (0..3).for_each(|sequence| writer.append(&outcome(sequence)).unwrap());
    writer.finish().unwrap();
    let path = directory.path().join("000-00000.ledger");
    let good = fs::read(&path).unwrap();
    for cut in writer::HEADER_BYTES..good.len() {
        fs::write(&path, &good[..cut]).unwrap();
        let mut reader = LedgerReader::open(directory.path()).unwrap();
        assert!(reader.by_ref().all(|frame| frame.is_ok()));
        assert_eq!(reader.damage().len(), 1, "cut at {cut}");
    }
}

/// A part's requests: how long after the one before it each is called, and how long it takes;
/// `None`: its outcome is never known.
type Plan = Vec<(u8, Option<u8>)>;

/// Writes a part as a recorder does: what happens first is appended first.
fn write_part(directory: &std::path::Path, part: u16, offset_ns: u64, plan: &Plan) -> Vec<Entry> {
    let mut called_ns = 0;
    let mut entries = Vec::new();
    let mut events = Vec::new();
    for (sequence, (pause, took)) in (0..).zip(plan) {
        called_ns += u64::from(*pause);
        let mut intent = intent(sequence, "text");
        (intent.called_ns, intent.ready_ns) = (called_ns, called_ns);
        let outcome = took.map(|took| Outcome {
            sent_ns: called_ns,
            done_ns: called_ns + u64::from(took),
            ..outcome(sequence)
        });
        events.push((called_ns, 0, entries.len()));
        events.extend(outcome.as_ref().map(|outcome| (outcome.done_ns, 1, entries.len())));
        entries.push(Entry { part, intent, outcome });
    }
    events.sort_unstable();
    let mut writer = LedgerWriter::create(directory, part, offset_ns);
    for (_, kind, at) in events {
        match (kind, &entries[at].outcome) {
            (0, _) => writer.append(&entries[at].intent).unwrap(),
            (_, outcome) => writer.append(outcome.as_ref().unwrap()).unwrap(),
        }
    }
    writer.finish().unwrap();
    for entry in &mut entries {
        entry.intent.called_ns += offset_ns;
        entry.intent.ready_ns += offset_ns;
        if let Some(outcome) = &mut entry.outcome {
            outcome.sent_ns += offset_ns;
            outcome.done_ns += offset_ns;
        }
    }
    entries
}

proptest! {
    #[test]
    fn parts_that_ran_together_are_read_in_the_order_of_time(
        plans in prop::collection::vec(
            (0..500_u64, prop::collection::vec((0..50_u8, prop::option::of(0..200_u8)), 0..30)),
            0..5,
        )
    ) {
        let directory = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        let mut ends = Vec::new();
        for (part, (offset_ns, plan)) in (0..).zip(&plans) {
            let entries = write_part(directory.path(), part, *offset_ns, plan);
            let done = |entry: &Entry| entry.outcome.as_ref().map(|outcome| outcome.done_ns);
            ends.push(entries.iter().filter_map(done).max().unwrap_or(0));
            all.extend(entries);
        }
        all.sort_by_key(|entry| (entry.intent.called_ns, entry.part, entry.intent.sequence));
        let calls: Result<Vec<Entry>, _> = Calls::open(directory.path()).unwrap().collect();
        prop_assert_eq!(&calls.unwrap(), &all);

        // Stable: requests that are called together and end together keep the order of their calls.
        all.sort_by_key(|entry| match &entry.outcome {
            Some(outcome) => (outcome.done_ns, entry.part, false),
            None => (ends[usize::from(entry.part)].max(entry.intent.called_ns), entry.part, true),
        });
        let entries: Result<Vec<Entry>, _> = Entries::open(directory.path()).unwrap().collect();
        prop_assert_eq!(&entries.unwrap(), &all);

        let mut bytes = Vec::new();
        let mut packed = PackedWriter::new(&mut bytes);
        all.iter().for_each(|entry| packed.push(entry).unwrap());
        packed.finish().unwrap();
        let unpacked: Result<Vec<Entry>, _> = PackedReader::new(&bytes[..]).collect();
        prop_assert_eq!(unpacked.unwrap(), all);
    }
}

#[test]
fn a_part_that_is_copied_is_the_same_but_for_its_place_and_time() {
    let directory = tempfile::tempdir().unwrap();
    let (old, new) = (directory.path().join("old"), directory.path().join("new"));
    fs::create_dir(&old).unwrap();
    fs::create_dir(&new).unwrap();
    let mut writer = LedgerWriter::create(&old, 3, 1_000);
    let long = "x".repeat(1 << 20);
    for sequence in 0..9 {
        writer.append(&intent(sequence, &long)).unwrap();
        writer.append(&outcome(sequence)).unwrap();
    }
    writer.append(&Mark { at_ns: 85, name: "fence".into() }).unwrap();
    writer.append(&intent(9, "abandoned")).unwrap();
    std::mem::forget(writer);
    let copy = |replica| {
        let (_, reader) = LedgerReader::parts(&old).unwrap().remove(0);
        copy_part(reader, &new, 0, 500, |_| replica)
    };
    let copied = copy(7).unwrap();
    assert_eq!(copied, Copied { last_command_ns: Some(1_590), damage: vec![] });
    let moved: Vec<(u16, Frame)> = frames(&old)
        .into_iter()
        .map(|(_, frame)| match frame {
            Frame::Intent(mut intent) => {
                intent.ready_ns += 500;
                intent.called_ns += 500;
                (0, Frame::Intent(intent))
            }
            Frame::Outcome(mut outcome) => {
                outcome.sent_ns += 500;
                outcome.done_ns += 500;
                outcome.replica = 7;
                (0, Frame::Outcome(outcome))
            }
            Frame::Mark(mark) => (0, Frame::Mark(Mark { at_ns: mark.at_ns + 500, ..mark })),
        })
        .collect();
    assert_eq!(moved.len(), 20);
    assert_eq!(frames(&new), moved);

    fs::remove_file(old.join("003-00001.ledger")).unwrap();
    fs::remove_dir_all(&new).unwrap();
    fs::create_dir(&new).unwrap();
    assert_eq!(copy(7).unwrap().damage.len(), 1);
}
