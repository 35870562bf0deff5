//! IDX, CSV and gzip, as they should be and as they should not.
use super::{code, f32s, file, files, names};
use nabla::data::*;
use nabla::spec::{DataSource, FileFormat, Problem};
use proptest::prelude::*;
use std::io::Write;

pub fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut e = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    e.write_all(bytes).unwrap();
    e.finish().unwrap()
}

// ---- IDX

fn idx(kind: u8, shape: &[u32], body: &[u8]) -> Vec<u8> {
    let mut v = vec![0, 0, kind, shape.len() as u8];
    shape.iter().for_each(|d| v.extend(d.to_be_bytes()));
    v.extend(body);
    v
}

#[test]
fn idx_pairs_find_each_other() {
    let s = files(FileFormat::Idx);
    let train = [
        file("a/train-images-idx3-ubyte", idx(8, &[3, 2, 2], &[7; 12])),
        file("train-labels.idx1-ubyte.gz", gz(&idx(8, &[3], &[0, 4, 1]))),
    ];
    let test = [
        file("t10k-images.idx3-ubyte", idx(8, &[2, 2, 2], &[9; 8])),
        file("t10k-labels-idx1-ubyte", idx(8, &[2], &[2, 2])),
    ];
    let both = [train.clone(), test.clone()].concat();
    let d = load(&s, 0, None, &both).unwrap();
    assert_eq!((&d.train[..], &d.test[..]), (&[0, 1, 2][..], &[3, 4][..]));
    assert_eq!(
        (d.y.as_slice(), d.classes()),
        (&[0., 4., 1., 2., 2.][..], Some(5))
    );
    assert_eq!((d.shape.as_slice(), d.image), (&[2, 2][..], Some([2, 2])));
    assert!(matches!(&d.x, Values::U8(v) if v.len() == 20 && v[12] == 9));
    for one in [&train[..], &test[..]] {
        let d = load(&s, 0, None, one).unwrap();
        assert_eq!((d.test.len(), d.train.len()), (0, d.rows()));
    }
    let bad = |files: &[FileBytes]| code(load(&s, 0, None, files));
    assert_eq!(bad(&[]), "data-missing");
    assert_eq!(bad(&train[..1]), "idx-missing");
    assert_eq!(bad(&[train[0].clone(), test[1].clone()]), "idx-missing");
    assert_eq!(bad(&[train[0].clone(), train[0].clone()]), "idx-twice");
    let short = file("train-labels", idx(8, &[2], &[0, 1]));
    assert_eq!(bad(&[train[0].clone(), short]), "idx-pair");
    let wide = file("train-labels", idx(8, &[3, 1, 1], &[0; 3]));
    assert_eq!(bad(&[train[0].clone(), wide]), "idx-labels");
    let other = file("test-images", idx(8, &[2, 3], &[0; 6]));
    assert_eq!(
        bad(&[train[0].clone(), train[1].clone(), other, test[1].clone()]),
        "data-shape"
    );
    let huge = file("train-images", idx(8, &[0, u32::MAX, u32::MAX], &[]));
    let none = file("train-labels", idx(8, &[0, u32::MAX], &[]));
    assert_eq!(bad(&[huge, none]), "no-samples");
}

#[test]
fn idx_reads_every_type() {
    let read = |kind, shape: &[u32], body: &[u8]| idx::read("f", idx(kind, shape, body).into());
    let f = |kind, body: &[u8]| f32s(&read(kind, &[2], body).unwrap().values);
    assert_eq!(f(0x09, &[0xFF, 2]), [-1.0, 2.0]);
    assert_eq!(f(0x0B, &[0xFF, 0xFE, 1, 0]), [-2.0, 256.0]);
    assert_eq!(f(0x0C, &[0, 0, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF]), [3.0, -1.0]);
    let be: Vec<u8> = [1.5f32, -2.5]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    assert_eq!(f(0x0D, &be), [1.5, -2.5]);
    let be: Vec<u8> = [1.5f64, -2.5]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    assert_eq!(f(0x0E, &be), [1.5, -2.5]);
    assert_eq!(code(read(0x07, &[1], &[0])), "idx-type");
    assert_eq!(code(read(0x08, &[3], &[0])), "idx-length");
    assert_eq!(code(read(0x08, &[1], &[0, 0])), "idx-length");
    assert_eq!(code(read(0x08, &[u32::MAX; 7], &[0])), "idx-length");
    assert_eq!(code(read(0x08, &[], &[0])), "idx-magic");
    assert_eq!(code(idx::read("f", b"\x89PNG"[..].into())), "idx-magic");
    assert_eq!(code(idx::read("f", b""[..].into())), "idx-magic");
}

