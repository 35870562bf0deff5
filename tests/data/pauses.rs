//! Reading that takes long lets others have a turn, says how far it is, and can be given up anywhere.
use super::formats::gz;
use super::texts::tar_of;
use super::{file, files};
use nabla::data::*;
use nabla::spec::{DataSpec, FileFormat, Problem, TextSpec};
use std::cell::RefCell;

/// Loads with a pause whenever `every` bytes are done, of which the one with number `end` gives up; what came of it, and the
/// shares that the pauses were told.
fn loaded(
    spec: &DataSpec,
    files: &[FileBytes],
    every: usize,
    end: usize,
) -> (Result<Dataset, Problem>, Vec<f64>) {
    let told = RefCell::new(Vec::new());
    let pause = |share: f64| -> Pause<'_> {
        told.borrow_mut().push(share);
        let over = told.borrow().len() > end;
        Box::pin(async move {
            match over {
                true => Err(Problem::new("reading-cancelled")),
                false => Ok(()),
            }
        })
    };
    let mut pauses = Pauses::every(every, &pause);
    let set = at_once(fetch_and_load(spec, 1, None, files, &mut pauses));
    (set, told.into_inner())
}

#[test]
fn every_long_reading_can_be_given_up_anywhere() {
    let text = |i: usize| format!("a {} film {i} ", ["bad", "good"][i % 2]).repeat(200);
    let reviews: Vec<(String, String)> = (0..30)
        .map(|i| {
            (
                format!("aclImdb/train/{}/{i}.txt", ["neg", "pos"][i % 2]),
                text(i),
            )
        })
        .collect();
    // Beside the texts something large that is not wanted.
    let mut entries: Vec<(&str, &[u8])> = vec![("aclImdb/large.bin", &[7; 200_000])];
    entries.extend(reviews.iter().map(|(n, t)| (n.as_str(), t.as_bytes())));
    let batch: Vec<u8> = (0..60)
        .flat_map(|i| std::iter::once(i % 10).chain([i; 3072]))
        .collect();
    let cifar: [(&str, &[u8]); 2] = [("data_batch_1.bin", &batch), ("test_batch.bin", &batch)];
    let lines: String = (0..30)
        .map(|i| format!("{{\"text\": \"{}\", \"label\": {}}}\n", text(i), i % 2))
        .collect();
    let rows: String = (0..30)
        .map(|i| format!("{},{}\n", text(i), i % 2))
        .collect();
    let numbers: String = (0..20_000)
        .map(|i| format!("{i},{},0.5\n", i % 7))
        .collect();
    for (format, given) in [
        (
            FileFormat::AclImdb,
            file("aclImdb_v1.tar.gz", gz(&tar_of(&entries))),
        ),
        (
            FileFormat::AclImdb,
            file("aclImdb_v1.tar", tar_of(&entries)),
        ),
        (
            FileFormat::Cifar10,
            file("cifar-10-binary.tar.gz", gz(&tar_of(&cifar))),
        ),
        (FileFormat::Jsonl, file("x.jsonl", lines)),
        (FileFormat::TextCsv, file("x.csv", rows)),
        (FileFormat::Csv, file("x.csv", numbers)),
    ] {
        let spec = DataSpec {
            text: Some(TextSpec {
                words: 50,
                length: 20,
                ..TextSpec::default()
            }),
            ..files(format)
        };
        let given = [given];
        let every = 4096;
        let (whole, told) = loaded(&spec, &given, every, usize::MAX);
        assert_eq!(
            whole.unwrap(),
            load(&spec, 1, None, &given).unwrap(),
            "{format:?}"
        );
        assert!(told.len() >= 4, "{format:?}: {} pauses", told.len());
        assert!(told.is_sorted(), "{format:?}: {told:?}");
        assert!(
            told[0] < 0.6 && *told.last().unwrap() > 0.9,
            "{format:?}: {told:?}"
        );
        assert!(told.iter().all(|s| (0.0..=1.0).contains(s)));
        for end in [0, 1, told.len() / 2, told.len() - 1] {
            let (broken, seen) = loaded(&spec, &given, every, end);
            assert_eq!(broken.unwrap_err().code, "reading-cancelled", "{format:?}");
            assert_eq!(seen[..], told[..=end], "{format:?}");
        }
    }
}
