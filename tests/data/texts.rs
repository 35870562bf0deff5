//! Archives, CIFAR-10, labelled texts, pictures, the tokeniser: as they should be and as not.
use super::formats::gz;
use super::{code, f32s, file, files, names, spec};
use nabla::data::*;
use nabla::spec::{DataSource, DataSpec, FileFormat, Problem, Side, TextSpec};
use proptest::prelude::*;

pub fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut b = tar::Builder::new(Vec::new());
    for (path, bytes) in entries {
        let mut h = tar::Header::new_gnu();
        // The crate itself refuses to write a hostile path.
        let name = &mut h.as_old_mut().name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        h.set_size(bytes.len() as u64);
        h.set_mode(0o644);
        h.set_entry_type(tar::EntryType::Regular);
        h.set_cksum();
        b.append(&h, *bytes).unwrap();
    }
    b.into_inner().unwrap()
}

/// A zip whose entries are deflated, or stored where they are short.
fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    use std::io::Write;
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (path, bytes) in entries {
        let mut e = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        e.write_all(bytes).unwrap();
        let (method, body) = match bytes.len() {
            0..8 => (0u16, bytes.to_vec()),
            _ => (8, e.finish().unwrap()),
        };
        let start = out.len() as u32;
        let sizes = [0, body.len() as u32, bytes.len() as u32]
            .map(u32::to_le_bytes)
            .concat();
        let name = (path.len() as u16).to_le_bytes();
        let head = [&[20, 0, 0, 0][..], &method.to_le_bytes(), &[0; 4], &sizes].concat();
        out.extend(
            [
                b"PK\x03\x04",
                &head[..],
                &name,
                &[0; 2],
                path.as_bytes(),
                &body,
            ]
            .concat(),
        );
        directory.extend([b"PK\x01\x02", &[20, 0][..], &head, &name, &[0; 12]].concat());
        directory.extend(start.to_le_bytes());
        directory.extend(path.as_bytes());
    }
    let at = out.len() as u32;
    let count = (entries.len() as u16).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    out.extend(&directory);
    out.extend(
        [
            b"PK\x05\x06",
            &[0; 4][..],
            &count,
            &count,
            &size,
            &at.to_le_bytes(),
            &[0; 2],
        ]
        .concat(),
    );
    out
}