#[test]
fn idx_float_labels_are_a_regression() {
    let s = files(FileFormat::Idx);
    let y: Vec<u8> = [0.5f32, f32::NAN]
        .iter()
        .flat_map(|v| v.to_be_bytes())
        .collect();
    let images = file("images", idx(8, &[2], &[1, 2]));
    let d = load(
        &s,
        0,
        None,
        &[images.clone(), file("labels", idx(13, &[1, 2], &y))],
    );
    assert_eq!(code(d), "idx-pair");
    let nan = load(&s, 0, None, &[images, file("labels", idx(13, &[2], &y))]);
    assert_eq!(code(nan), "data-not-finite");
}

// ---- CSV

fn csv(text: &str) -> Result<Raw, Problem> {
    csv::read("t.csv", text.as_bytes(), &csv::Options::default())
}

#[test]
fn csv_finds_separator_header_and_kinds() {
    let r = csv("\u{feff}a;b;y\r\n1,5;2;0,25\r\n3;4;0,5\r\n").unwrap();
    assert_eq!(r.features, ["a", "b"]);
    assert_eq!(f32s(&r.x), [1.5, 2.0, 3.0, 4.0]);
    assert_eq!(
        (names(&r.target), &r.y[..]),
        (&["y".into()][..], &[0.25, 0.5][..])
    );
    let r = csv("1\t2\t7.5\n3\t4\t8.5\n").unwrap();
    assert_eq!(
        (r.features, r.y),
        (vec!["x1".into(), "x2".into()], vec![7.5, 8.5])
    );
    // As UCI gives iris: no header, texts as target.
    let r = csv("5.1,3.5,setosa\n4.9,3.0,setosa\n6.0,2.0,other\n\n").unwrap();
    assert_eq!((names(&r.target).len(), &r.y[..]), (2, &[1., 1., 0.][..]));
    // Texts only, without a header and with one.
    assert_eq!(csv("a,p\nb,q\na,p\nb,q\n").unwrap().y.len(), 4);
    assert_eq!(csv("cap,kind\na,p\nb,q\na,p\nb,q\n").unwrap().y.len(), 4);
    // Quotes hold separators and line ends.
    let r = csv("t,y\n\"a,\n1\",1.5\n\"b\",2.5\n").unwrap();
    assert_eq!(r.features, ["t=a,\n1", "t=b"]);
    // pandas' index is left out.
    let r = csv(",a,y\n0,5,1.5\n1,6,2.5\n").unwrap();
    assert_eq!((r.features, f32s(&r.x)), (vec!["a".into()], vec![5.0, 6.0]));
    let r = csv(",a,y\n3,5,1.5\n9,6,2.5\n").unwrap();
    assert_eq!(r.features, ["x1", "a"]);
}

