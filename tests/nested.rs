//! Groups within groups, and the connections that are drawn beside the cards.
#![cfg(not(target_arch = "wasm32"))]
mod common;

use common::preset;
use nabla::graph::check;
use nabla::graph::repair::repairs;
use nabla::spec::edit::{self, Place, Row, path};
use nabla::spec::flow::{End, LANES, Link, flow};
use nabla::spec::*;

/// Layers `a`, `b`, … of 64 numbers with these groups; each reads the one before it.
fn chain(groups: &[&str]) -> Spec {
    let mut spec = preset("digits-mlp");
    let kind = LayerKind::Linear {
        units: 64,
        bias: true,
        activation: None,
        weight_init: None,
        bias_init: None,
    };
    let names = ('a'..='z').map(|c| c.to_string());
    spec.layers = (names.zip(groups))
        .map(|(id, group)| LayerSpec {
            group: (!group.is_empty()).then(|| group.to_string()),
            ..LayerSpec::new(&id, kind.clone())
        })
        .collect();
    spec
}

fn groups(spec: &Spec) -> Vec<&str> {
    spec.layers
        .iter()
        .map(|l| l.group.as_deref().unwrap_or(""))
        .collect()
}

fn ids(spec: &Spec) -> String {
    spec.layers.iter().map(|l| l.id.as_str()).collect()
}

fn within(group: &str, at: usize) -> Place {
    let group = Some(group.to_string());
    Place { at, group }
}

#[test]
fn rows_of_groups_hold_rows_of_groups() {
    let s = chain(&["", "x", "x/y", "x/y/z", "x", ""]);
    assert!(s.validate().is_empty());
    let group = |name: &str, layers| Row::Group {
        name: name.to_string(),
        layers,
    };
    let top = [Row::Layer(0), group("x", 1..5), Row::Layer(5)];
    assert_eq!(edit::rows(&s), top);
    let inner = [Row::Layer(1), group("x/y", 2..4), Row::Layer(4)];
    assert_eq!(edit::rows_in(&s, Some("x"), 1..5), inner);
    let inner = [Row::Layer(2), group("x/y/z", 3..4)];
    assert_eq!(edit::rows_in(&s, Some("x/y"), 2..4), inner);
    assert_eq!(edit::run_of(&s, "x"), Some(1..5));
    assert_eq!(edit::run_of(&s, "x/y/z"), Some(3..4));
    // `xy` does not lie in `x`.
    assert!(!path::is_within(Some("xy"), Some("x")));
    assert_eq!(edit::free_group(&chain(&["x1", "y/x2"]), "x"), "x3");
    // As a file and as a link.
    assert_eq!(Spec::from_json(&s.to_json()).expect("sound"), s);
    assert_eq!(
        Spec::from_json(&s.to_short().to_string()).expect("sound"),
        s
    );
}

#[test]
fn what_is_wrong_with_a_nested_group_is_said_and_mended() {
    let cases: [(&[&str], &str, &str, &[&str]); 5] = [
        (
            &["x/y", "x", "x/y"],
            "group-split",
            "x/y",
            &["x/y", "x", "x/group1"],
        ),
        (
            &["x/y", "", "x"],
            "group-split",
            "x",
            &["x/y", "", "group1"],
        ),
        (
            &["x", "x/no name/z", "x"],
            "layer-id",
            "no name",
            &["x", "x/group1/z", "x"],
        ),
        (&["x", "x/", "x"], "layer-id", "", &["x", "x/group1", "x"]),
        (
            &["a/b/c/d/e/f", "a/b/c/d/e/f/g"],
            "group-depth",
            "a/b/c/d/e/f/g",
            &["a/b/c/d/e/f", "a/b/c/d/e/f"],
        ),
    ];
    for (given, code, id, mended) in cases {
        let s = chain(given);
        let problems = s.validate();
        assert_eq!(problems.len(), 1, "{given:?}: {problems:?}");
        assert_eq!((&*problems[0].code, &*problems[0].args["id"]), (code, id));
        let found = repairs(&s, None, &problems[0]);
        assert_eq!(groups(&found[0].spec), mended);
        assert!(found[0].spec.validate().is_empty());
    }
}

