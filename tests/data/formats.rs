//! IDX and gzip, as they should be and as they should not; any bytes as any table.
use super::{code, f32s, file, files};
use nabla::data::*;
use nabla::spec::FileFormat;
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
