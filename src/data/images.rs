//! Pictures in a folder per class. Decoding is the browser's work: [`list`] says which pictures
//! there are, [`pack`] takes their pixels, and [`decoded`] reads what it packed.
use super::{FileBytes, Pauses, Raw, Target, Values, archive};
use crate::spec::Problem;
use std::collections::BTreeSet;

/// Pictures, at most.
const MAX_PICTURES: usize = 200_000;
const MAX_BYTES: usize = 512 << 20;
const KINDS: [&str; 7] = [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif"];

/// A picture that is still to be decoded.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    pub file: FileBytes,
    pub class: String,
    pub test: bool,
}

/// Shape of a picture; class and part of each.
type Header = (Vec<usize>, Vec<(String, bool)>);

/// Whether a name is that of a picture.
pub fn is_picture(path: &str) -> bool {
    let path = path.to_lowercase();
    KINDS.iter().any(|k| path.ends_with(k))
}

/// The pictures of folders and archives, in the order of their paths; `[train or test/]class/name`.
///
/// Errors: `image-folders` unless there are two classes, and those of [`archive::unpack`].
pub async fn list(files: &[FileBytes], pauses: &mut Pauses<'_>) -> Result<Vec<Picture>, Problem> {
    let mut files = archive::unpack(files, is_picture, pauses).await?;
    files.retain(|f| is_picture(&f.name));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.len() > MAX_PICTURES {
        return Err(Problem::new("data-too-big")
            .arg("got", format!("{} pictures", files.len()))
            .arg("max", MAX_PICTURES));
    }
    let all: Vec<Picture> = files
        .into_iter()
        .filter_map(|file| {
            let parts: Vec<&str> = file.name.split('/').collect();
            let [folders @ .., class, _] = &parts[..] else {
                return None;
            };
            let (class, test) = (class.to_string(), folders.contains(&"test"));
            Some(Picture { file, class, test })
        })
        .collect();
    let classes: BTreeSet<&str> = all.iter().map(|p| p.class.as_str()).collect();
    if classes.len() < 2 {
        return Err(Problem::new("image-folders"));
    }
    Ok(all)
}

/// Pixels `[pictures, channels, height, width]` of `list`'s pictures, as one file for [`decoded`].
/// `shape` is `[channels, height, width]`, or `[height, width]` for grey.
pub fn pack(pictures: &[Picture], shape: &[usize], pixels: &[u8]) -> Result<FileBytes, Problem> {
    let each = super::count(shape);
    if pixels.len() != each.saturating_mul(pictures.len()) {
        return Err(Problem::new("data-size")
            .arg("got", pixels.len())
            .arg("shape", format!("{shape:?}"))
            .arg("want", each.saturating_mul(pictures.len())));
    }
    let header: Vec<(&str, bool)> = pictures
        .iter()
        .map(|p| (p.class.as_str(), p.test))
        .collect();
    let header = crate::json::write(&(shape, header));
    let mut bytes = (header.len() as u32).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(pixels);
    Ok(FileBytes {
        name: "pictures".to_string(),
        bytes,
    })
}

/// Pictures that [`pack`] packed: u8, classes in the order of their names, the test part last.
///
/// Errors: `image-decode` when these are no decoded pictures.
pub fn decoded(name: &str, files: &[FileBytes]) -> Result<Raw, Problem> {
    let read = || -> Option<(Header, &[u8])> {
        let bytes = &files.first()?.bytes;
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (header, pixels) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let header = std::str::from_utf8(header).ok()?;
        let (shape, pictures): Header = crate::json::read(header).ok()?;
        let want = super::count(&shape).checked_mul(pictures.len())?;
        (pixels.len() == want && want <= MAX_BYTES && want > 0)
            .then_some(((shape, pictures), pixels))
    };
    let ((shape, pictures), pixels) =
        read().ok_or_else(|| Problem::new("image-decode").arg("file", name))?;
    let names: BTreeSet<&str> = pictures.iter().map(|(c, _)| c.as_str()).collect();
    let names: Vec<String> = names.into_iter().map(String::from).collect();
    let each = super::count(&shape);
    let mut order: Vec<usize> = (0..pictures.len()).collect();
    order.sort_by_key(|i| pictures[*i].1);
    let mut x = Vec::with_capacity(pixels.len());
    let mut y = Vec::with_capacity(order.len());
    for i in order {
        x.extend_from_slice(&pixels[i * each..][..each]);
        let class = names.binary_search(&pictures[i].0).unwrap_or(0);
        y.push(class as f32);
    }
    let train = pictures.iter().filter(|p| !p.1).count();
    let all = pictures.len();
    Ok(Raw {
        shape,
        target: Target::Classes { names },
        test: (train > 0 && train < all).then_some(train..all),
        ..Raw::of(name, Values::U8(x), y)
    })
}
