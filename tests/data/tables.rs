//! Tables: separators, headers, kinds of columns, missing cells, and what is wrong with some.
use super::formats::gz;
use super::{code, f32s, file, files, names};
use nabla::data::*;
use nabla::spec::{DataSource, DataSpec, FileFormat, Missing, Problem, Spec, Split};

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
        missing: None,
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
    assert_eq!(
        at("a,y\n1,2.5\n2,3.5\noops,4.5\n"),
        of("csv-number", "4", "a")
    );
    assert_eq!(
        at("a,y\r\n1,2.5\r\n3,1\r\n\r\n\r\noops,3.5\r\n"),
        of("csv-number", "6", "a")
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

// ---- missing cells

/// Seven rows, the last two of them for testing: `a` lacks two numbers, `kind` a text, the target one row's, and `b` all.
const HOLES: &str = "a,kind,b,y\n1,red,,0.5\n,blue,NA,1.5\n5,,?,2.5\n4,red,,3.5\n9,red,,null\n2,blue,,4.5\nn/a,blue,nan,5.5\n100,red,,6.5\n";

fn holes(missing: &[(&str, Missing)]) -> DataSpec {
    let missing = missing.iter().map(|(c, m)| (c.to_string(), *m)).collect();
    let split = Split {
        test: 0.28,
        validation: 0.0,
        shuffle: false,
    };
    DataSpec {
        missing,
        split,
        ..files(FileFormat::Csv)
    }
}

fn load_holes(missing: &[(&str, Missing)]) -> Result<Dataset, Problem> {
    load(&holes(missing), 0, None, &[file("mine", HOLES)])
}

#[test]
fn missing_cells_are_filled_from_the_training_part() {
    let d = load_holes(&[]).unwrap();
    assert_eq!(d.features, ["a", "kind=blue", "kind=red"]);
    assert_eq!((d.train.len(), d.test.len()), (5, 2));
    assert_eq!(d.y, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
    // The mean of 1, 5, 4 and 2, not of the 100 that is for testing; red is as frequent as blue, and blue comes first.
    let first = [
        [1., 0., 1.],
        [3., 1., 0.],
        [5., 1., 0.],
        [4., 0., 1.],
        [2., 1., 0.],
        [3., 1., 0.],
        [100., 0., 1.],
    ];
    assert_eq!(f32s(&d.x), first.as_flattened());
    let told = |g: &Gap| (g.column.clone(), g.rows.clone(), g.with, g.value.clone());
    let told: Vec<_> = d.gaps.filled.iter().map(told).collect();
    let (mean, frequent) = (Missing::Mean, Missing::MostFrequent);
    assert_eq!(told[0], ("a".into(), vec![1, 5], mean, "3".into()));
    assert_eq!(told[1], ("kind".into(), vec![2], frequent, "blue".into()));
    assert_eq!((d.gaps.dropped, &d.gaps.empty[..]), (1, &["b".into()][..]));
    assert_eq!(d.gaps.dropping, [("y".into(), 1)]);
}

#[test]
fn each_column_has_its_own_way() {
    let a = |with| {
        let d = load_holes(&[("a", with)]).unwrap();
        f32s(&d.x)[3]
    };
    assert_eq!(a(Missing::Median), 3.0);
    assert_eq!(a(Missing::MostFrequent), 1.0);
    let d = load_holes(&[("a", Missing::Drop), ("kind", Missing::Drop)]).unwrap();
    assert_eq!(
        f32s(&d.x),
        [1., 0., 1., 4., 0., 1., 2., 1., 0., 100., 0., 1.]
    );
    assert_eq!((d.gaps.dropped, d.gaps.filled.len()), (4, 0));
    // Where the target comes first, rows are counted all the same.
    let first = b"y,a,c\n1.5,,1\n2.5,3,\n,4,4\n3.5,5,7\n";
    let options = csv::Options {
        target: Some("y"),
        ..Default::default()
    };
    let r = csv::read("t.csv", first, &options).unwrap();
    assert_eq!(
        (&r.gaps.filled[0].rows[..], &r.gaps.filled[1].rows[..]),
        (&[0][..], &[1][..])
    );
    // −1 is as frequent as 2, and less.
    let least = b"a,y\n2,1.5\n-1,2.5\n2,3.5\n-1,4.5\n7,5.5\n,6.5\n";
    let spec = DataSpec {
        split: Split::default(),
        ..holes(&[("a", Missing::MostFrequent)])
    };
    let d = load(&spec, 0, None, &[file("mine", *least)]).unwrap();
    assert_eq!(f32s(&d.x)[5], -1.0);
}

#[test]
fn what_cannot_be_done_about_missing_cells_is_said() {
    assert_eq!(code(load_holes(&[("kind", Missing::Mean)])), "csv-fill");
    assert_eq!(code(load_holes(&[("nobody", Missing::Mean)])), "csv-target");
    let read = |text: &str| {
        load(
            &holes(&[("a", Missing::Drop)]),
            0,
            None,
            &[file("mine", text)],
        )
    };
    assert_eq!(code(read("a,y\n1,\n2,NA\n3,?\n")), "csv-missing");
    assert_eq!(code(read("a,b,y\n,1,1.5\n2,1,\n")), "csv-dropped");
}

#[test]
fn a_spec_keeps_what_is_done_about_missing_cells() {
    let mut spec = nabla::spec::presets::find("logreg").unwrap();
    let plain = spec.to_json();
    spec.data.missing.insert("a".into(), Missing::MostFrequent);
    let read = Spec::from_json(&spec.to_json()).unwrap();
    assert_eq!(read.data.missing["a"], Missing::MostFrequent);
    let short = spec.to_short().to_string();
    assert_eq!(Spec::from_json(&short).unwrap(), spec);
    assert!(short.contains("most_frequent"));
    assert!(
        !Spec::from_json(&plain)
            .unwrap()
            .to_short()
            .to_string()
            .contains("missing")
    );
}