#[test]
fn csv_one_hot_and_classes() {
    let r = csv("color,size,y\nred,1,10\nblue,2,20\nred,3,10\n").unwrap();
    assert_eq!(r.features, ["color=blue", "color=red", "size"]);
    assert_eq!(f32s(&r.x), [0., 1., 1., 1., 0., 2., 0., 1., 3.]);
    assert_eq!(
        (names(&r.target), &r.y[..]),
        (&["10".into(), "20".into()][..], &[0., 1., 0.][..])
    );
    let read = |o: csv::Options| csv::read("t.csv", b"y,a\n2,1\n10.0,2\n2.0,3\n", &o);
    let by_name = |classes, regression| csv::Options {
        target: Some("y"),
        classes,
        regression,
    };
    let r = read(by_name(None, false)).unwrap();
    assert_eq!(
        (names(&r.target), &r.y[..]),
        (&["2".into(), "10".into()][..], &[0., 1., 0.][..])
    );
    assert_eq!(read(by_name(None, true)).unwrap().y, [2.0, 10.0, 2.0]);
    assert_eq!(read(by_name(Some(2), true)).unwrap().y, [0.0, 1.0, 0.0]);
    assert_eq!(read(by_name(Some(11), false)).unwrap().y, [2.0, 10.0, 2.0]);
    assert_eq!(code(read(by_name(Some(3), false))), "csv-classes");
    let many: String = (0..30).map(|i| format!("0.5,{i}\n")).collect();
    assert!(matches!(csv(&many).unwrap().target, Target::Values { .. }));
}

#[test]
fn csv_problems_name_line_and_column() {
    let at = |text: &str| {
        let p = csv(text).unwrap_err();
        let get = |k: &str| p.args.get(k).cloned().unwrap_or_default();
        (p.code.clone(), get("line"), get("column"))
    };
    let of = |c: &str, l: &str, n: &str| (c.to_string(), l.to_string(), n.to_string());
    assert_eq!(at("a,y\n1,2.5\n\n,3.5\n"), of("csv-missing", "4", "a"));
    assert_eq!(
        at("a,y\r\n1,2.5\r\n\r\n\r\nNA,3.5\r\n"),
        of("csv-missing", "5", "a")
    );
    assert_eq!(at("a,y\n1,2.5\n2,nan\n"), of("csv-missing", "3", "y"));
    assert_eq!(
        at("a,y\n1,2.5\n2,3.5\noops,4.5\n"),
        of("csv-number", "4", "a")
    );
    assert_eq!(
        at("a,y\n1,2.5\n2,1e99\n3,4.5\n"),
        of("csv-number", "3", "y")
    );
    assert_eq!(at("a,y\n1,2.5\n2\n"), of("csv-columns", "3", ""));
    assert_eq!(at("a,y\n"), of("csv-empty", "", ""));
    assert_eq!(at(""), of("csv-empty", "", ""));
    assert_eq!(at("y\n1.5\n2.5\n").0, "csv-columns");
    let many: String = (0..60).map(|i| format!("t{i}x,1.5\n")).collect();
    assert_eq!(at(&format!("a,y\n{many}")), of("csv-text", "", "a"));
    let o = csv::Options {
        target: Some("z"),
        ..Default::default()
    };
    assert_eq!(code(csv::read("t", b"a,b\n1,2\n", &o)), "csv-target");
}

#[test]
fn csv_files_load() {
    let mut s = files(FileFormat::Csv);
    let a = file("a.csv", "a,y\n1,2.5\n");
    let mine = file("mine", gz(b"a,b,y\n1,2,2.5\n3,4,5\n"));
    let d = load(&s, 0, None, &[a.clone(), mine]).unwrap();
    assert_eq!((d.rows(), d.features_len(), d.image), (2, 2, None));
    assert_eq!(
        load(&s, 0, None, std::slice::from_ref(&a)).unwrap().rows(),
        1
    );
    if let DataSource::Files { shape, .. } = &mut s.source {
        *shape = vec![3];
    }
    assert_eq!(code(load(&s, 0, None, &[a])), "data-shape");
}

// ---- gzip

#[test]
fn gzip_is_bounded() {
    let bomb = gz(&vec![0; 1 << 20]);
    assert!(bomb.len() < 10_000);
    assert_eq!(
        code(gzip::gunzip_up_to("f", &bomb, (1 << 20) - 1)),
        "gzip-size"
    );
    assert_eq!(
        gzip::gunzip_up_to("f", &bomb, 1 << 20).unwrap().len(),
        1 << 20
    );
    assert_eq!(code(gzip::gunzip("f", &bomb[..500])), "gzip");
    assert_eq!(gzip::gunzip("f", b"plain").unwrap(), &b"plain"[..]);
    let two = [gz(b"one "), gz(b"two")].concat();
    assert_eq!(gzip::gunzip("f", &two).unwrap(), &b"one two"[..]);
}

