//! CIFAR-10's binary version: records of a label and three planes of 32×32 bytes. Source:
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.
use super::{FileBytes, Pauses, Raw, Target, Values, archive, gzip::gunzip};
use crate::spec::Problem;

const PIXELS: usize = 3 * 32 * 32;
const RECORD: usize = 1 + PIXELS;
pub const CLASSES: [&str; 10] = [
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
];

fn own_name(path: &str) -> String {
    path.rsplit(['/', '\\'])
        .next()
        .unwrap_or(path)
        .to_lowercase()
}

/// Whether a file's name is one of CIFAR-10's batches.
pub fn is_batch(path: &str) -> bool {
    let name = own_name(path);
    name.contains("data_batch") || name.contains("test_batch")
}

/// The batches `data_batch_1.bin` … `test_batch.bin`, gzipped or not, or the archive that holds
/// them; x is u8 `[3, 32, 32]`. `test` in a name marks the test part; a lone test part is all the data. Batches are
/// taken in the order of their names.
///
/// Errors: `cifar-length`, `cifar-label`, `no-samples`, and those of [`gunzip`] and
/// [`archive::unpack`].
pub async fn load(
    name: &str,
    files: &[FileBytes],
    pauses: &mut Pauses<'_>,
) -> Result<Raw, Problem> {
    let mut files = archive::unpack(files, is_batch, pauses).await?;
    files.sort_by_key(|f| (own_name(&f.name).contains("test"), own_name(&f.name)));
    let (mut x, mut y, mut train) = (Vec::new(), Vec::new(), 0);
    let all_bytes = files.iter().map(|f| f.bytes.len()).sum();
    pauses.stage(0.5..1.0, all_bytes);
    for f in &files {
        let bytes = gunzip(&f.name, &f.bytes)?;
        if bytes.is_empty() || bytes.len() % RECORD != 0 {
            return Err(Problem::new("cifar-length")
                .arg("file", &f.name)
                .arg("got", bytes.len())
                .arg("record", RECORD));
        }
        for record in bytes.chunks_exact(RECORD) {
            if record[0] > 9 {
                return Err(Problem::new("cifar-label")
                    .arg("file", &f.name)
                    .arg("index", y.len())
                    .arg("got", record[0]));
            }
            y.push(f32::from(record[0]));
            x.extend_from_slice(&record[1..]);
        }
        pauses.after(f.bytes.len()).await?;
        if !own_name(&f.name).contains("test") {
            train = y.len();
        }
    }
    let all = y.len();
    Ok(Raw {
        shape: vec![3, 32, 32],
        target: Target::Classes {
            names: CLASSES.map(String::from).to_vec(),
        },
        test: (train > 0 && train < all).then_some(train..all),
        ..Raw::of(name, Values::U8(x), y)
    })
}