#[test]
fn grouping_in_a_group_nests_and_dissolving_takes_one_level_away() {
    let mut s = chain(&["", "", "", "", ""]);
    let outer = edit::group(&mut s, 1..5, "block").expect("can be");
    let inner = edit::group(&mut s, 2..4, "block").expect("can be");
    assert_eq!((&*outer, &*inner), ("block1", "block1/block2"));
    // Whole groups and layers beside them: they lie in the new one.
    assert!(!edit::can_group(&s, &(0..3)));
    let all = edit::group(&mut s, 0..5, "block").expect("can be");
    assert_eq!(all, "block3");
    let now = ["block3", "block3/block1", "block3/block1/block2"];
    assert_eq!(groups(&s), [now[0], now[1], now[2], now[2], now[1]]);
    edit::rename_group(&mut s, now[1], "encoder");
    assert_eq!(s.layers[2].group.as_deref(), Some("block3/encoder/block2"));
    edit::ungroup(&mut s, "block3/encoder");
    assert_eq!(
        groups(&s),
        [
            "block3",
            "block3",
            "block3/block2",
            "block3/block2",
            "block3"
        ]
    );
    edit::ungroup(&mut s, "block3");
    assert_eq!(groups(&s), ["", "", "block2", "block2", ""]);
    // What comes out beside a group of the same name gets another.
    let mut s = chain(&["x/y", "x", "y"]);
    edit::ungroup(&mut s, "x");
    assert_eq!(groups(&s), ["y1", "", "y"]);
    let mut s = chain(&["x/x", "x"]);
    edit::ungroup(&mut s, "x");
    assert_eq!(groups(&s), ["x", ""]);
    // Too deep is refused.
    let mut s = chain(&["a/b/c/d/e/f", "a/b/c/d/e/f"]);
    assert_eq!(edit::group(&mut s, 0..1, "block"), None);
    // A residual block around part of a group lies in it.
    let mut s = chain(&["x", "x", "x", ""]);
    assert_eq!(edit::residual(&mut s, 1..3).as_deref(), Some("x/residual1"));
    assert_eq!(
        groups(&s),
        ["x", "x/residual1", "x/residual1", "x/residual1", ""]
    );
    assert_eq!(s.layers[3].inputs, ["a", "c"]);
    assert!(s.validate().is_empty());
}

#[test]
fn layers_and_groups_step_through_every_level() {
    let s = chain(&["", "x/y", "x", ""]);
    let open = |_: &str| true;
    assert_eq!(edit::step(&s, 0, true, &open), Some(within("x", 1)));
    assert_eq!(edit::step(&s, 0, true, &|_| false), Some(Place::at(3)));
    assert_eq!(edit::step(&s, 1, false, &open), Some(within("x", 1)));
    assert_eq!(edit::step(&s, 2, false, &open), Some(within("x/y", 2)));
    assert_eq!(edit::step(&s, 2, true, &open), Some(Place::at(3)));
    // The inner group past its neighbour, out, and into another.
    assert_eq!(
        edit::step_group(&s, "x/y", true, &open),
        Some(within("x", 3))
    );
    assert_eq!(
        edit::step_group(&s, "x/y", false, &open),
        Some(Place::at(1))
    );
    let mut s = chain(&["v", "x/y", "x/y/z"]);
    let into = edit::step_group(&s, "x", false, &open).expect("up");
    assert_eq!(into, within("v", 1));
    assert_eq!(
        edit::step_group(&s, "x", false, &|_| false),
        Some(Place::at(0))
    );
    edit::shift(&mut s, 1..3, &into, Some("x"));
    assert_eq!(groups(&s), ["v", "v/x/y", "v/x/y/z"]);
    assert!(s.validate().is_empty());
    // Not into itself, nor where it stands, nor too deep.
    let mut deep = chain(&["a/b/c/d/e", "v/w", ""]);
    for (range, to, group) in [
        (1..2, within("v/w", 2), "v"),
        (1..2, within("v", 1), "v/w"),
        (1..2, within("a/b/c/d/e", 1), "v"),
    ] {
        let before = deep.clone();
        assert!(!edit::can_shift(&deep, &range, &to, Some(group)));
        edit::shift(&mut deep, range, &to, Some(group));
        assert_eq!(deep, before);
    }
    edit::shift(&mut deep, 1..2, &within("a/b/c/d/e", 1), Some("v/w"));
    assert_eq!(groups(&deep), ["a/b/c/d/e", "a/b/c/d/e/w", ""]);
    // Beside a group of the same name it gets another.
    let mut s = chain(&["x/y", "x", "y"]);
    edit::shift(&mut s, 2..3, &within("x", 2), Some("y"));
    assert_eq!(groups(&s), ["x/y", "x", "x/y1"]);
}

#[test]
fn copies_keep_what_lies_in_them_and_tear_nothing() {
    let mut s = chain(&["", "x/y", "x", ""]);
    let copies = edit::duplicate(&mut s, 1..3, Some("x"));
    assert_eq!(copies, ["b1", "c1"]);
    assert_eq!(groups(&s), ["", "x/y", "x", "x1/y", "x1", ""]);
    edit::duplicate(&mut s, 1..2, Some("x/y"));
    assert_eq!(groups(&s)[..4], ["", "x/y", "x/y1", "x"]);
    assert!(s.validate().is_empty());
    // Chosen layers with two whole groups among them, and with half of one.
    let mut s = chain(&["x", "y", "", "z", "z"]);
    edit::duplicate(&mut s, 0..3, None);
    assert_eq!(groups(&s), ["x", "y", "", "x1", "y1", "", "z", "z"]);
    assert!(s.validate().is_empty());
    let mut s = chain(&["", "z", "z", ""]);
    edit::duplicate(&mut s, 0..2, None);
    assert_eq!(ids(&s), "abca1b1d");
    assert_eq!(groups(&s), ["", "z", "z", "", "", ""]);
    assert!(s.validate().is_empty());
}