fn unpack_all(
    files: &[FileBytes],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<FileBytes>, Problem> {
    at_once(archive::unpack(files, wanted, &mut Pauses::none()))
}

fn list(files: &[FileBytes]) -> Result<Vec<images::Picture>, Problem> {
    at_once(images::list(files, &mut Pauses::none()))
}

#[test]
fn archives_open_and_hostile_ones_do_not() {
    let long: Vec<u8> = (0..5000u32).map(|i| (i / 7) as u8).collect();
    let entries: [(&str, &[u8]); 3] = [("a/b.txt", b"one"), ("a/._b.txt", b"x"), ("c.bin", &long)];
    let (tar, zip) = (tar_of(&entries), zip_of(&entries));
    for (name, bytes) in [
        ("x.tar", tar.clone()),
        ("x.tgz", gz(&tar)),
        ("x.zip", zip.clone()),
    ] {
        let got = unpack_all(&[file(name, bytes)], |_| true).unwrap();
        let want = [file("a/b.txt", *b"one"), file("c.bin", long.clone())];
        assert_eq!(got, want, "{name}");
    }
    let unpack = |name: &str, bytes: Vec<u8>| code(unpack_all(&[file(name, bytes)], |_| true));
    for path in ["../up.txt", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\b"] {
        let bad: [(&str, &[u8]); 2] = [("ok.txt", b"fine"), (path, b"hostile")];
        assert_eq!(
            unpack("x.tar.gz", gz(&tar_of(&bad))),
            "archive-path",
            "{path}"
        );
        assert_eq!(unpack("x.zip", zip_of(&bad)), "archive-path", "{path}");
    }
    assert_eq!(unpack("x.tar", tar[..700].to_vec()), "archive");
    assert_eq!(unpack("x.zip", zip[..zip.len() - 30].to_vec()), "archive");
    assert_eq!(unpack("x.tar.gz", gz(&tar)[..60].to_vec()), "archive");
    let none = unpack_all(&[file("x.zip", zip)], |p| p.ends_with(".bmp"));
    assert_eq!(code(none), "archive-empty");
    // What is no archive stays as it is.
    let plain = [file("x.zip", *b"no zip at all")];
    assert_eq!(unpack_all(&plain, |_| true).unwrap(), plain);
}

fn batch(labels: &[u8]) -> Vec<u8> {
    let mut v = Vec::new();
    for l in labels {
        v.push(*l);
        v.extend((0..3072).map(|i| (i / 12) as u8 ^ l));
    }
    v
}

#[test]
fn cifar_batches_by_themselves_and_in_their_archive() {
    let s = files(FileFormat::Cifar10);
    let loose = [
        file("test_batch.bin", batch(&[9])),
        file("data_batch_2.bin.gz", gz(&batch(&[4, 5]))),
        file("data_batch_1.bin", batch(&[0, 3])),
    ];
    let (one, two, test) = (batch(&[0, 3]), batch(&[4, 5]), batch(&[9]));
    let packed = gz(&tar_of(&[
        ("cifar-10-batches-bin/readme.html", b"<p>"),
        ("cifar-10-batches-bin/data_batch_2.bin", &two),
        ("cifar-10-batches-bin/test_batch.bin", &test),
        ("cifar-10-batches-bin/data_batch_1.bin", &one),
    ]));
    for set in [&loose[..], &[file("cifar-10-binary.tar.gz", packed)]] {
        let d = load(&s, 0, None, set).unwrap();
        assert_eq!(d.y, [0., 3., 4., 5., 9.]);
        assert_eq!((&d.test[..], d.train.len()), (&[4][..], 4));
        assert_eq!((&d.shape[..], d.image), (&[3, 32, 32][..], Some([32, 32])));
        assert_eq!(names(&d.target)[9], "truck");
        assert!(matches!(&d.x, Values::U8(v) if v[3072..6144] == batch(&[3])[1..]));
    }
    let bad = |bytes: Vec<u8>| code(load(&s, 0, None, &[file("data_batch_1.bin", bytes)]));
    assert_eq!(bad(batch(&[1])[..3000].to_vec()), "cifar-length");
    assert_eq!(bad(Vec::new()), "cifar-length");
    assert_eq!(bad(batch(&[10])), "cifar-label");
}

fn text(words: usize, length: usize) -> TextSpec {
    TextSpec {
        words,
        length,
        ..TextSpec::default()
    }
}

/// The numbers that Keras' `Tokenizer(num_words=8)` and `pad_sequences(maxlen=5)` give.
#[test]
fn the_tokeniser_is_keras() {
    let texts = [
        "The film was good, really good!",
        "I don't like the film... not at all",
        "The plot? The plot was BAD; the end",
    ];
    let cases: [(bool, Side, [[f32; 5]; 4]); 4] = [
        (
            false,
            Side::Front,
            [
                [2., 3., 4., 6., 4.],
                [0., 0., 7., 1., 2.],
                [5., 1., 5., 3., 1.],
                [0., 0., 0., 4., 2.],
            ],
        ),
        (
            false,
            Side::Back,
            [
                [1., 2., 3., 4., 6.],
                [7., 1., 2., 0., 0.],
                [1., 5., 1., 5., 3.],
                [4., 2., 0., 0., 0.],
            ],
        ),
        (
            true,
            Side::Front,
            [
                [3., 4., 5., 7., 5.],
                [2., 3., 1., 1., 1.],
                [6., 4., 1., 2., 1.],
                [0., 1., 1., 5., 3.],
            ],
        ),
        (
            true,
            Side::Back,
            [
                [2., 3., 4., 5., 7.],
                [1., 1., 1., 2., 3.],
                [2., 6., 2., 6., 4.],
                [1., 1., 5., 3., 0.],
            ],
        ),
    ];
    for (unknown, side, want) in cases {
        let s = TextSpec {
            pad: side,
            cut: side,
            unknown,
            ..text(8, 5)
        };
        let v = Vocabulary::fit(texts.into_iter(), &s);
        for (t, want) in texts.iter().chain(&["an unseen good film"]).zip(want) {
            assert_eq!(v.encode(t, &s), want, "{t}");
        }
        assert_eq!(v.words().len(), 8);
    }
}

fn texts_of(
    format: FileFormat,
    files_given: &[FileBytes],
) -> Result<Dataset, nabla::spec::Problem> {
    let s = DataSpec {
        text: Some(text(100, 4)),
        ..files(format)
    };
    load(&s, 0, None, files_given)
}

#[test]
fn labelled_texts_in_every_form() {
    let lines =
        "{\"id\": 1, \"label\": 0, \"text\": \"bad film\"}\n\n{\"label\": 1, \"text\": \"good\"}\n";
    let more = "{\"label\": true, \"text\": \"unseen good\"}\n";
    let jsonl = [
        file("train.jsonl.gz", gz(lines.as_bytes())),
        file("test.jsonl", more),
    ];
    let csv = [
        file("train.csv", "review,sentiment\n\"bad film\",0\ngood,1\n"),
        file("test.csv", "review,sentiment\nunseen good,1\n"),
    ];
    let tsv = [
        file("train.tsv", "bad film\t0\ngood\t1\n"),
        file("test.tsv", "unseen good\t1\n"),
    ];
    let folder = [
        file("aclImdb/train/neg/0_1.txt", "bad film"),
        file("aclImdb/train/pos/0_9.txt", "good"),
        file("aclImdb/train/unsup/0_0.txt", "ignored"),
        file("aclImdb/test/pos/0_9.txt", "unseen good"),
        file("aclImdb/imdb.vocab", "the"),
    ];
    let entries: Vec<(&str, &[u8])> = folder
        .iter()
        .map(|f| (f.name.as_str(), &f.bytes[..]))
        .collect();
    let packed = [file("aclImdb_v1.tar.gz", gz(&tar_of(&entries)))];
    let all: [(FileFormat, &[FileBytes]); 5] = [
        (FileFormat::Jsonl, &jsonl),
        (FileFormat::TextCsv, &csv),
        (FileFormat::TextCsv, &tsv),
        (FileFormat::AclImdb, &folder),
        (FileFormat::AclImdb, &packed),
    ];
    for (format, set) in all {
        let d = texts_of(format, set).unwrap();
        assert_eq!(names(&d.target), ["negative", "positive"], "{format:?}");
        assert_eq!(
            (&d.y[..], &d.test[..]),
            (&[0., 1., 1.][..], &[2][..]),
            "{format:?}"
        );
        // Only words of the training part are known.
        let (_, v) = d.text.as_ref().unwrap();
        assert_eq!(v.words(), ["", "[?]", "bad", "film", "good"], "{format:?}");
        assert_eq!(f32s(&d.x)[8..], [0., 0., 1., 4.], "{format:?}");
    }
    let bad = |format, name: &str, t: &str| {
        let p = texts_of(format, &[file(name, t)]).unwrap_err();
        (p.code, p.args.get("line").cloned().unwrap_or_default())
    };
    let at = |line: &str| ("text-line".to_string(), line.to_string());
    use FileFormat::*;
    assert_eq!(
        bad(
            Jsonl,
            "a.jsonl",
            "{\"label\": 1, \"text\": \"x\"}\nnothing\n"
        ),
        at("2")
    );
    assert_eq!(bad(Jsonl, "a.jsonl", "{\"label\": 1}\n"), at("1"));
    assert_eq!(bad(Jsonl, "a.jsonl", "{\"text\": \"x\"}\n"), at("1"));
    assert_eq!(bad(TextCsv, "a.csv", "text,label\na b,1\n,0\n"), at("3"));
    assert_eq!(bad(TextCsv, "a.csv", "only one column\n"), at("1"));
    assert_eq!(
        bad(Jsonl, "a.jsonl", "{\"label\": 1, \"text\": \"x\"}").0,
        "text-classes"
    );
    assert_eq!(bad(Jsonl, "a.jsonl", "").0, "no-samples");
    let latin = file("a.jsonl", b"{\"label\": 1, \"text\": \"\xe9\"}".to_vec());
    assert_eq!(code(texts_of(Jsonl, &[latin])), "text-line");
    let source = DataSource::Files {
        name: "a".into(),
        format: TextCsv,
        shape: vec![],
        classes: None,
        target: Some("mood".into()),
    };
    assert_eq!(code(load(&spec(source), 0, None, &csv)), "csv-target");
}

#[test]
fn pictures_by_folder() {
    let zip = zip_of(&[
        ("pets/cat/1.png", b"not decoded here"),
        ("pets/dog/1.JPG", b"nor here"),
        ("pets/test/dog/2.png", b"nor here"),
        ("pets/readme.md", b"# pets"),
    ]);
    let pictures = list(&[file("pets.zip", zip)]).unwrap();
    let told: Vec<(&str, bool)> = pictures
        .iter()
        .map(|p| (p.class.as_str(), p.test))
        .collect();
    assert_eq!(told, [("cat", false), ("dog", false), ("dog", true)]);
    let pixels: Vec<u8> = (0..3 * 12).collect();
    let packed = images::pack(&pictures, &[3, 2, 2], &pixels).unwrap();
    let d = load(
        &files(FileFormat::Images),
        0,
        None,
        std::slice::from_ref(&packed),
    )
    .unwrap();
    assert_eq!((&d.y[..], &d.test[..]), (&[0., 1., 1.][..], &[2][..]));
    assert_eq!(
        (names(&d.target), d.image),
        (&["cat".into(), "dog".into()][..], Some([2, 2]))
    );
    assert_eq!(
        code(images::pack(&pictures, &[3, 2, 2], &pixels[1..])),
        "data-size"
    );
    let one = file("a/1.png", "x");
    assert_eq!(code(list(&[one])), "image-folders");
    let mut cut = packed;
    cut.bytes.pop();
    assert_eq!(
        code(load(&files(FileFormat::Images), 0, None, &[cut])),
        "image-decode"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Damaged archives are refused or give what is left, and nothing breaks.
    #[test]
    fn damaged_archives(at in any::<u16>(), with in 1u8.., cut in 0usize..400, zipped in any::<bool>(), packed in any::<bool>()) {
        let long = [7; 900];
        let entries: [(&str, &[u8]); 2] = [("train/pos/a.txt", b"words"), ("train/neg/b.txt", &long)];
        let mut bytes = if zipped { zip_of(&entries) } else { tar_of(&entries) };
        if packed && !zipped {
            bytes = gz(&bytes);
        }
        let n = bytes.len();
        bytes[usize::from(at) % n] ^= with;
        bytes.truncate(n - cut % n);
        let name = if zipped { "x.zip" } else { "x.tar.gz" };
        let f = [file(name, bytes)];
        if let Ok(found) = unpack_all(&f, |_| true) {
            prop_assert!(found.iter().map(|f| f.bytes.len()).sum::<usize>() < 1 << 20);
        }
        for format in [FileFormat::AclImdb, FileFormat::Cifar10, FileFormat::Images, FileFormat::Jsonl, FileFormat::TextCsv] {
            let _ = load(&files(format), 0, None, &f);
        }
        let _ = list(&f);
    }

    #[test]
    fn any_text(a in "\\PC{0,60}", b in any::<Vec<u8>>(), words in 3usize..9, length in 1usize..6) {
        let s = text(words, length);
        let v = Vocabulary::fit([a.as_str()].into_iter(), &s);
        let ids = v.encode(&a, &s);
        prop_assert_eq!(ids.len(), length);
        prop_assert!(ids.iter().all(|i| (*i as usize) < words));
        for format in [FileFormat::Jsonl, FileFormat::TextCsv] {
            let _ = load(&files(format), 0, None, &[file("f", b.clone()), file("g", a.clone())]);
        }
    }
}
