#!/usr/bin/env python3
"""Packs the UCI sets that scikit-learn bundles into www/data/.

    python3 tests/reference/pack_data.py [folder with the CSV files]

The folder (default: ../shared/data/sklearn beside this repository) holds digits.csv, iris.csv,
breast_cancer.csv and diabetes.csv: a header, then the columns of scikit-learn's `load_*`
(diabetes: the raw one, `scaled=False`), target last. Needs nothing but the standard library.

Output:
  digits.bin.gz         gzip of 1797*64 pixel bytes (0..16, row-major), then 1797 label bytes
  iris.csv.gz           gzip of CSV: scikit-learn's feature names, target last
  breast_cancer.csv.gz  the same
  diabetes.csv.gz       the same
"""
import csv
import gzip
import io
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/sklearn"
OUT = ROOT / "www/data"


def read(name):
    with open(SOURCE / f"{name}.csv", newline="") as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:]


def write(name, data):
    # No time and no file name in the header, so that the same input gives the same bytes.
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as f:
        f.write(data)
    (OUT / name).write_bytes(out.getvalue())
    print(f"{name}: {len(data)} -> {len(out.getvalue())} bytes")


def number(text):
    """The shortest text of the same number: 59.0 becomes 59."""
    value = float(text)
    return str(int(value)) if value.is_integer() else repr(value)


def feature(name):
    name = name.replace("_", " ")
    return name[: -len(" cm")] + " (cm)" if name.endswith(" cm") else name


def digits():
    _, rows = read("digits")
    rows = [[int(v) for v in r] for r in rows]
    assert len(rows) == 1797 and all(len(r) == 65 and max(r[:64]) <= 16 for r in rows)
    pixels = bytes(v for r in rows for v in r[:64])
    write("digits.bin.gz", pixels + bytes(r[64] for r in rows))


def table(name, target):
    header, rows = read(name)
    lines = [[feature(h) for h in header[:-1]] + [target]]
    lines += [[number(v) for v in r] for r in rows]
    text = "".join(",".join(r) + "\n" for r in lines)
    write(f"{name}.csv.gz", text.encode())


digits()
table("iris", "species")
table("breast_cancer", "diagnosis")
table("diabetes", "disease progression")
