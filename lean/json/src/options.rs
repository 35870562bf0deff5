//! What `#[serde(…)]` says.
use crate::names::Case;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, ExprPath, LitStr, Result, Token};

#[derive(Default)]
pub struct Container {
    pub tag: Option<String>,
    pub untagged: bool,
    pub default: bool,
    /// Of an enum's variants, or a struct's fields.
    pub case: Case,
    /// Of the fields of an enum's variants.
    pub variant_fields: Case,
}

impl Container {
    pub fn of(attributes: &[Attribute]) -> Result<Container> {
        let mut options = Container::default();
        each(attributes, |meta| {
            if meta.path.is_ident("tag") {
                options.tag = Some(text(meta)?.value());
            } else if meta.path.is_ident("untagged") {
                options.untagged = true;
            } else if meta.path.is_ident("default") {
                options.default = true;
            } else if meta.path.is_ident("rename_all") {
                options.case = case(meta)?;
            } else if meta.path.is_ident("rename_all_fields") {
                options.variant_fields = case(meta)?;
            } else {
                return Err(meta.error("not known here"));
            }
            Ok(())
        })?;
        Ok(options)
    }

    pub fn fields(&self) -> Case {
        self.case
    }
}

/// What a field that is not there becomes.
#[derive(Default)]
pub enum Fallback {
    #[default]
    None,
    Default,
    Of(ExprPath),
}

#[derive(Default)]
pub struct Field {
    pub fallback: Fallback,
    pub flatten: bool,
    pub with: Option<ExprPath>,
}

impl Field {
    pub fn of(attributes: &[Attribute]) -> Result<Field> {
        let mut options = Field::default();
        each(attributes, |meta| {
            if meta.path.is_ident("flatten") {
                options.flatten = true;
            } else if meta.path.is_ident("deserialize_with") {
                options.with = Some(text(meta)?.parse()?);
            } else if meta.path.is_ident("default") {
                options.fallback = match meta.input.peek(Token![=]) {
                    true => Fallback::Of(text(meta)?.parse()?),
                    false => Fallback::Default,
                };
            } else if meta.path.is_ident("skip_serializing_if") {
                text(meta)?;
            } else {
                return Err(meta.error("not known here"));
            }
            Ok(())
        })?;
        Ok(options)
    }
}

fn each(
    attributes: &[Attribute],
    mut take: impl FnMut(&ParseNestedMeta) -> Result<()>,
) -> Result<()> {
    for attribute in attributes {
        if attribute.path().is_ident("serde") {
            attribute.parse_nested_meta(|meta| take(&meta))?;
        }
    }
    Ok(())
}

fn text(meta: &ParseNestedMeta) -> Result<LitStr> {
    meta.value()?.parse()
}

fn case(meta: &ParseNestedMeta) -> Result<Case> {
    let name = text(meta)?;
    Case::of(&name.value()).ok_or_else(|| syn::Error::new_spanned(&name, "not a case known here"))
}