#[test]
fn a_transformer_block_holds_its_two_halves() {
    let s = preset("imdb-conv1d");
    let shape = check(&s, None).layers[0].shape.clone();
    let block = edit::block(&s, 1, "transformer-block", Some(&shape));
    let mut placed = s.clone();
    edit::insert(&mut placed, &Place::at(1), block.clone());
    assert_eq!(edit::run_of(&placed, "transformer1"), Some(1..9));
    assert_eq!(
        edit::run_of(&placed, "transformer1/self-attention1"),
        Some(1..4)
    );
    assert_eq!(
        edit::run_of(&placed, "transformer1/feed-forward1"),
        Some(4..9)
    );
    // Within a group it is one level deeper, and too deep it is flat.
    let mut placed = chain(&["x", "x"]);
    edit::insert(&mut placed, &within("x", 1), block.clone());
    let group = placed.layers[1].group.as_deref();
    assert_eq!(group, Some("x/transformer1/self-attention1"));
    let mut placed = chain(&["a/b/c/d/e", "a/b/c/d/e"]);
    edit::insert(&mut placed, &within("a/b/c/d/e", 1), block);
    assert!(groups(&placed).iter().all(|g| *g == "a/b/c/d/e"));
}

fn reads(spec: &mut Spec, id: &str, inputs: &[&str]) {
    let layer = spec.layers.iter_mut().find(|l| l.id == id).expect("it is");
    layer.inputs = inputs.iter().map(|i| i.to_string()).collect();
}

fn link(from: &str, to: &str, past: usize, lane: usize) -> Link {
    let end = |name: &str| match name {
        "input" => End::Input,
        name if name.len() > 1 => End::Group(name.to_string()),
        name => End::Layer(name.to_string()),
    };
    Link {
        from: end(from),
        to: end(to),
        past,
        lane,
    }
}

#[test]
fn connections_lie_in_lanes_that_do_not_meet() {
    // Two skips one behind the other, and one around both.
    let mut s = chain(&[""; 7]);
    assert_eq!(flow(&s, &|_| true).links, []);
    reads(&mut s, "c", &["a", "b"]);
    reads(&mut s, "e", &["c", "d"]);
    reads(&mut s, "g", &["input", "f"]);
    let f = flow(&s, &|_| true);
    let links = [
        link("a", "c", 1, 0),
        link("c", "e", 1, 0),
        link("input", "g", 6, 1),
    ];
    assert_eq!((&f.links[..], f.lanes), (&links[..], 2));
    assert!(f.apart.is_empty());
    // A T: two ways from one layer, joined; nothing goes from one way to the other.
    let mut s = chain(&[""; 4]);
    reads(&mut s, "b", &["a"]);
    reads(&mut s, "c", &["a"]);
    reads(&mut s, "d", &["b", "c"]);
    let f = flow(&s, &|_| true);
    assert_eq!(f.links, [link("a", "c", 1, 0), link("b", "d", 1, 1)]);
    assert_eq!(f.apart.into_iter().collect::<Vec<_>>(), [2]);
    // Everything reads everything: the lanes are bounded.
    let mut s = chain(&[""; 20]);
    let ids: Vec<String> = s.layers.iter().map(|l| l.id.clone()).collect();
    for (i, layer) in s.layers.iter_mut().enumerate().skip(1) {
        layer.inputs = ids[..i].to_vec();
    }
    let f = flow(&s, &|_| true);
    assert_eq!((f.links.len(), f.lanes), (18 * 19 / 2, LANES));
    let beside = |a: &Link, b: &Link| a.lane == b.lane && a.lane + 1 < LANES;
    let row = |e: &End| match e {
        End::Layer(id) => ids.iter().position(|i| i == id).expect("it is"),
        _ => unreachable!(),
    };
    for (i, a) in f.links.iter().enumerate() {
        for b in f.links[..i].iter().filter(|b| beside(a, b)) {
            assert!(row(&a.to) <= row(&b.from) || row(&b.to) <= row(&a.from));
        }
    }
}

#[test]
fn a_closed_group_takes_the_connections_of_its_layers() {
    let mut s = chain(&["", "xx", "xx/yy", "xx/yy", "xx", ""]);
    reads(&mut s, "d", &["b", "c"]);
    reads(&mut s, "e", &["a", "d"]);
    reads(&mut s, "f", &["c", "e"]);
    let open = |names: &'static [&str]| move |g: &str| names.contains(&g);
    let all = flow(&s, &open(&["xx", "xx/yy"]));
    let links = [
        link("b", "d", 1, 0),
        link("c", "f", 2, 1),
        link("a", "e", 3, 2),
    ];
    assert_eq!(all.links, links);
    let inner = flow(&s, &open(&["xx"]));
    assert_eq!(
        inner.links,
        [link("xx/yy", "f", 1, 0), link("a", "e", 2, 1)]
    );
    // From a to the group and from it to f: that is what the rows say by themselves.
    let closed = flow(&s, &open(&[]));
    assert_eq!((closed.links, closed.lanes), (Vec::new(), 0));
    assert!(closed.apart.is_empty());
    // What is read but not there, or later, is no connection.
    reads(&mut s, "b", &["nothing", "f"]);
    assert_eq!(flow(&s, &open(&["xx", "xx/yy"])).links, links);
}