// ---- hostile input

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn malformed_idx_is_refused_quietly(
        kind in prop_oneof![Just(8u8), Just(13), any::<u8>()],
        shape in prop::collection::vec(prop_oneof![0u32..5, any::<u32>()], 0..9),
        body in prop::collection::vec(any::<u8>(), 0..80),
        cut in 0usize..60,
        labels in any::<bool>(),
    ) {
        let mut bytes = idx(kind, &shape, &body);
        bytes.truncate(bytes.len().saturating_sub(cut));
        let _ = idx::read("f", bytes.clone().into());
        let s = files(FileFormat::Idx);
        let other = if labels { idx(8, &[2], &[1, 2]) } else { idx(8, &[2, 1], &[1, 2]) };
        let (a, b) = if labels { ("images", "labels") } else { ("labels", "images") };
        if let Ok(d) = load(&s, 0, None, &[file(a, bytes), file(b, other)]) {
            prop_assert_eq!(d.rows() * d.features_len(), d.x.len());
        }
    }

    #[test]
    fn any_bytes_as_csv(bytes in prop::collection::vec(any::<u8>(), 0..200), classes in prop::option::of(0usize..5)) {
        let o = csv::Options { classes, ..Default::default() };
        let _ = csv::read("f", &bytes, &o);
    }

    #[test]
    fn nearly_csv(text in "([0-9]{1,2}|a|b|NA|\"|,|,|;|\t|\n|\r\n|-|e|\\.){0,60}", classes in prop::option::of(0usize..5)) {
        let o = csv::Options { classes, ..Default::default() };
        if let Ok(r) = csv::read("f", text.as_bytes(), &o) {
            prop_assert_eq!(r.y.len() * r.shape[0], r.x.len());
            prop_assert_eq!(r.features.len(), r.shape[0]);
            if let Target::Classes { names } = &r.target {
                prop_assert!(r.y.iter().all(|k| (*k as usize) < names.len()));
            }
        }
    }

    #[test]
    fn damaged_gzip(at in 0usize..2000, with in any::<u8>(), cut in 0usize..2000) {
        let text: Vec<u8> = (0..3000u32).map(|i| (i * i) as u8).collect();
        let mut bytes = gz(&text);
        let n = bytes.len();
        bytes[at % n] ^= with;
        bytes.truncate(n - cut % n);
        if let Ok(out) = gzip::gunzip_up_to("f", &bytes, 4000) {
            prop_assert!(out.len() <= 4000);
        }
    }
}

/// What comes in pieces of any size is what comes at once; damage and size are noticed on the way.
#[test]
fn gzip_in_pieces() {
    use nabla::data::gzip::{Unpacker, gunzip};
    let bytes: Vec<u8> = (0..200_000u32)
        .map(|i| (i.wrapping_mul(i) >> 7) as u8)
        .collect();
    let packed = gz(&bytes);
    for size in [1, 7, 4096, packed.len()] {
        let mut out = Unpacker::new("x.gz", 1 << 20, true);
        for piece in packed.chunks(size) {
            out.push(piece).unwrap();
        }
        assert_eq!(out.finish().unwrap(), *gunzip("x.gz", &packed).unwrap());
    }
    let whole = |max: usize, packed_too: bool, bytes: &[u8]| {
        let mut out = Unpacker::new("x.gz", max, packed_too);
        out.push(bytes).and_then(|()| out.finish())
    };
    assert_eq!(
        whole(10, true, b"plain text, no gzip").unwrap(),
        b"plain text, no gzip"
    );
    assert_eq!(whole(10, false, &packed).unwrap(), packed);
    assert_eq!(whole(1000, true, &packed).unwrap_err().code, "gzip-size");
    assert_eq!(
        whole(1 << 20, true, &packed[..packed.len() / 2])
            .unwrap_err()
            .code,
        "gzip"
    );
    assert_eq!(whole(9, true, &[0x1f]).unwrap(), [0x1f]);
}
